#include "messages/text_rules.hpp"
#include "node/config/options.hpp"
#include "node/config/units.hpp"

namespace troupe {

namespace {

using discovery = discovery_settings;

template <auto Member, class Default>
option dns(std::string_view path, std::string_view description,
           const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::discovery, &discovery::dns, Member>(
    path, description, default_value, std::move(traits));
}

template <auto Member, class Default>
option srv(std::string_view path, std::string_view description,
           const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::discovery, &discovery::srv, Member>(
    path, description, default_value, std::move(traits));
}

template <auto Member, class Default>
option file(std::string_view path, std::string_view description,
            const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::discovery, &discovery::file, Member>(
    path, description, default_value, std::move(traits));
}

template <auto Member, class Default>
option peer_redis(std::string_view path, std::string_view description,
                  const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::discovery, &discovery::redis, Member>(
    path, description, default_value, std::move(traits));
}

/// What names nodes without registering them.
void declare_lists(option_table& table) {
  using d = dns_settings;
  using s = srv_settings;
  using f = peer_file_settings;
  table.insert(
    table.end(),
    {
      declare<&configuration::discovery, &discovery::nodes>(
        "discovery.nodes",
        "Cluster addresses of nodes to contact. One that answers is enough; "
        "the node's own may be among them.",
        std::vector<endpoint>{},
        {.rule = &text_rules::host_and_port, .flag = "--join"}),
      dns<&d::name>("discovery.dns.name",
                    "DNS name of which each A or AAAA record is a node. "
                    "Empty: no look-ups.",
                    "",
                    {.rule = &text_rules::optional_host, .flag = "--join-dns"}),
      dns<&d::port>("discovery.dns.port",
                    "Cluster port of the nodes found by DNS.", 3007,
                    {.min = 1}),
      dns<&d::interval>("discovery.dns.interval", "Between two look-ups.",
                        5'000, {.min = 100, .max = hour_ms}),
      srv<&s::name>(
        "discovery.srv.name",
        "DNS name with SRV records, each the host and cluster port "
        "of a node: `_troupe._tcp.example.org`. Lower priority "
        "values come first. Empty: no look-ups.",
        "", {.rule = &text_rules::optional_dns_name, .flag = "--join-srv"}),
      srv<&s::interval>("discovery.srv.interval", "Between two look-ups.",
                        5'000, {.min = 100, .max = hour_ms}),
      srv<&s::server>("discovery.srv.server",
                      "Name server to ask for SRV records and the addresses of "
                      "their hosts, for example Consul's on port 8600. Empty: "
                      "the system's.",
                      "", {.rule = &text_rules::optional_host_and_port}),
      file<&f::path>("discovery.file.path",
                     "File with the cluster address of a node on each line, as "
                     "host:port; blank lines and what follows a `#` are left "
                     "out. It may change, and come later than the node. Empty: "
                     "none.",
                     "", {.flag = "--join-file"}),
      file<&f::interval>("discovery.file.interval",
                         "Between two looks whether the file has changed.",
                         1'000, {.min = 100, .max = hour_ms}),
    });
}

void declare_redis(option_table& table) {
  using r = peer_redis_settings;
  table.insert(
    table.end(),
    {
      peer_redis<&r::host>(
        "discovery.redis.host",
        "Host of a Redis server in which the nodes register "
        "themselves, under `troupe:CLUSTER:node:ID`, and find "
        "each other. Empty: none.",
        "", {.rule = &text_rules::optional_host, .flag = "--join-redis"}),
      peer_redis<&r::port>("discovery.redis.port", "Port of that server.", 6379,
                           {.min = 1}),
      peer_redis<&r::password>("discovery.redis.password",
                               "Password of that server. Empty: none.", "",
                               {.secret = true}),
      peer_redis<&r::interval>(
        "discovery.redis.interval",
        "Between two registrations and looks for others.", 5'000,
        {.min = 100, .max = hour_ms}),
      peer_redis<&r::ttl>("discovery.redis.ttl",
                          "Time to live of a registration. At least twice "
                          "`discovery.redis.interval`.",
                          15, {.min = 1, .max = 24 * 3'600}),
    });
}

} // namespace

void declare_discovery_options(option_table& table) {
  declare_lists(table);
  declare_redis(table);
}

} // namespace troupe
