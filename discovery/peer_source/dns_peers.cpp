#include "discovery/peer_source/dns_peers.hpp"

#include "discovery/peer_source/host_addresses.hpp"

namespace troupe {

namespace {

class dns_finder : public peer_finder {
public:
  explicit dns_finder(dns_peers_config config) : config_(std::move(config)) {}

  caf::expected<findings> look() override {
    auto addresses = host_addresses(config_.name);
    if (!addresses)
      return std::move(addresses.error());
    findings result;
    for (auto& address : *addresses)
      result.addresses.push_back({std::move(address), config_.port});
    return result;
  }

private:
  dns_peers_config config_;
};

} // namespace

std::shared_ptr<peer_finder> find_by_dns(dns_peers_config config) {
  return std::make_shared<dns_finder>(std::move(config));
}

} // namespace troupe
