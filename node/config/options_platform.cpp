#include "messages/text_rules.hpp"
#include "node/config/options.hpp"
#include "node/config/units.hpp"

namespace troupe {

namespace {

template <auto Member, class Default>
option redis(std::string_view path, std::string_view description,
             const Default& default_value, option_traits traits = {}) {
  traits.reserved = true;
  return declare<&configuration::cache, &cache_settings::redis, Member>(
    path, description, default_value, std::move(traits));
}

template <auto Member, class Default>
option memory(std::string_view path, std::string_view description,
              const Default& default_value, option_traits traits = {}) {
  return declare<&configuration::cache, &cache_settings::memory, Member>(
    path, description, default_value, std::move(traits));
}

template <auto Member, class Default>
option scaling(std::string_view path, std::string_view description,
               const Default& default_value, option_traits traits = {}) {
  traits.reserved = true;
  return declare<&configuration::scaling, &scaling_settings::auto_scaling,
                 Member>(path, description, default_value, std::move(traits));
}

template <auto Member>
option tls(std::string_view path, std::string_view description) {
  return declare<&configuration::tls, Member>(path, description, "");
}

template <auto Member, class Default>
option prometheus(std::string_view path, std::string_view description,
                  const Default& default_value, option_traits traits) {
  traits.reserved = true;
  return declare<&configuration::monitoring, &monitoring_settings::prometheus,
                 Member>(path, description, default_value, std::move(traits));
}

} // namespace

void declare_cache_options(option_table& table) {
  using r = redis_settings;
  using m = memory_settings;
  table.insert(
    table.end(),
    {
      redis<&r::enabled>("cache.redis.enabled",
                         "Whether a Redis server is a second tier of the "
                         "cache.",
                         true),
      redis<&r::host>("cache.redis.host", "Host of the Redis server.",
                      "localhost",
                      {.rule = &text_rules::host, .variable = "REDIS_HOST"}),
      redis<&r::port>("cache.redis.port", "Port of the Redis server.", 6379,
                      {.min = 1, .variable = "REDIS_PORT"}),
      redis<&r::password>("cache.redis.password",
                          "Password of the Redis server. Empty: none.", "",
                          {.variable = "REDIS_PASSWORD", .secret = true}),
      redis<&r::ttl>("cache.redis.ttl",
                     "Time to live of entries that are stored without one.",
                     3'600, {.max = year_s}),
      memory<&m::enabled>("cache.memory.enabled",
                          "Whether the node stores entries. Without, it only "
                          "forwards to nodes that do.",
                          true, {.reserved = true}),
      memory<&m::max_size>("cache.memory.maxSize",
                           "Entries on this node. One more takes the place of "
                           "one that was not asked for since it came, or not "
                           "lately (S3-FIFO).",
                           10'000, {.min = 1, .max = 1'000'000'000}),
      memory<&m::max_bytes>("cache.memory.maxBytes",
                            "Bytes of all entries on this node, keys "
                            "included. Each io thread has its share.",
                            256 * mib, {.min = 64 * kib, .max = tib}),
      memory<&m::max_key_size>("cache.memory.maxKeySize",
                               "Bytes of a key. More: 413.", 64 * kib,
                               {.min = 1, .max = mib}),
      memory<&m::max_value_size>("cache.memory.maxValueSize",
                                 "Bytes of a value. More: 413.", mib,
                                 {.min = 1, .max = 512 * mib}),
      memory<&m::ttl>("cache.memory.ttl",
                      "Time to live of entries that are stored without one. "
                      "0: they don't expire.",
                      3'600, {.max = year_s}),
    });
}

void declare_platform_options(option_table& table) {
  using a = auto_scaling_settings;
  using p = prometheus_settings;
  table.insert(
    table.end(),
    {
      scaling<&a::enabled>("scaling.autoScaling.enabled",
                           "Whether services are scaled by their load.", true),
      scaling<&a::min_instances>("scaling.autoScaling.minInstances",
                                 "Instances a service has at least.", 2,
                                 {.max = 10'000}),
      scaling<&a::max_instances>("scaling.autoScaling.maxInstances",
                                 "Instances a service has at most.", 10,
                                 {.min = 1, .max = 10'000}),
      scaling<&a::target_cpu_percent>("scaling.autoScaling.targetCpuPercent",
                                      "Use of CPU that is aimed at.", 70,
                                      {.min = 1, .max = 100}),
      scaling<&a::target_memory_percent>(
        "scaling.autoScaling.targetMemoryPercent",
        "Use of memory that is aimed at.", 80, {.min = 1, .max = 100}),
      prometheus<&p::enabled>(
        "monitoring.prometheus.enabled",
        "Whether metrics are served on a port of their own. `/metrics` on the "
        "API's port is always there.",
        true, {.variable = "PROMETHEUS_ENABLED"}),
      prometheus<&p::port>("monitoring.prometheus.port", "That port.", 9090,
                           {.min = 1, .variable = "PROMETHEUS_PORT"}),
      declare<&configuration::log, &log_settings::level>(
        "log.level", "The least important level that is logged.",
        log_level::info,
        {.choices = {"error", "warn", "info", "debug", "trace"},
         .flag = "--log-level",
         .variable = "LOG_LEVEL"}),
      tls<&tls_settings::certificate>(
        "tls.certificate",
        "File with the node's certificate (PEM), and after it those of "
        "authorities in between, if any. `troupe certs node` makes it. With "
        "certificates, nodes speak mutual TLS on the cluster port and let in "
        "nobody else. A replaced file is used for new connections without a "
        "restart. Empty: no TLS."),
      tls<&tls_settings::key>("tls.key",
                              "File with its private key (PEM, without a "
                              "passphrase)."),
      tls<&tls_settings::authority>(
        "tls.authority",
        "File with the certificates of the authorities whose nodes are let in "
        "(PEM): one made by `troupe certs ca`, or several while a new one "
        "takes over."),
      declare<&configuration::auth, &auth_settings::jwt_secret>(
        "auth.jwtSecret", "Secret that signs and checks API tokens (HS256).",
        "", {.variable = "JWT_SECRET", .secret = true, .reserved = true}),
    });
}

} // namespace troupe
