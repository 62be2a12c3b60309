#include "discovery/peer_source/dns_client.hpp"

#include <algorithm>
#include <array>

#include <ares.h>
#include <netdb.h>
#include <poll.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// RFC 1035 §3.2.4 and RFC 2782.
constexpr int class_internet = 1;
constexpr int type_srv = 33;

caf::error failure(int status) {
  auto words = status == ARES_ECANCELLED ? "the name server did not answer"
                                         : ares_strerror(status);
  return make_error(errc::unavailable, words);
}

// c-ares calls these from within `ares_process_fd` and `ares_cancel`, once per
// query.

void take_answer(void* to, int status, int, unsigned char* bytes, int size) {
  auto& result = *static_cast<dns_client::answer*>(to);
  if (status == ARES_SUCCESS)
    result = std::vector<std::uint8_t>(bytes, bytes + size);
  else
    result = failure(status);
}

void take_addresses(void* to, int status, int, ares_addrinfo* found) {
  auto& result = *static_cast<dns_client::addresses*>(to);
  std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owner{
    found, ares_freeaddrinfo};
  if (status != ARES_SUCCESS) {
    result = failure(status);
    return;
  }
  std::vector<std::string> texts;
  for (auto* i = found->nodes; i != nullptr; i = i->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST)
          == 0
        && std::find(texts.begin(), texts.end(), text) == texts.end())
      texts.emplace_back(text);
  }
  result = std::move(texts);
}

/// Waits for traffic or c-ares' own timeouts, at most for `limit`.
void process(ares_channel channel, milliseconds limit) {
  // Not ares_fds: select can't take descriptors above 1023.
  std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
  auto wanted = ares_getsock(channel, sockets.data(), sockets.size());
  std::array<pollfd, ARES_GETSOCK_MAXNUM> polled{};
  nfds_t count = 0;
  for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    short events = 0;
    if (ARES_GETSOCK_READABLE(wanted, i))
      events |= POLLIN;
    if (ARES_GETSOCK_WRITABLE(static_cast<unsigned>(wanted), i))
      events |= POLLOUT;
    if (events != 0)
      polled[count++] = {sockets[i], events, 0};
  }
  timeval most{limit.count() / 1000, limit.count() % 1000 * 1000};
  timeval wait{};
  ares_timeout(channel, &most, &wait);
  auto wait_ms = static_cast<int>(wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1);
  ::poll(polled.data(), count, wait_ms);
  for (nfds_t i = 0; i < count; ++i) {
    auto& x = polled[i];
    auto failed = (x.revents & (POLLERR | POLLHUP)) != 0;
    auto readable = failed || (x.revents & POLLIN) != 0;
    auto writable = (x.revents & POLLOUT) != 0;
    ares_process_fd(channel, readable ? x.fd : ARES_SOCKET_BAD,
                    writable ? x.fd : ARES_SOCKET_BAD);
  }
  ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

} // namespace

void dns_client::close::operator()(ares_channeldata* channel) const {
  ares_destroy(channel);
}

caf::expected<dns_client> dns_client::open(const config& settings) {
  static const auto library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS)
    return failure(library);
  ares_options options{};
  // What is asked for is a full name.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = static_cast<int>(settings.timeout.count());
  options.tries = 2;
  ares_channel opened = nullptr;
  auto status = ares_init_options(
    &opened, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  channel owner{opened};
  if (status == ARES_SUCCESS && !settings.servers.empty())
    status = ares_set_servers_ports_csv(opened, settings.servers.c_str());
  if (status != ARES_SUCCESS)
    return failure(status);
  return dns_client{std::move(owner), settings};
}

dns_client::answer dns_client::srv_records(const std::string& name) {
  answer result{failure(ARES_ECANCELLED)};
  ares_query(channel_.get(), name.c_str(), class_internet, type_srv,
             take_answer, &result);
  finish();
  return result;
}

std::vector<dns_client::addresses>
dns_client::addresses_of(const std::vector<std::string>& hosts) {
  std::vector<addresses> result(hosts.size(),
                                addresses{failure(ARES_ECANCELLED)});
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  for (std::size_t i = 0; i < hosts.size(); ++i)
    ares_getaddrinfo(channel_.get(), hosts[i].c_str(), nullptr, &hints,
                     take_addresses, &result[i]);
  finish();
  return result;
}

void dns_client::finish() {
  timeval next{};
  while (ares_timeout(channel_.get(), nullptr, &next) != nullptr) {
    auto left = std::chrono::duration_cast<milliseconds>(
      until_ - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      break;
    process(channel_.get(), left);
  }
  ares_cancel(channel_.get());
}

} // namespace troupe
