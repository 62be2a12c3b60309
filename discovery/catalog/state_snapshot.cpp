#include <utility>

#include "discovery/catalog/state_machine.hpp"
#include "messages/error.hpp"
#include "messages/msgpack.hpp"

// What a snapshot of the state machine holds. Fields are only ever appended.

namespace troupe {

namespace {

/// Version of the snapshot's encoding.
constexpr char snapshot_version = 1;

struct snapshot_body {
  std::string cluster_uuid;
  std::string cluster_name;
  std::uint64_t applied_index = 0;
  std::map<member_id, member> members;
  std::map<std::string, server> servers;
  slot_table slots;
  std::deque<event> events;
  std::map<member_id, raft_role> roles;
  std::uint64_t next_server = 1;
  std::uint64_t next_event = 1;
  sessions replies;
  key_store keys;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, snapshot_body& x) {
  return f(caf::meta::type_name("snapshot_body"), x.cluster_uuid,
           x.cluster_name, x.applied_index, x.members, x.servers, x.slots,
           x.events, x.roles, x.next_server, x.next_event, x.replies, x.keys);
}

} // namespace

std::string state_machine::snapshot() const {
  snapshot_body body{state_.cluster_uuid,
                     state_.cluster_name,
                     state_.applied_index,
                     state_.members,
                     state_.servers,
                     *state_.slots,
                     events_,
                     roles_,
                     next_server_,
                     next_event_,
                     sessions_,
                     keys_};
  auto bytes = write_msgpack(body, {snapshot_version});
  bytes.shrink_to_fit();
  return bytes;
}

caf::error state_machine::restore(std::string_view bytes) {
  if (bytes.empty())
    return make_error(errc::corrupt, "an empty snapshot");
  if (bytes.front() != snapshot_version)
    return make_error(errc::incompatible,
                      "snapshot of version "
                        + std::to_string(static_cast<int>(bytes.front()))
                        + ", this node reads version "
                        + std::to_string(static_cast<int>(snapshot_version)));
  snapshot_body body;
  if (auto mismatch = read_msgpack(bytes.substr(1), body))
    return make_error(errc::corrupt, "unreadable snapshot: " + *mismatch);
  for (auto owner : body.slots.owner)
    if (owner >= body.slots.nodes.size())
      return make_error(errc::corrupt, "a slot's owner is not in the snapshot");
  cluster_state next;
  next.cluster_uuid = std::move(body.cluster_uuid);
  next.cluster_name = std::move(body.cluster_name);
  next.applied_index = body.applied_index;
  next.members = std::move(body.members);
  next.servers = std::move(body.servers);
  next.slots = std::make_shared<const slot_table>(std::move(body.slots));
  state_ = std::move(next);
  events_ = std::move(body.events);
  shared_events_.reset();
  roles_ = std::move(body.roles);
  next_server_ = body.next_server;
  next_event_ = body.next_event;
  sessions_ = std::move(body.replies);
  keys_ = std::move(body.keys);
  return caf::none;
}

} // namespace troupe
