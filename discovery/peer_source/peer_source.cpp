#include "discovery/peer_source/peer_source.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

/// The part of the peering actor that hears of addresses.
using candidate_listener = caf::typed_actor<caf::reacts_to<peer_candidates>>;

constexpr std::chrono::milliseconds repeat_interval{1000};

struct source_state {
  static inline const char* name = "peer_source";
  std::vector<endpoint> last;
  std::string problem;
};

using source_pointer = peer_source_actor::stateful_pointer<source_state>;

void tell(source_pointer self, const directory& names,
          const std::string& source) {
  if (auto peering = names.local<candidate_listener>("peering"))
    self->send(peering, peer_candidates{source, self->state.last});
}

actor_status report(source_pointer self, const std::string& source) {
  actor_status result{source, {}};
  for (auto& where : self->state.last)
    result.details[to_string(where)] = "known";
  if (!self->state.problem.empty())
    result.details["problem"] = self->state.problem;
  return result;
}

/// All addresses of a name. Errors: unavailable, with the resolver's words.
caf::expected<std::vector<endpoint>> resolve(const dns_peers_config& config) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto failure = ::getaddrinfo(config.name.c_str(), nullptr, &hints, &found);
  if (failure != 0)
    return make_error(errc::unavailable,
                      config.name + ": " + ::gai_strerror(failure));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found,
                                                             ::freeaddrinfo};
  std::vector<endpoint> result;
  for (auto* i = found; i != nullptr; i = i->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST)
        == 0)
      result.push_back({text, config.port});
  }
  return result;
}

peer_source_actor::behavior_type static_peers(source_pointer self,
                                              static_peers_config config,
                                              directory_ptr names) {
  self->state.last = std::move(config.nodes);
  self->send(self, tick{});
  return {
    // Repeated, because the peering actor may have been restarted.
    [self, names](const tick&) {
      tell(self, *names, "static");
      self->delayed_send(self, repeat_interval, tick{});
    },
    [self](const get_status&) { return report(self, "static_peers"); },
  };
}

peer_source_actor::behavior_type
dns_peers(source_pointer self, dns_peers_config config, directory_ptr names) {
  self->send(self, tick{});
  return {
    [self, config, names](const tick&) {
      auto& state = self->state;
      auto found = resolve(config);
      if (found) {
        state.last = std::move(*found);
        state.problem.clear();
        tell(self, *names, "dns");
      } else if (auto text = describe(found.error()).detail;
                 text != state.problem) {
        spdlog::warn("dns_peers: {}", text);
        state.problem = std::move(text);
      }
      auto pause = state.problem.empty() ? config.interval : repeat_interval;
      self->delayed_send(self, pause, tick{});
    },
    [self](const get_status&) { return report(self, "dns_peers"); },
  };
}

} // namespace

peer_source_actor spawn_static_peers(caf::actor_system& system,
                                     static_peers_config config,
                                     directory_ptr names) {
  return system.spawn(static_peers, std::move(config), std::move(names));
}

peer_source_actor spawn_dns_peers(caf::actor_system& system,
                                  dns_peers_config config,
                                  directory_ptr names) {
  return system.spawn<caf::detached>(dns_peers, std::move(config),
                                     std::move(names));
}

} // namespace troupe
