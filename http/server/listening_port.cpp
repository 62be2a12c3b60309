#include "http/server/listening_port.hpp"

#include <cerrno>
#include <cstring>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <spdlog/spdlog.h>

#include "messages/error.hpp"

namespace troupe {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

using reuse_port =
  boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using is_listening =
  boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_ACCEPTCONN>;

/// The kernel's own limit (net.core.somaxconn) is the smaller one.
constexpr int backlog = 4096;

/// Whether nobody listens there. SO_REUSEPORT would share the port of another
/// process of the same user without a word.
error_code check_free(const tcp::endpoint& where) {
  boost::asio::io_context context;
  tcp::acceptor probe{context};
  error_code failure;
  probe.open(where.protocol(), failure);
  if (!failure)
    probe.set_option(tcp::acceptor::reuse_address{true}, failure);
  if (!failure)
    probe.bind(where, failure);
  return failure;
}

caf::expected<tcp::endpoint> resolve(const endpoint& where) {
  error_code failure;
  auto address = boost::asio::ip::make_address(where.host, failure);
  if (failure)
    return make_error(errc::unavailable, "can't listen on " + to_string(where)
                                           + ": the host must be an IP "
                                             "address");
  return tcp::endpoint{address, where.port};
}

} // namespace

listening_port::listening_port(const endpoint& where)
  : where_(where), context_(std::make_unique<boost::asio::io_context>()) {
}

caf::error listening_port::refuse(const error_code& why) const {
  return make_error(errc::unavailable, "can't listen on " + to_string(where_)
                                         + ": " + why.message());
}

error_code listening_port::add(const tcp::endpoint& where) {
  error_code failure;
  tcp::acceptor socket{*context_};
  socket.open(where.protocol(), failure);
  if (!failure)
    socket.set_option(tcp::acceptor::reuse_address{true}, failure);
  if (!failure)
    socket.set_option(reuse_port{true}, failure);
  if (!failure)
    socket.bind(where, failure);
  if (!failure)
    sockets_.push_back(std::move(socket));
  return failure;
}

caf::expected<listening_port> listening_port::bind(const endpoint& where,
                                                   std::size_t count) {
  auto target = resolve(where);
  if (!target)
    return target.error();
  listening_port result{where};
  auto failure = check_free(*target);
  while (!failure && result.sockets_.size() < count) {
    failure = result.add(*target);
    if (!failure)
      target->port(result.local().port);
  }
  if (failure)
    return result.refuse(failure);
  return caf::expected<listening_port>{std::move(result)};
}

caf::expected<listening_port>
listening_port::adopt(const endpoint& where,
                      const std::vector<int>& descriptors, std::size_t count) {
  listening_port result{where};
  auto target = resolve(where);
  auto usable = static_cast<bool>(target) && !descriptors.empty();
  for (auto descriptor : descriptors) {
    error_code failure;
    is_listening listens;
    tcp::acceptor socket{*result.context_};
    socket.assign(target ? target->protocol() : tcp::v4(), descriptor, failure);
    if (!failure)
      socket.get_option(listens, failure);
    auto local = failure ? tcp::endpoint{} : socket.local_endpoint(failure);
    usable = usable && !failure && listens.value() && local == *target;
    result.sockets_.push_back(std::move(socket));
  }
  if (!usable)
    return make_error(errc::unavailable,
                      "the sockets that were handed over do not listen on "
                        + to_string(where));
  if (result.sockets_.size() > count)
    result.sockets_.erase(result.sockets_.begin()
                            + static_cast<std::ptrdiff_t>(count),
                          result.sockets_.end());
  while (result.sockets_.size() < count && !result.add(*target)) {
    // One more.
  }
  return caf::expected<listening_port>{std::move(result)};
}

caf::error listening_port::listen() {
  for (auto& socket : sockets_) {
    error_code failure;
    socket.listen(backlog, failure);
    if (!failure)
      socket.non_blocking(true, failure);
    if (failure)
      return refuse(failure);
  }
  return caf::none;
}

void listening_port::ignore_newcomers() {
  constexpr auto flags_offset = 13; // of a TCP header, RFC 9293, 3.1
  sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_offset),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TH_SYN, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0),
    BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  };
  const sock_fprog filter{std::size(program), program};
  for (auto& socket : sockets_)
    if (::setsockopt(socket.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER,
                     &filter, sizeof(filter))
        != 0)
      spdlog::warn("{}: can't keep new clients off, some may be reset: {}",
                   to_string(where_), std::strerror(errno));
}

int listening_port::duplicate(std::size_t i) const {
  auto& socket = sockets_[i % sockets_.size()];
  return ::fcntl(const_cast<tcp::acceptor&>(socket).native_handle(),
                 F_DUPFD_CLOEXEC, 0);
}

tcp listening_port::protocol() const {
  error_code ignored;
  return sockets_.front().local_endpoint(ignored).protocol();
}

endpoint listening_port::local() const {
  error_code ignored;
  return {where_.host, sockets_.front().local_endpoint(ignored).port()};
}

std::vector<int> listening_port::descriptors() {
  std::vector<int> result;
  for (auto& socket : sockets_)
    result.push_back(socket.native_handle());
  return result;
}

} // namespace troupe
