#define CAF_SUITE listening_port

#include "http/server/listening_port.hpp"

#include <cerrno>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read.hpp>

#include <caf/test/dsl.hpp>

#include "messages/error.hpp"
#include "tests/support/open_port.hpp"
#include "tests/unit/http_raw_client.hpp"

using namespace troupe;

namespace {

/// What another process would have: the same sockets by other numbers.
std::vector<int> handed_over(const listening_port& port, std::size_t count) {
  std::vector<int> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(port.duplicate(i));
  return result;
}

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) != -1;
}

} // namespace

CAF_TEST(clients are refused until it listens) {
  auto port = listening_port::bind({"127.0.0.1", 0}, 2);
  CAF_REQUIRE(port);
  CAF_CHECK(!raw_client{port->local().port}.connected());
  CAF_CHECK(!port->listen());
  CAF_CHECK(raw_client{port->local().port}.connected());
}

CAF_TEST(newcomers are ignored and who got through is accepted) {
  auto port = open_port();
  raw_client early{port.local().port};
  CAF_REQUIRE(early.connected());
  port.ignore_newcomers();
  auto late = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port.local().port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CAF_CHECK_EQUAL(
    ::connect(late, reinterpret_cast<sockaddr*>(&where), sizeof(where)), -1);
  CAF_CHECK_EQUAL(errno, EINPROGRESS);
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor{context};
  CAF_REQUIRE(!port.give_to(acceptor, 0));
  boost::system::error_code failure;
  boost::asio::ip::tcp::socket accepted{context};
  acceptor.accept(accepted, failure);
  CAF_CHECK(!failure);
  boost::asio::ip::tcp::socket none{context};
  acceptor.accept(none, failure);
  CAF_CHECK(failure == boost::asio::error::would_block);
  // What was accepted still gets through.
  early.send("x");
  char received = 0;
  boost::asio::read(accepted, boost::asio::buffer(&received, 1), failure);
  CAF_CHECK_EQUAL(received, 'x');
  ::close(late);
}

CAF_TEST(a port that another one has is refused) {
  auto port = open_port();
  auto second = listening_port::bind(port.local(), 1);
  CAF_REQUIRE(!second);
  CAF_CHECK_EQUAL(describe(second.error()).detail,
                  "can't listen on " + to_string(port.local())
                    + ": Address already in use");
}

CAF_TEST(only IP addresses can be bound) {
  auto port = listening_port::bind({"some-host", 80}, 1);
  CAF_REQUIRE(!port);
  CAF_CHECK_EQUAL(describe(port.error()).detail,
                  "can't listen on some-host:80: the host must be an IP "
                  "address");
}

CAF_TEST(sockets that were handed over keep the clients that wait) {
  auto first = std::make_unique<listening_port>(open_port(2));
  auto where = first->local();
  auto descriptors = handed_over(*first, 2);
  raw_client waiting{where.port};
  first.reset();
  auto second = listening_port::adopt(where, descriptors, 2);
  CAF_REQUIRE(second);
  CAF_CHECK_EQUAL(second->descriptors(), descriptors);
  CAF_CHECK(!second->listen());
  // Which of the two has it is the kernel's choice.
  auto accepted = 0;
  for (auto descriptor : descriptors)
    if (::accept(descriptor, nullptr, nullptr) >= 0)
      ++accepted;
  CAF_CHECK_EQUAL(accepted, 1);
}

CAF_TEST(what is missing of the sockets is made) {
  auto first = open_port(1);
  auto second = listening_port::adopt(first.local(), handed_over(first, 1), 3);
  CAF_REQUIRE(second);
  CAF_CHECK_EQUAL(second->descriptors().size(), 3u);
  CAF_CHECK(!second->listen());
}

CAF_TEST(a socket that nobody would accept from is closed) {
  auto first = std::make_unique<listening_port>(open_port(3));
  auto where = first->local();
  auto descriptors = handed_over(*first, 3);
  first.reset();
  auto second = listening_port::adopt(where, descriptors, 2);
  CAF_REQUIRE(second);
  CAF_CHECK_EQUAL(second->descriptors().size(), 2u);
  CAF_CHECK(!is_open(descriptors[2]));
}

CAF_TEST(what is no listening socket of that address is closed) {
  auto port = open_port();
  auto where = port.local();
  int pipes[2];
  CAF_REQUIRE_EQUAL(::pipe(pipes), 0);
  auto other = open_port();
  auto silent = ::socket(AF_INET, SOCK_STREAM, 0);
  for (auto wrong : {pipes[0], other.duplicate(0), silent}) {
    auto good = port.duplicate(0);
    auto adopted = listening_port::adopt(where, {good, wrong}, 1);
    CAF_REQUIRE(!adopted);
    CAF_CHECK_EQUAL(describe(adopted.error()).detail,
                    "the sockets that were handed over do not listen on "
                      + to_string(where));
    CAF_CHECK(!is_open(good));
    CAF_CHECK(!is_open(wrong));
  }
  CAF_CHECK(!listening_port::adopt(where, {}, 1));
  ::close(pipes[1]);
}
