#include "messages/text_rules.hpp"
#include "node/config/options.hpp"
#include "node/config/units.hpp"

namespace troupe {

namespace {

template <auto Member, class Default>
option cluster(std::string_view path, std::string_view description,
               const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::cluster, Member>(
    path, description, default_value, std::move(traits));
}

void declare_consensus(option_table& table) {
  using s = cluster_settings;
  table.insert(
    table.end(),
    {
      cluster<&s::enabled>("cluster.enabled",
                           "Whether the node looks for peers and lets them "
                           "in. Without, it is a cluster of its own.",
                           true),
      cluster<&s::name>("cluster.name",
                        "Name of the cluster. Nodes of another name are "
                        "refused.",
                        "troupe",
                        {.rule = &text_rules::name, .flag = "--cluster-name"}),
      cluster<&s::port>("cluster.port", "Port of the traffic between nodes.",
                        3007, {.min = 1, .flag = "--cluster-port"}),
      cluster<&s::expected_nodes>(
        "cluster.expectedNodes",
        "How many nodes have to find each other before they found a cluster. "
        "The same on all nodes that start together; of no effect once the "
        "cluster exists. A node that expects only itself, but is told of "
        "peers, founds none: it joins theirs.",
        1, {.min = 1, .max = 100, .flag = "--expected-nodes"}),
      cluster<&s::max_voters>(
        "cluster.maxVoters",
        "Members that vote in consensus; further ones stand by and take the "
        "place of a voter that is gone. An odd number is best.",
        5, {.min = 1, .max = 9}),
      cluster<&s::profile>(
        "cluster.profile",
        "Timers for nodes in one data centre (`lan`) or apart (`wan`): sets "
        "`heartbeatInterval`, `electionTimeout`, `suspectTimeout` and "
        "`downTimeout` of `cluster` where they are not given. The defaults "
        "shown are those of `lan`.",
        "lan", {.choices = {"lan", "wan"}}),
      cluster<&s::heartbeat_interval>(
        "cluster.heartbeatInterval", "Between two heartbeats of the leader.",
        75, {.min = 10, .max = 10'000, .shared = true}),
      cluster<&s::election_timeout>(
        "cluster.electionTimeout",
        "How long a leader may be silent before another is elected; each wait "
        "is drawn from once to twice this. At least three times "
        "`cluster.heartbeatInterval`.",
        300, {.min = 30, .max = minute_ms, .shared = true}),
      cluster<&s::suspect_timeout>(
        "cluster.suspectTimeout",
        "How long a member may be silent before it is suspected. At least "
        "three times `cluster.heartbeatInterval`.",
        1'000, {.min = 30, .max = 10 * minute_ms}),
      cluster<&s::down_timeout>(
        "cluster.downTimeout",
        "How long a member may be silent before it is down and others take "
        "over, at least; a node that hears nothing stops acting before. At "
        "least `cluster.suspectTimeout`.",
        1'500, {.min = 100, .max = 10 * minute_ms, .shared = true}),
      cluster<&s::forget_after>(
        "cluster.forgetAfter",
        "How long a member that is down is remembered. After that it comes "
        "back as a new node. One that was removed for good is remembered for "
        "good.",
        72 * hour_ms, {.min = minute_ms, .max = 365 * day_ms}),
      cluster<&s::insecure>(
        "cluster.insecure",
        "Allows traffic between nodes without encryption or authentication on "
        "an address that is not loopback. Only for networks where every host "
        "is trusted.",
        false, {.flag = "--insecure-cluster"}),
    });
}

void declare_supervision(option_table& table) {
  using s = cluster_settings;
  table.insert(
    table.end(),
    {
      cluster<&s::worker_count>("cluster.workerCount",
                                "Worker processes of the node.", 4,
                                {.max = 1'024, .reserved = true}),
      cluster<&s::max_restarts>(
        "cluster.maxRestarts",
        "How often an actor of the node is restarted within "
        "`cluster.restartWindow` before the node gives up.",
        3, {.max = 1'000}),
      cluster<&s::restart_window>(
        "cluster.restartWindow",
        "The time in which `cluster.maxRestarts` are counted.", minute_ms,
        {.min = 1'000, .max = day_ms}),
      cluster<&s::restart_delay>(
        "cluster.restartDelay",
        "Wait before a second restart within the window; it doubles for each "
        "further one. The first restart is immediate.",
        1'000, {.max = hour_ms}),
      cluster<&s::graceful_shutdown_timeout>(
        "cluster.gracefulShutdownTimeout",
        "How long a node that is stopped goes on with requests in flight.",
        30'000, {.max = hour_ms}),
      cluster<&s::health_check_interval>(
        "cluster.healthCheckInterval",
        "Between two samples of the node's own use of CPU, memory and disk "
        "when "
        "nobody asks for them; who asks gets figures a second old at most.",
        30'000, {.min = 100, .max = hour_ms}),
      cluster<&s::auto_restart>("cluster.autoRestart",
                                "Whether an actor that failed is restarted. "
                                "Without, the node stops.",
                                true),
    });
}

} // namespace

void declare_cluster_options(option_table& table) {
  declare_consensus(table);
  declare_supervision(table);
}

} // namespace troupe
