#pragma once

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <nlohmann/json.hpp>

#include "http/gateway/gateway.hpp"
#include "http/gateway/json_fields.hpp"
#include "http/gateway/problem.hpp"
#include "http/gateway/router.hpp"
#include "messages/command.hpp"

// What the route handlers share. Not for inclusion from outside of this folder.

namespace troupe {

/// A request that found its handler.
struct routed_request {
  http_exchange_ptr exchange;
  route_params params;

  const http_request& request() const { return exchange->request(); }
};

class gateway;

using route_handler = void (*)(gateway&, routed_request);
using gateway_router = router<route_handler>;

/// An actor of a node.
struct actor_place {
  member_id node = member_id::none;
  std::string name;
};

/// What several actors answered.
template <class Reply>
struct gathered {
  std::vector<std::pair<actor_place, Reply>> replies;
  /// Nodes of which at least one actor did not answer.
  std::set<member_id> unreachable;
};

/// The state of the gateway actor.
class gateway {
public:
  using pointer = http_gateway_actor::pointer;

  gateway(pointer self, gateway_config config, gateway_sources sources,
          std::uint32_t io_thread);

  void serve(const http_exchange_ptr& exchange);

  /// The newest state; valid until the next call.
  const cluster_state& cluster() { return cluster_.get(); }

  /// A node's actor, or an invalid handle.
  template <class Handle>
  Handle find(member_id node, std::string_view name) {
    auto& now = names_.get();
    if (node == config.self.id)
      return directory::find<Handle>(now.local, name);
    auto i = now.peers.find(node);
    return i == now.peers.end() ? Handle{}
                                : directory::find<Handle>(i->second, name);
  }

  const directory::snapshot& names() { return names_.get(); }

  /// `cache_shard/<index>` without making a string each time.
  const std::string& shard_name(std::uint32_t index);

  /// That actor on each node that takes part: alive or suspect.
  std::vector<actor_place> on_each_node(std::string_view name);

  /// All cache shards of those nodes.
  std::vector<actor_place> all_shards();

  /// All cache shards of this node.
  std::vector<actor_place> local_shards();

  /// Asks all of `places` and calls `done(gathered<Reply>)` when each has
  /// answered or its time is over.
  template <class Handle, class Reply, class Request, class Done>
  void gather(const std::vector<actor_place>& places, const Request& request,
              Done done);

  /// Proposes a change to the cluster's state and calls `done` once this node
  /// reads it, or answers with the problem.
  void change(const http_exchange_ptr& exchange, command_body body,
              std::function<void(const apply_result&)> done);

  /// Runs `work` in this actor after `delay`.
  void defer(std::chrono::milliseconds delay, std::function<void()> work);

  /// The name of a node, or its id.
  std::string name_of(member_id node);

  /// Names of nodes, as they stand in answers.
  nlohmann::json names_of(const std::set<member_id>& nodes);

  /// Uniform in [0.5, 1.5).
  double jitter();

  const pointer self;
  const gateway_config config;
  const gateway_sources sources;
  const std::string name;
  std::uint64_t served = 0;

private:
  void run(route_handler handler, routed_request request);
  std::vector<actor_place> shards_of(const node_info& node);

  gateway_router routes_;
  published_reader<cluster_state> cluster_;
  published_reader<directory::snapshot> names_;
  std::vector<std::string> shard_names_;
  std::minstd_rand random_;
};

/// Answers `{"success": true, "data": ...}`.
void respond_data(
  http_exchange& exchange, const nlohmann::json& data, unsigned status = 200,
  std::vector<std::pair<std::string, std::string>> headers = {});

/// The query's parameters but for `consistent`, which every GET may have. It is
/// well-formed: no other request gets to its handler.
std::map<std::string, std::string, std::less<>>
read_query(const http_request& request);

/// Compact text of `data`; never throws.
std::string to_text(const nlohmann::json& data);

template <class Handle, class Reply, class Request, class Done>
void gateway::gather(const std::vector<actor_place>& places,
                     const Request& request, Done done) {
  struct round {
    std::size_t missing;
    gathered<Reply> result;
    Done done;

    void one_less() {
      if (--missing == 0)
        done(result);
    }
  };
  // One more, so that it ends once even when nobody can be asked.
  auto state =
    std::make_shared<round>(round{places.size() + 1, {}, std::move(done)});
  for (auto& place : places) {
    auto handle = find<Handle>(place.node, place.name);
    if (!handle) {
      state->result.unreachable.insert(place.node);
      state->one_less();
      continue;
    }
    self->request(handle, config.gather_timeout, request)
      .then(
        [state, place](Reply& reply) {
          state->result.replies.emplace_back(place, std::move(reply));
          state->one_less();
        },
        [state, place](const caf::error&) {
          state->result.unreachable.insert(place.node);
          state->one_less();
        });
  }
  state->one_less();
}

} // namespace troupe
