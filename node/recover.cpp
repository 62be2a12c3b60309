#include "node/recover.hpp"

#include <fmt/format.h>

#include "discovery/recovery/recovery.hpp"

namespace troupe {

namespace {

std::string describe_plan(const recovery_plan& plan) {
  std::string removed;
  for (auto& who : plan.removed)
    removed += fmt::format("  {} ({})\n", who.name, to_string(who.id));
  auto lost = plan.lost_index == 0
                ? ""
                : fmt::format("WARNING: its disk lost the log's end, which was "
                              "at index {}\n",
                              plan.lost_index);
  return fmt::format(
    "{} ({}) of cluster {}\n"
    "last entry: term {}, index {}; known to be committed up to {}\n{}"
    "{} servers, {} keys\n\n"
    "Alone, it keeps all of that, entries that nobody was told of included.\n"
    "What only other nodes know is lost. Removed for good:\n{}",
    plan.survivor.name, to_string(plan.survivor.id), plan.cluster_name,
    plan.last_term, plan.last_index, plan.commit_index, lost, plan.servers,
    plan.keys, removed.empty() ? "  nobody\n" : removed);
}

} // namespace

caf::expected<std::string> run_recover(const recover_command& what) {
  auto& settings = what.config.values;
  auto opened =
    recovery::open(settings.node.data_directory, settings.cluster.name);
  if (!opened)
    return opened.error();
  auto plan = describe_plan(opened->plan());
  if (!what.confirmed)
    return plan
           + "\nNothing was changed. WARNING: do this only when a majority of "
             "the voters is\n"
             "lost for good and stopped. Compare the last entries of all data "
             "directories\n"
             "that are left, and take the one with the highest term, then "
             "index. Then repeat\n"
             "the command there with --yes (docs/recovery.md).\n";
  if (auto failure = opened->carry_out())
    return failure;
  return plan
         + "\nDone: start this node. It leads a cluster of one with a new id, "
           "which refuses\n"
           "the old data directories: start the other nodes with empty ones.\n";
}

} // namespace troupe
