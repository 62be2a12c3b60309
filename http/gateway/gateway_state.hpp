#pragma once

#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <nlohmann/json.hpp>

#include "http/gateway/ask_limit.hpp"
#include "http/gateway/body_reader.hpp"
#include "http/gateway/gateway.hpp"
#include "http/gateway/json_fields.hpp"
#include "http/gateway/parameters.hpp"
#include "http/gateway/problem.hpp"
#include "http/gateway/router.hpp"
#include "messages/command.hpp"

// What the route handlers share. Not for inclusion from outside of this folder.

namespace troupe {

/// A request that found its handler.
struct routed_request {
  http_exchange_ptr exchange;
  route_params params;
  /// Those that the route knows, each at most once.
  query_parameters query;

  const http_request& request() const { return exchange->request(); }
};

/// Nobody waits for the answer any more: 504 was given.
bool is_late(const http_request& request);

class gateway;

using route_handler = void (*)(gateway&, routed_request);

/// What a route reads of a request's body, which decides how large it may be.
enum class body_kind : std::uint8_t {
  /// Nothing: a body is refused, its sender means something by it.
  none,
  /// A few fields.
  fields,
  /// A value of the catalog.
  catalog_value,
  /// A value of the cache.
  cache_value,
};

/// A route and all that it takes; what it does not take is refused before its
/// handler is called.
struct api_route {
  route_handler handler;
  body_kind body = body_kind::none;
  /// Names of the query's parameters, of static storage duration. A GET knows
  /// `consistent` besides.
  std::vector<std::string_view> query = {};
};

using gateway_router = router<api_route>;

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

  /// Members that can be asked now: this node, and those with which a session
  /// stands. A verdict is what the cluster agreed on, which takes a quorum.
  std::set<member_id> answering();

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

  /// Reads the fields of a body, whose names are `known`, by
  /// `read(field_reader&)`, and calls `done` with what that returned, or
  /// answers with the problem. `read` may run on another thread, when the
  /// gateway is gone already: it must not refer to it.
  template <class Read, class Done>
  void read_body(const http_exchange_ptr& exchange,
                 std::vector<std::string_view> known, Read read, Done done);

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
  /// Questions about keys. Enough to keep an owner busy that is a millisecond
  /// away; replies of 8 MB each are a quarter of a gigabyte.
  ask_limit cache_asks{32};

private:
  std::optional<problem> refuse(const http_request& request);
  void enter(const api_route& where, routed_request request);
  void read_elsewhere(const http_exchange_ptr& exchange,
                      std::function<void()> read, std::function<void()> finish);
  void run(route_handler handler, routed_request request);
  bool is_own_host(std::string_view host);
  std::vector<actor_place> shards_of(const node_info& node);

  published_reader<cluster_state> cluster_;
  published_reader<directory::snapshot> names_;
  std::vector<std::string> shard_names_;
  std::minstd_rand random_;
  std::uint32_t read_elsewhere_ = 0;
};

/// Bodies up to that are read on the io thread: it takes half a millisecond at
/// most, and handing them over costs more than most.
inline constexpr std::size_t max_body_read_here = 16 << 10;

/// Answers `{"success": true, "data": ...}`.
void respond_data(
  http_exchange& exchange, const nlohmann::json& data, unsigned status = 200,
  std::vector<std::pair<std::string, std::string>> headers = {});

/// Compact text of `data`; never throws.
std::string to_text(const nlohmann::json& data);

template <class Read, class Done>
void gateway::read_body(const http_exchange_ptr& exchange,
                        std::vector<std::string_view> known, Read read,
                        Done done) {
  struct outcome {
    std::optional<std::invoke_result_t<Read, field_reader&>> value;
    std::optional<problem> failure;
  };
  auto result = std::make_shared<outcome>();
  auto take = [exchange, known = std::move(known), read, result] {
    field_reader body{exchange->request(), known};
    result->value = read(body);
    result->failure = body.failure();
  };
  auto finish = [exchange, result, done] {
    if (result->failure)
      return respond_problem(*exchange, *result->failure);
    if (result->value)
      done(std::move(*result->value));
  };
  if (exchange->request().body.size() > max_body_read_here)
    return read_elsewhere(exchange, std::move(take), std::move(finish));
  take();
  finish();
}

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
