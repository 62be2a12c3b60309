#define CAF_SUITE gate

#include "discovery/transport/gate.hpp"

#include <csignal>
#include <future>
#include <sstream>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <caf/test/unit_test.hpp>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "discovery/transport/dialer.hpp"
#include "messages/error.hpp"
#include "tests/support/certificate_folder.hpp"
#include "tests/support/free_port.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using tcp = boost::asio::ip::tcp;

struct fixture : certificate_folder {
  issued_pair by = authority();
  endpoint where{"127.0.0.1", free_port()};

  fixture() { std::signal(SIGPIPE, SIG_IGN); }

  static gate_config quick() {
    gate_config result;
    result.half_open.deadline = 300ms;
    result.dial_deadline = 300ms;
    return result;
  }

  std::unique_ptr<gate> plain() {
    return std::make_unique<gate>(quick(), nullptr);
  }

  std::unique_ptr<gate> with(const std::string& name,
                             const std::string& authority = "ca") {
    auto own = credential_source::open(files(name, authority), "troupe");
    CAF_REQUIRE(own);
    return std::make_unique<gate>(quick(), std::move(*own));
  }

  /// Dials from one gate to `where`.
  handshake::outcome dial(gate& from) {
    auto result = std::make_shared<std::promise<handshake::outcome>>();
    auto outcome = result->get_future();
    from.dial(where, [result](handshake::outcome what) {
      result->set_value(std::move(what));
    });
    CAF_REQUIRE(outcome.wait_for(5s) == std::future_status::ready);
    return outcome.get();
  }

  std::string complaint(gate& from) {
    auto what = dial(from);
    auto problem = std::get_if<caf::error>(&what);
    return problem ? describe(*problem).detail : "none";
  }
};

/// Keeps those who were let in, without their gate's loop, and says a word so
/// that clients know.
struct hall {
  struct entrant {
    std::unique_ptr<tls_session> tls;
    int socket;
  };

  std::atomic<int> entrants = 0;
  std::string name;
  std::vector<entrant> kept;

  ~hall() {
    for (auto& who : kept)
      ::close(who.socket);
  }

  void enter(established who) {
    auto& added =
      kept.emplace_back(entrant{std::move(who.tls), who.socket.release()});
    ++entrants;
    entrants.notify_all();
    if (!added.tls)
      return;
    name = added.tls->peer_name();
    std::size_t written = 0;
    added.tls->write(std::string_view{"welcome"}, written);
  }

  /// Blocks until somebody was let in.
  void await_entrant() { entrants.wait(0); }

  gate::entry_handler handler() {
    return [this](established who) { enter(std::move(who)); };
  }
};

/// What is logged meanwhile.
class log_capture {
public:
  log_capture() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_, true);
    spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("capture", std::move(sink)));
  }

  ~log_capture() { spdlog::set_default_logger(before_); }

  std::string text() const {
    spdlog::default_logger()->flush();
    return stream_.str();
  }

  int largest_number_before(const std::string& words) const {
    auto all = text();
    auto result = 0;
    for (auto end = all.find(words); end != all.npos;
         end = all.find(words, end + 1)) {
      auto begin = all.find_last_not_of("0123456789", end - 1) + 1;
      result = std::max(result, std::stoi(all.substr(begin, end - begin)));
    }
    return result;
  }

private:
  std::ostringstream stream_;
  std::shared_ptr<spdlog::logger> before_;
};

/// This process's socket that listens on `port`; -1: none.
int listening_socket(std::uint16_t port) {
  for (int fd = 3; fd < 1024; ++fd) {
    int listens = 0;
    socklen_t size = sizeof(listens);
    sockaddr_in address{};
    socklen_t length = sizeof(address);
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0
        && listens != 0
        && ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length)
             == 0
        && ntohs(address.sin_port) == port)
      return fd;
  }
  return -1;
}

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != text.npos)
    return true;
  CAF_MESSAGE("not in: " << text);
  return false;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(gate_tests, fixture)

CAF_TEST(two nodes of a cluster meet) {
  node("node-1", by);
  node("node-2", by);
  hall inside;
  auto server = with("node-1");
  CAF_REQUIRE(!server->listen(where, inside.handler()));
  auto client = with("node-2");
  auto what = dial(*client);
  CAF_REQUIRE(std::holds_alternative<established>(what));
  auto& session = std::get<established>(what);
  CAF_CHECK_EQUAL(session.tls->peer_name(), "node-1");
  CAF_CHECK_EQUAL(inside.name, "node-2");
  // The server's word waits inside the session.
  CAF_CHECK_EQUAL(session.tls->unread(), 7u);
  std::array<char, 16> buffer;
  std::size_t size = 0;
  session.tls->read(buffer, size);
  CAF_CHECK_EQUAL(std::string(buffer.data(), size), "welcome");
}

