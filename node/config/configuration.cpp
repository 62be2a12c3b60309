#include "node/config/configuration.hpp"

#include <algorithm>
#include <thread>

namespace troupe {

std::uint32_t io_thread_count(const node_settings& node) {
  if (node.io_threads != 0)
    return node.io_threads;
  return std::clamp(std::thread::hardware_concurrency(), 1u, 128u);
}

bool asks_for_peers(const discovery_settings& discovery) {
  return !discovery.dns.name.empty() || !discovery.srv.name.empty()
         || !discovery.file.path.empty() || !discovery.redis.host.empty();
}

std::string_view algorithm_in_effect(std::string_view algorithm) {
  return algorithm == "weighted" ? "weighted" : "round-robin";
}

} // namespace troupe
