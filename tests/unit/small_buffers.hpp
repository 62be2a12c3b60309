#pragma once

#include <cstdint>

#include <netinet/in.h>
#include <sys/socket.h>

namespace troupe::test {

/// Gives the kernel's smallest send buffer to all connections that this
/// process' listeners on `port` accept from now on: a client that does not read
/// blocks writes after a few KB.
inline void shrink_send_buffers(std::uint16_t port) {
  for (int handle = 0; handle < 1024; ++handle) {
    sockaddr_in where{};
    socklen_t size = sizeof(where);
    int listens = 0;
    socklen_t flag_size = sizeof(listens);
    if (::getsockname(handle, reinterpret_cast<sockaddr*>(&where), &size) != 0
        || ::getsockopt(handle, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_size)
             != 0
        || listens == 0 || ntohs(where.sin_port) != port)
      continue;
    int smallest = 1;
    ::setsockopt(handle, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest));
  }
}

} // namespace troupe::test
