#include "discovery/peer_source/srv_peers.hpp"

#include <fmt/format.h>

#include "discovery/peer_source/dns_client.hpp"
#include "discovery/peer_source/host_addresses.hpp"
#include "discovery/peer_source/srv_answer.hpp"
#include "messages/error.hpp"

namespace troupe {

namespace {

/// Each target costs two queries.
constexpr std::size_t most_targets = 100;

class srv_finder : public peer_finder {
public:
  explicit srv_finder(srv_peers_config config) : config_(std::move(config)) {}

  caf::expected<findings> look() override {
    auto servers = name_servers();
    if (!servers)
      return failed(servers.error());
    auto client = dns_client::open({*servers});
    if (!client)
      return failed(client.error());
    auto answer = client->srv_records(config_.name);
    if (!answer)
      return failed(answer.error());
    auto targets = parse_srv_answer(*answer);
    if (!targets)
      return failed(targets.error());
    if (targets->empty())
      return failed(make_error(errc::unavailable, "no SRV records"));
    return resolve(std::move(*targets), *client);
  }

private:
  caf::error failed(const caf::error& why) const {
    auto where = config_.server ? " at " + to_string(*config_.server) : "";
    return make_error(
      errc::unavailable,
      fmt::format("{}{}: {}", config_.name, where, describe(why).detail));
  }

  /// In c-ares' format.
  caf::expected<std::string> name_servers() const {
    if (!config_.server)
      return std::string{};
    auto addresses = host_addresses(config_.server->host);
    if (!addresses)
      return std::move(addresses.error());
    std::string result;
    for (auto& address : *addresses)
      result += (result.empty() ? "" : ",")
                + to_string(endpoint{address, config_.server->port});
    return result;
  }

  caf::expected<findings> resolve(std::vector<srv_target> targets,
                                  dns_client& client) const {
    findings result;
    if (targets.size() > most_targets) {
      result.complaints.push_back(
        fmt::format("{} has {} SRV records, only the first {} are used",
                    config_.name, targets.size(), most_targets));
      targets.resize(most_targets);
    }
    std::vector<std::string> hosts;
    hosts.reserve(targets.size());
    for (auto& target : targets)
      hosts.push_back(target.host);
    auto found = client.addresses_of(hosts);
    for (std::size_t i = 0; i < targets.size(); ++i)
      if (found[i])
        for (auto& address : *found[i])
          result.addresses.push_back({address, targets[i].port});
      else
        result.complaints.push_back(
          fmt::format("{} names {}, which has no address: {}", config_.name,
                      hosts[i], describe(found[i].error()).detail));
    if (result.addresses.empty())
      return failed(make_error(errc::unavailable, result.complaints.front()));
    return result;
  }

  srv_peers_config config_;
};

} // namespace

std::shared_ptr<peer_finder> find_by_srv(srv_peers_config config) {
  return std::make_shared<srv_finder>(std::move(config));
}

} // namespace troupe
