#pragma once

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

// Blocking TCP peers for tests: each byte that is sent is in the test's text.

namespace troupe::test {

/// One side of a connection. What takes over 5 s gives what came until then.
class peer {
public:
  /// `stopped` ends a wait early.
  explicit peer(int handle, const std::atomic<bool>* stopped = nullptr)
    : handle_(handle), stopped_(stopped) {
    int on = 1;
    ::setsockopt(handle_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }

  /// Connects to a port of 127.0.0.1. `receive_buffer` 0: the kernel's choice.
  static peer to(std::uint16_t port, int receive_buffer = 0) {
    auto handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0)
      ::setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                   sizeof(receive_buffer));
    auto where = loopback(port);
    // Whoever is refused reads the end at once.
    (void)::connect(handle, reinterpret_cast<sockaddr*>(&where), sizeof(where));
    return peer{handle};
  }

  peer(peer&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)), stopped_(other.stopped_),
      unread_(std::move(other.unread_)) {}

  ~peer() { close(); }

  void close() {
    if (handle_ >= 0)
      ::close(std::exchange(handle_, -1));
  }

  void end() { ::shutdown(handle_, SHUT_WR); }

  void reset() {
    linger now{1, 0};
    ::setsockopt(handle_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }

  bool send(std::string_view text) {
    while (!text.empty()) {
      auto count = ::send(handle_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0)
        return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// Up to and with `mark`.
  std::string read_until(std::string_view mark) {
    std::size_t at;
    while ((at = unread_.find(mark)) == std::string::npos)
      if (!receive())
        return std::exchange(unread_, {});
    return take(at + mark.size());
  }

  /// A header with its empty line.
  std::string read_head() { return read_until("\r\n\r\n"); }

  std::string read(std::size_t count) {
    while (unread_.size() < count && receive())
      ;
    return take(std::min(count, unread_.size()));
  }

  /// Until the other side closes.
  std::string read_all() {
    while (receive())
      ;
    return std::exchange(unread_, {});
  }

  /// Whether the other side closed within 5 s, without more bytes.
  bool at_end() { return unread_.empty() && read_all().empty() && ended_; }

  /// Whether nothing comes for `span`.
  bool silent_for(std::chrono::milliseconds span) {
    pollfd entry{handle_, POLLIN, 0};
    return unread_.empty()
           && ::poll(&entry, 1, static_cast<int>(span.count())) == 0;
  }

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return where;
  }

private:
  bool wait_readable() const {
    pollfd entry{handle_, POLLIN, 0};
    for (int slice = 0; slice < 500; ++slice) {
      if (::poll(&entry, 1, 10) != 0)
        return true;
      if (stopped_ != nullptr && *stopped_)
        return false;
    }
    return false;
  }

  bool receive() {
    if (!wait_readable())
      return false;
    char buffer[16384];
    auto count = ::recv(handle_, buffer, sizeof(buffer), 0);
    ended_ = count == 0 || (count < 0 && errno == ECONNRESET);
    if (count <= 0)
      return false;
    unread_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  std::string take(std::size_t count) {
    auto result = unread_.substr(0, count);
    unread_.erase(0, count);
    return result;
  }

  int handle_;
  const std::atomic<bool>* stopped_;
  std::string unread_;
  bool ended_ = false;
};

/// A server that runs a script on each connection, each on its own thread.
class scripted_server {
public:
  /// `index` counts the connections from 0.
  using script = std::function<void(peer& client, int index)>;

  explicit scripted_server(script what) : script_(std::move(what)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto where = peer::loopback(0);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&where), sizeof(where))
        != 0)
      throw std::runtime_error("no port for a scripted server");
    ::listen(listener_, 64);
    socklen_t size = sizeof(where);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
    port_ = ntohs(where.sin_port);
    acceptor_ = std::thread{[this] { accept(); }};
  }

  /// Answers every request with 200 and `body`.
  static script answering(std::string body) {
    return [body](peer& client, int) {
      while (!client.read_head().empty())
        client.send("HTTP/1.1 200 OK\r\nContent-Length: "
                    + std::to_string(body.size()) + "\r\n\r\n" + body);
    };
  }

  ~scripted_server() {
    stopped_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& one : connections_)
      one.join();
  }

  std::uint16_t port() const { return port_; }

  int accepted() const { return accepted_; }

private:
  void accept() {
    for (;;) {
      auto handle = ::accept(listener_, nullptr, nullptr);
      if (handle < 0)
        return;
      connections_.emplace_back([this, handle, index = accepted_++] {
        peer client{handle, &stopped_};
        script_(client, index);
      });
    }
  }

  script script_;
  std::atomic<bool> stopped_{false};
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::thread acceptor_;
  std::vector<std::thread> connections_;
};

} // namespace troupe::test
