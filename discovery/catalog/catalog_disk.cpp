#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "discovery/catalog/catalog_state.hpp"
#include "messages/error.hpp"

// What the catalog does while the log's disk is full or does not answer
// (docs/decisions/0011): whoever leads lets another one lead, nobody runs for
// it, and all is as before once the disk answers.

namespace troupe {

namespace {

/// Election timeouts that a write may take.
constexpr int disk_patience = 10;

/// Bytes that wait for the disk. A leader whose followers are
/// faster commits without its own disk.
constexpr std::uint64_t max_backlog = 16 << 20;

/// Election timeouts after which a transfer of leadership has failed for sure.
constexpr int transfer_patience = 2;

} // namespace

/// Why nothing gets durable here; empty when all is well.
std::string catalog_state::trouble_of_disk() const {
  if (auto refusal = disk_->refusal(); !refusal.empty())
    return "nothing can be written: " + refusal;
  auto patience = disk_patience * config_.election_timeout;
  auto since = queue_.waiting_since();
  if (!since || now() - *since < patience)
    return {};
  return fmt::format("the disk of its Raft log does not answer (for {} ms "
                     "when this was noticed)",
                     (now() - *since).count());
}

void catalog_state::watch_disk() {
  using time_point = log_disk::clock::time_point;
  auto since = queue_.waiting_since();
  disk_->set_waiting_since(since ? std::optional{time_point{*since}}
                                 : std::nullopt);
  auto trouble = trouble_of_disk();
  if (trouble.empty() == !disk_trouble_)
    return;
  if (trouble.empty())
    end_disk_trouble();
  else
    begin_disk_trouble(std::move(trouble));
}

void catalog_state::begin_disk_trouble(std::string what) {
  disk_->set_trouble(what);
  spdlog::error("catalog: {}: {}", config_.self.name, what);
  leadership_->end();
  auto leads = engine_->leads();
  disk_trouble_ = disk_trouble{now(), now()};
  tell_of_disk("error", config_.self.name + ": " + what
                          + (leads ? "; it hands leadership over" : ""));
  // Who takes over needs nothing from this disk. Where nobody can, silence
  // tells the followers to elect somebody.
  if (auto update =
        engine_->transfer(now(), leads ? next_leader() : member_id::none)) {
    disk_trouble_->silent_from =
      now() + transfer_patience * config_.election_timeout;
    act(std::move(update));
  }
  follow_leader();
}

void catalog_state::end_disk_trouble() {
  auto text = fmt::format("the disk of its Raft log is written again, after "
                          "{} ms",
                          (now() - disk_trouble_->since).count());
  disk_trouble_.reset();
  disk_->set_trouble({});
  spdlog::warn("catalog: {}: {}", config_.self.name, text);
  tell_of_disk("info", config_.self.name + ": " + text);
  follow_leader();
}

/// Whoever leads by then records it.
void catalog_state::tell_of_disk(const char* level, std::string text) {
  if (machine_.cluster_uuid().empty())
    return;
  propose_body(
    {record_event{{{}, "storage", config_.self.name, std::move(text), level}}},
    [](const caf::expected<apply_result>&) {});
}

bool catalog_state::is_backlogged() const {
  return queue_.bytes() >= max_backlog;
}

bool catalog_state::is_silent() const {
  return disk_trouble_ && now() >= disk_trouble_->silent_from;
}

} // namespace troupe
