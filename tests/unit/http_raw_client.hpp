#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe {

/// A client that sends exactly what a test says, and reads answers one by one.
/// Reads give up after five seconds, so a hung server fails its test.
class raw_client {
public:
  struct answer {
    int status = 0;
    std::string head;
    std::string body;

    bool has(std::string_view text) const {
      return head.find(text) != std::string::npos;
    }
  };

  explicit raw_client(std::uint16_t port, int receive_buffer = 0)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    timeval limit{5, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (receive_buffer > 0)
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                 sizeof(receive_buffer));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
      ::connect(socket_, reinterpret_cast<sockaddr*>(&where), sizeof(where))
      == 0;
  }

  ~raw_client() { ::close(socket_); }

  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  bool connected() const { return connected_; }

  /// False when the peer is gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Reads one answer; `status` stays 0 when there is none.
  /// @param bodiless it answers HEAD, or is a 1xx.
  answer read(bool bodiless = false) {
    auto result = read_head();
    auto length = result.head.find("Content-Length: ");
    if (bodiless || length == std::string::npos)
      return result;
    auto size = std::stoul(result.head.substr(length + 16));
    while (input_.size() < size)
      if (!receive())
        return {};
    result.body = input_.substr(0, size);
    input_.erase(0, size);
    return result;
  }

  /// Reads an answer's head and leaves the body where it is.
  answer read_head() {
    answer result;
    std::size_t end;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos)
      if (!receive())
        return result;
    result.head = input_.substr(0, end + 4);
    input_.erase(0, end + 4);
    result.status = std::stoi(result.head.substr(9, 3));
    return result;
  }

  /// Takes up to `bytes` of what came and forgets them.
  void read_some(std::size_t bytes) {
    std::string buffer(bytes, 0);
    ::recv(socket_, buffer.data(), bytes, MSG_DONTWAIT);
  }

  answer ask(std::string_view text) {
    send(text);
    return read();
  }

  /// Whether the peer closed and sent nothing more.
  bool at_end() { return input_.empty() && !receive() && ended_; }

private:
  bool receive() {
    char buffer[16384];
    auto count = ::recv(socket_, buffer, sizeof(buffer), 0);
    ended_ = count == 0 || (count < 0 && errno == ECONNRESET);
    if (count <= 0)
      return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool connected_ = false;
  bool ended_ = false;
  std::string input_;
};

} // namespace troupe
