#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include <caf/test/dsl.hpp>

#include "discovery/raft/raft_engine.hpp"
#include "messages/error.hpp"
#include "tests/support/memory_log.hpp"

namespace troupe {

/// Raft engines whose messages and disks a test moves by hand: nothing arrives
/// unless it says so. Writes are durable at once.
class engine_group {
public:
  struct message {
    std::size_t from = 0;
    std::size_t to = 0;
    raft_message what;
  };

  struct node {
    log_contents disk;
    std::optional<raft_engine> engine;
  };

  raft_time now{1000};
  std::vector<node> nodes;
  /// On their way.
  std::deque<message> network;

  /// Voters that share a configuration at index 1, all running.
  explicit engine_group(std::size_t size) : nodes(size) {
    raft_configuration_servers servers;
    for (std::size_t i = 0; i < size; ++i)
      servers.push_back({id_of(i), raft_role::voter});
    for (std::size_t i = 0; i < size; ++i) {
      nodes[i].disk.term = 1;
      nodes[i].disk.entries.push_back(
        {1, entry_kind::change, encode_configuration(servers)});
      start(i);
    }
  }

  static member_id id_of(std::size_t i) { return member_id{i + 1}; }

  void start(std::size_t i) {
    raft_engine_config config;
    config.self = id_of(i);
    config.seed = static_cast<std::uint32_t>(i + 1);
    nodes[i].engine.emplace(config);
    carry_out(i, nodes[i].engine->start(now, nodes[i].disk));
  }

  void crash(std::size_t i) { nodes[i].engine.reset(); }

  raft_engine& engine(std::size_t i) { return *nodes[i].engine; }

  /// Lets node `i` propose one command.
  void submit(std::size_t i, const std::string& bytes) {
    carry_out(i, engine(i).submit(now, {bytes}));
  }

  void receive(const message& x) {
    if (nodes[x.to].engine)
      carry_out(x.to, engine(x.to).receive(now, id_of(x.from), encode(x.what)));
  }

  /// Delivers until nothing moves among `who`; everything else is lost.
  void exchange(const std::set<std::size_t>& who) {
    while (!network.empty()) {
      auto next = std::move(network.front());
      network.pop_front();
      if (who.contains(next.from) && who.contains(next.to))
        receive(next);
    }
  }

  /// Makes `i` leader with the votes of `voters`, who have all lost patience
  /// with the leader they knew. It may take a second try when they voted in
  /// its term already. What it then sends stays in the network.
  bool elect(std::size_t i, const std::set<std::size_t>& voters) {
    now += raft_time{700};
    for (auto voter : voters)
      carry_out(voter, engine(voter).timeout(now));
    for (int tries = 0; tries < 3 && !engine(i).leads(); ++tries) {
      now += raft_time{700};
      network.clear();
      carry_out(i, engine(i).timeout(now));
      count_votes(i, voters);
    }
    return engine(i).leads();
  }

  /// Lets virtual time go on by `span`: timers run out, and what the running
  /// nodes send arrives within the same millisecond.
  void run(raft_time span) {
    for (auto end = now + span; now < end; now += raft_time{1}) {
      std::set<std::size_t> running;
      for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].engine)
          running.insert(i);
      for (auto i : running)
        if (now >= engine(i).next_timeout())
          carry_out(i, engine(i).timeout(now));
      exchange(running);
    }
  }

  /// The one that leads in the newest term, or nothing.
  std::optional<std::size_t> leader() const {
    std::optional<std::size_t> result;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].engine && nodes[i].engine->leads()
          && (!result
              || nodes[i].engine->term() > nodes[*result].engine->term()))
        result = i;
    return result;
  }

  void carry_out(std::size_t i, caf::expected<raft_update> update) {
    if (!update)
      CAF_FAIL(describe(update.error()).detail);
    if (update->write_id != 0)
      apply_write(nodes[i].disk, std::move(update->write));
    for (auto& x : update->messages) {
      auto to = static_cast<std::size_t>(x.to) - 1;
      network.push_back({i, to, *decode_raft_message(x.bytes)});
    }
    if (update->write_id != 0)
      carry_out(i, engine(i).persisted(now, update->write_id));
  }

private:
  void count_votes(std::size_t i, const std::set<std::size_t>& voters) {
    while (!network.empty() && !engine(i).leads()) {
      auto next = std::move(network.front());
      network.pop_front();
      auto involved = (next.from == i && voters.contains(next.to))
                      || (next.to == i && voters.contains(next.from));
      if (involved)
        receive(next);
    }
  }
};

} // namespace troupe
