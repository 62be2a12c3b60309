#pragma once

#include <caf/type_id.hpp>

#include "messages/cache.hpp"
#include "messages/cluster.hpp"
#include "messages/resources.hpp"
#include "messages/status.hpp"
#include "messages/supervision.hpp"
#include "messages/traffic.hpp"

// Every message that may cross a mailbox or the wire. The wire carries the
// names: renaming a type breaks a rolling upgrade.

CAF_BEGIN_TYPE_ID_BLOCK(troupe, caf::first_custom_type_id)

CAF_ADD_TYPE_ID(troupe, (troupe::actor_status))
CAF_ADD_TYPE_ID(troupe, (troupe::apply_result))
CAF_ADD_TYPE_ID(troupe, (troupe::bootstrap_cluster))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_clear))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_count))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_delete))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_get))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_import))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_peek))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_set))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_stats))
CAF_ADD_TYPE_ID(troupe, (troupe::cache_value))
CAF_ADD_TYPE_ID(troupe, (troupe::catalog_value))
CAF_ADD_TYPE_ID(troupe, (troupe::children_list))
CAF_ADD_TYPE_ID(troupe, (troupe::done))
CAF_ADD_TYPE_ID(troupe, (troupe::forward_command))
CAF_ADD_TYPE_ID(troupe, (troupe::get_cache_stats))
CAF_ADD_TYPE_ID(troupe, (troupe::get_resources))
CAF_ADD_TYPE_ID(troupe, (troupe::get_status))
CAF_ADD_TYPE_ID(troupe, (troupe::get_traffic))
CAF_ADD_TYPE_ID(troupe, (troupe::get_traffic_of_all))
CAF_ADD_TYPE_ID(troupe, (troupe::hello))
CAF_ADD_TYPE_ID(troupe, (troupe::join_request))
CAF_ADD_TYPE_ID(troupe, (troupe::key_list))
CAF_ADD_TYPE_ID(troupe, (troupe::kill_child))
CAF_ADD_TYPE_ID(troupe, (troupe::lease_grant))
CAF_ADD_TYPE_ID(troupe, (troupe::leave_request))
CAF_ADD_TYPE_ID(troupe, (troupe::list_children))
CAF_ADD_TYPE_ID(troupe, (troupe::list_keys))
CAF_ADD_TYPE_ID(troupe, (troupe::node_traffic))
CAF_ADD_TYPE_ID(troupe, (troupe::peer_candidates))
CAF_ADD_TYPE_ID(troupe, (troupe::peer_down))
CAF_ADD_TYPE_ID(troupe, (troupe::peer_up))
CAF_ADD_TYPE_ID(troupe, (troupe::ping))
CAF_ADD_TYPE_ID(troupe, (troupe::pledge))
CAF_ADD_TYPE_ID(troupe, (troupe::pledge_request))
CAF_ADD_TYPE_ID(troupe, (troupe::pong))
CAF_ADD_TYPE_ID(troupe, (troupe::probe_report))
CAF_ADD_TYPE_ID(troupe, (troupe::probe_request))
CAF_ADD_TYPE_ID(troupe, (troupe::raft_message_bytes))
CAF_ADD_TYPE_ID(troupe, (troupe::raft_message_part))
CAF_ADD_TYPE_ID(troupe, (troupe::read_key))
CAF_ADD_TYPE_ID(troupe, (troupe::renew_lease))
CAF_ADD_TYPE_ID(troupe, (troupe::resource_usage))
CAF_ADD_TYPE_ID(troupe, (troupe::sessions_reset))
CAF_ADD_TYPE_ID(troupe, (troupe::set_raft_role))
CAF_ADD_TYPE_ID(troupe, (troupe::shut_down))
CAF_ADD_TYPE_ID(troupe, (troupe::state_changed))
CAF_ADD_TYPE_ID(troupe, (troupe::tick))
CAF_ADD_TYPE_ID(troupe, (troupe::traffic_news))
CAF_ADD_TYPE_ID(troupe, (troupe::traffic_of_all))
CAF_ADD_TYPE_ID(troupe, (troupe::traffic_report))
CAF_ADD_TYPE_ID(troupe, (troupe::transfer_leadership))

CAF_END_TYPE_ID_BLOCK(troupe)

namespace troupe {

/// Makes the messages known to systems of that configuration. The same as
/// CAF's `add_message_types`, but compiled once.
void add_troupe_messages(caf::actor_system_config& config);

} // namespace troupe