CAF_TEST(two nodes without certificates meet) {
  hall inside;
  auto server = plain();
  CAF_REQUIRE(!server->listen(where, inside.handler()));
  auto client = plain();
  CAF_CHECK(std::holds_alternative<established>(dial(*client)));
  inside.await_entrant();
  CAF_CHECK_EQUAL(inside.entrants, 1);
}

CAF_TEST(a node without certificates and one with some refuse each other) {
  node("node-1", by);
  hall inside;
  auto server = with("node-1");
  CAF_REQUIRE(!server->listen(where, inside.handler()));
  auto other = plain();
  CAF_CHECK(contains(complaint(*other),
                     "is a node with certificates, but this one has none"));
  server.reset();
  auto plain_server = plain();
  CAF_REQUIRE(!plain_server->listen(where, inside.handler()));
  auto client = with("node-1");
  CAF_CHECK(contains(complaint(*client),
                     "is a node without certificates, but this one has some"));
  CAF_CHECK_EQUAL(inside.entrants, 0);
}

CAF_TEST(the dialling side hears why it is refused) {
  auto other = authority("other");
  node("node-1", by);
  node("node-2", other);
  write("both.pem", by.certificate + other.certificate);
  hall inside;
  auto server = with("node-1");
  CAF_REQUIRE(!server->listen(where, inside.handler()));
  // It knows the server's authority, but the server does not know its own.
  auto client = with("node-2", "both");
  CAF_CHECK_EQUAL(complaint(*client), "refuses us: our certificate is not "
                                      "signed by an authority that it knows");
  auto stranger = with("node-2", "other");
  CAF_CHECK(
    contains(complaint(*stranger), "is not signed by the cluster's authority"));
  CAF_CHECK_EQUAL(inside.entrants, 0);
}

CAF_TEST(a dial has a deadline and tells a refusal) {
  auto client = plain();
  auto refused = dial(*client);
  CAF_REQUIRE(std::holds_alternative<caf::error>(refused));
  CAF_CHECK(is_refused_connection(std::get<caf::error>(refused)));
  // A port that accepts and says nothing.
  boost::asio::io_context context;
  tcp::acceptor silent{context,
                       {boost::asio::ip::address_v4::loopback(), where.port}};
  auto late = dial(*client);
  CAF_REQUIRE(std::holds_alternative<caf::error>(late));
  CAF_CHECK(describe(std::get<caf::error>(late)).code == errc::timed_out);
}

CAF_TEST(whoever says nothing is gone after the deadline) {
  node("node-1", by);
  hall inside;
  auto server = with("node-1");
  CAF_REQUIRE(!server->listen(where, inside.handler()));
  boost::asio::io_context context;
  tcp::socket silent{context};
  silent.connect({boost::asio::ip::address_v4::loopback(), where.port});
  auto begin = std::chrono::steady_clock::now();
  char byte;
  boost::system::error_code end;
  boost::asio::read(silent, boost::asio::buffer(&byte, 1), end);
  CAF_CHECK(end == boost::asio::error::eof);
  auto took = std::chrono::steady_clock::now() - begin;
  CAF_CHECK(took > 200ms);
  CAF_CHECK(took < 3s);
}

CAF_TEST(a taken port is named) {
  hall inside;
  auto first = plain();
  CAF_REQUIRE(!first->listen(where, inside.handler()));
  auto second = plain();
  auto problem = second->listen(where, inside.handler());
  CAF_REQUIRE(problem);
  CAF_CHECK_EQUAL(describe(problem).detail, "can't listen on cluster port "
                                              + to_string(where)
                                              + ": Address already in use");
}

CAF_TEST(a listener that can not accept tries again in peace) {
  log_capture lines;
  auto config = quick();
  config.log.window = 100ms;
  gate broken{config, nullptr};
  hall people;
  CAF_REQUIRE(!broken.listen(where, people.handler()));
  // From here on accept() fails at once, each time, as it does where the whole
  // system is out of descriptors.
  auto socket = listening_socket(where.port);
  CAF_REQUIRE(socket >= 0);
  ::shutdown(socket, SHUT_RDWR);
  std::this_thread::sleep_for(1500ms);
  auto text = lines.text();
  CAF_CHECK(contains(text, "refused everybody: can't accept: "));
  CAF_CHECK(contains(text, " more times in 1 s: can't accept: "));
  CAF_CHECK_LESS(lines.largest_number_before(" more times"), 20);
}

CAF_TEST_FIXTURE_SCOPE_END()
