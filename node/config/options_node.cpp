#include "messages/limits.hpp"
#include "messages/text_rules.hpp"
#include "node/config/options.hpp"
#include "node/config/units.hpp"

namespace troupe {

namespace {

template <auto Member, class Default>
option node(std::string_view path, std::string_view description,
            const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::node, Member>(path, description, default_value,
                                               std::move(traits));
}

} // namespace

void declare_node_options(option_table& table) {
  using s = node_settings;
  table.insert(
    table.end(),
    {
      node<&s::name>("node.name",
                     "The node's name, unique in the cluster. A node that "
                     "restarts keeps it.",
                     "",
                     {.rule = &text_rules::optional_name,
                      .flag = "--name",
                      .computed_default = "the host's name"}),
      node<&s::data_directory>(
        "node.dataDirectory",
        "Folder of the node's identity and of the replicated log. One per "
        "node; losing it means joining as a new node.",
        "data", {.rule = &text_rules::not_empty, .flag = "--data"}),
      node<&s::log_directory>(
        "node.logDirectory",
        "Folder of the log files, `combined-YYYY-MM-DD.log` by day (UTC).",
        "logs", {.rule = &text_rules::not_empty, .flag = "--logs"}),
      node<&s::address>("node.address",
                        "IP address that all listeners bind to. `0.0.0.0` or "
                        "`::` is every address of the host.",
                        "127.0.0.1",
                        {.rule = &text_rules::ip_address, .flag = "--address"}),
      node<&s::advertised_address>(
        "node.advertisedAddress",
        "Host that peers and clients are told to find this node at.", "",
        {.rule = &text_rules::optional_host,
         .flag = "--advertise",
         .computed_default =
           "`node.address`, or the host's name when that is a wildcard"}),
      node<&s::api_port>("node.apiPort", "Port of the REST API.", 3006,
                         {.min = 1, .flag = "--api-port", .variable = "PORT"}),
      node<&s::io_threads>(
        "node.ioThreads",
        "Threads that serve connections. 0: one per core, at most 128. The "
        "cache has as many shards.",
        0, {.max = max_io_threads}),
      node<&s::max_connections>(
        "node.maxConnections",
        "Connections to the API at a time; one more is answered 503.", 10'000,
        {.min = 1, .max = 1'000'000}),
      node<&s::max_header_size>(
        "node.maxHeaderSize",
        "Bytes of a request's start line and header together. More: 431.",
        16 * kib, {.min = kib, .max = mib}),
      node<&s::max_body_size>(
        "node.maxBodySize",
        "Bytes of a request's body. More: 413. Values of the cache have a "
        "limit "
        "of their own, twice `cache.memory.maxValueSize` and 64 KiB; a route "
        "that takes only a few fields has 16 KiB.",
        256 * kib, {.min = kib, .max = 1024 * mib}),
      node<&s::max_body_bytes_in_flight>(
        "node.maxBodyBytesInFlight",
        "Bytes of all requests' bodies at a time, until they are answered. A "
        "body beyond: 503. At least node.maxBodySize.",
        256 * mib, {.min = kib, .max = 1024 * 1024 * mib}),
      node<&s::max_answer_bytes_in_flight>(
        "node.maxAnswerBytesInFlight",
        "Bytes of all answers that their clients have not read yet; each io "
        "thread has an equal part. When it is spent, clients that read slowly "
        "are closed, and a GET whose answer still does not fit gets 503.",
        128 * mib, {.min = kib, .max = 1024 * 1024 * mib}),
      node<&s::min_read_rate>(
        "node.minReadRate",
        "Bytes a second at which a client must read an answer, beyond "
        "node.writeTimeout; then the connection is closed.",
        8 * kib, {.min = 1, .max = 1024 * mib}),
      node<&s::header_timeout>(
        "node.headerTimeout",
        "From a connection's start, or a request's first byte, to the end of "
        "its header.",
        10'000, {.min = 10, .max = hour_ms}),
      node<&s::body_timeout>("node.bodyTimeout",
                             "From the end of a request's header to the end "
                             "of its body.",
                             30'000, {.min = 10, .max = hour_ms}),
      node<&s::request_timeout>(
        "node.requestTimeout",
        "From a request's end to its answer. Later: 504.", 10'000,
        {.min = 10, .max = hour_ms}),
      node<&s::write_timeout>(
        "node.writeTimeout",
        "Without progress in sending an answer; then the connection is closed.",
        30'000, {.min = 10, .max = hour_ms}),
      node<&s::idle_timeout>(
        "node.idleTimeout",
        "How long a connection is kept open between two requests.", 60'000,
        {.min = 10, .max = hour_ms}),
      node<&s::allowed_hosts>(
        "node.allowedHosts",
        "Hosts as which the API may be asked, besides IP addresses, names "
        "without a dot, names below `local`, `internal` and `localhost`, and "
        "the names and addresses of the members. Any other: 421, so that no "
        "web "
        "page can reach the API by a name of its own that it makes point here.",
        std::vector<std::string>{}, {.rule = &text_rules::host}),
      node<&s::cors_origin>(
        "node.corsOrigin",
        "Origin whose pages may call the API from a browser.", "",
        {.variable = "CORS_ORIGIN", .reserved = true}),
      node<&s::environment>(
        "node.environment", "Name of the deployment.", "production",
        {.rule = &text_rules::name, .variable = "NODE_ENV", .reserved = true}),
    });
}

} // namespace troupe
