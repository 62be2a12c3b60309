#include "discovery/recovery/recovery.hpp"

#include <utility>

#include "discovery/catalog/request_ids.hpp"
#include "discovery/catalog/state_machine.hpp"
#include "discovery/raft/raft_configuration.hpp"
#include "messages/command.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

caf::error unreadable(std::uint64_t index, const caf::error& why) {
  auto [code, detail, field] = describe(why);
  return make_error(code, "log entry " + std::to_string(index) + ": " + detail);
}

/// The state after all entries, committed or not.
caf::expected<state_machine> replay(const log_contents& log) {
  state_machine machine;
  if (log.snapshot)
    if (auto problem = machine.restore(log.snapshot->state))
      return unreadable(log.snapshot->index, problem);
  auto index = log.first_index;
  for (auto& entry : log.entries) {
    if (entry.kind == entry_kind::command && index > machine.applied_index()) {
      auto what = decode_command(entry.bytes);
      if (!what)
        return unreadable(index, what.error());
      machine.apply(*what, index, entry.term);
    }
    ++index;
  }
  return caf::expected<state_machine>{std::move(machine)};
}

} // namespace

caf::expected<recovery>
recovery::open(const std::filesystem::path& data_directory,
               const std::string& cluster_name) {
  std::error_code ignored;
  if (!std::filesystem::exists(data_directory / "raft", ignored))
    return make_error(errc::conflict,
                      data_directory.string()
                        + " holds no node's log; is node.dataDirectory right?",
                      "node.dataDirectory");
  auto own = identity::open(data_directory, cluster_name);
  if (!own)
    return own.error();
  raft_log_config config;
  config.path = data_directory / "raft";
  config.node = (*own)->get().id;
  config.cluster_name = cluster_name;
  config.must_exist = true;
  config.takes_lost_end = true;
  auto storage = log_storage::open(config);
  if (!storage)
    return storage.error();
  recovery result{std::move(*own), std::move(*storage)};
  if (auto problem = result.read())
    return problem;
  return caf::expected<recovery>{std::move(result)};
}

caf::error recovery::read() {
  auto log = storage_.load();
  if (!log)
    return log.error();
  auto machine = replay(*log);
  if (!machine)
    return machine.error();
  term_ = log->term;
  plan_.last_index = log->first_index + log->entries.size() - 1;
  plan_.last_term = !log->entries.empty() ? log->entries.back().term
                    : log->snapshot       ? log->snapshot->term
                                          : 0;
  plan_.commit_index = log->commit;
  if (auto end = storage_.lost_end())
    plan_.lost_index = end->last_index;
  auto state = machine->state();
  plan_.cluster_name = state.cluster_name;
  plan_.servers = state.servers.size();
  plan_.keys = machine->keys().size();
  plan_.survivor.id = own_->get().id;
  for (auto& [id, who] : state.members)
    if (id == plan_.survivor.id)
      plan_.survivor = who.info;
    else if (!who.dismissed)
      plan_.removed.push_back(who.info);
  return caf::none;
}

caf::error recovery::carry_out() {
  auto self = own_->get();
  auto uuid = make_cluster_uuid();
  log_write write;
  write.term = term_ + 1;
  write.voted_for = self.id;
  write.first_index = plan_.last_index + 1;
  write.entries.push_back(
    {term_ + 1, entry_kind::change,
     encode_configuration({{self.id, raft_role::voter}})});
  request_ids ids;
  command recover{{self.id, self.incarnation, 1, 1, ids.process()},
                  unix_now(),
                  recover_cluster{uuid, self.id}};
  write.entries.push_back({term_ + 1, entry_kind::command, encode(recover)});
  if (auto problem = own_->rebind_to_cluster(plan_.cluster_name, uuid))
    return problem;
  return storage_.write({&write, 1});
}

} // namespace troupe
