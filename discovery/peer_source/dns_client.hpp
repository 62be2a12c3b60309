#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/expected.hpp>

struct ares_channeldata;

namespace troupe {

/// Asks name servers (c-ares), and blocks meanwhile. Made anew for each look,
/// so that it knows the system's current name servers.
class dns_client {
public:
  struct config {
    /// `address:port`, comma-separated, asked instead of the system's name
    /// servers. Empty: the system's.
    std::string servers;
    /// For an answer to a first attempt; a second one waits twice as long.
    std::chrono::milliseconds timeout{1000};
    /// From the client's making to the last answer.
    std::chrono::milliseconds limit{4000};
  };

  using answer = caf::expected<std::vector<std::uint8_t>>;
  using addresses = caf::expected<std::vector<std::string>>;

  /// Errors: unavailable.
  static caf::expected<dns_client> open(const config& settings);

  /// The answer to a query for a name's SRV records, as it came.
  /// Errors: unavailable, with c-ares' words.
  answer srv_records(const std::string& name);

  /// The IPv4 and IPv6 addresses of each host, all asked at once.
  /// Errors: unavailable, with c-ares' words.
  std::vector<addresses> addresses_of(const std::vector<std::string>& hosts);

private:
  struct close {
    void operator()(ares_channeldata* channel) const;
  };
  using channel = std::unique_ptr<ares_channeldata, close>;

  dns_client(channel opened, const config& settings)
    : channel_(std::move(opened)),
      until_(std::chrono::steady_clock::now() + settings.limit) {}

  /// Until each query is answered, or the limit is over.
  void finish();

  channel channel_;
  std::chrono::steady_clock::time_point until_;
};

} // namespace troupe
