#include "discovery/peer_source/host_addresses.hpp"

#include <algorithm>
#include <memory>

#include <netdb.h>
#include <sys/socket.h>

#include "messages/error.hpp"

namespace troupe {

caf::expected<std::vector<std::string>>
host_addresses(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failure != 0)
    return make_error(errc::unavailable, host + ": " + ::gai_strerror(failure));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found,
                                                             ::freeaddrinfo};
  std::vector<std::string> result;
  for (auto* i = found; i != nullptr; i = i->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST)
          == 0
        && std::find(result.begin(), result.end(), text) == result.end())
      result.emplace_back(text);
  }
  return result;
}

} // namespace troupe
