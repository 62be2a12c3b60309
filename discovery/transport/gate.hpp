#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "discovery/transport/half_open.hpp"
#include "discovery/transport/handshake.hpp"
#include "discovery/transport/name_lookup.hpp"
#include "discovery/transport/refusal_log.hpp"
#include "messages/cluster_state.hpp"

namespace troupe {

struct gate_config {
  half_open_limits half_open;
  refusal_log::limits log;
  /// From the start of a dial to the end of its handshake.
  std::chrono::milliseconds dial_deadline{2000};
};

/// Where connections between nodes begin, in both directions: a thread of its
/// own that accepts, dials and shakes hands, so that strangers are kept from
/// CAF, from its threads and from the io threads. Who does not prove to be a
/// node in time gets nothing but a line in the log.
class gate {
public:
  /// Called on the gate's thread.
  using entry_handler = std::function<void(established)>;

  /// @param own null: nodes without certificates.
  gate(gate_config config, std::unique_ptr<credential_source> own);

  /// Stops and joins. What is under way ends without being heard of.
  ~gate();

  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  /// Lets nodes in there. Thread-safe; call it once. Errors: unavailable (the
  /// port can't be bound), naming address and port.
  caf::error listen(const endpoint& where, entry_handler on_entry);

  /// Closes the port. Thread-safe.
  void close_listener();

  /// Connects to another node. Thread-safe; `done` is called on the gate's
  /// thread, with the errors of `dialer_actor`.
  void dial(endpoint where, handshake::handler done);

private:
  using tcp = boost::asio::ip::tcp;

  void accept_next();
  void accept_later();
  void receive(tcp::socket newcomer);
  void entrant_finished(half_open_table::id which, const std::string& address,
                        handshake::outcome what);
  void drop(half_open_table::id which, caf::error why);
  void note_refusal(const std::string& address, const std::string& reason);
  void arm_timer();
  void tick();

  gate_config config_;
  std::unique_ptr<credential_source> own_;
  entry_handler on_entry_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    work_;
  name_lookup names_{context_};
  std::optional<tcp::acceptor> acceptor_;
  boost::asio::steady_timer accept_timer_;
  half_open_table half_open_;
  std::map<half_open_table::id, std::shared_ptr<handshake>> entrants_;
  refusal_log refusals_;
  boost::asio::steady_timer timer_;
  /// When the timer will tick; nothing: it is not armed.
  std::optional<std::chrono::steady_clock::time_point> next_tick_;
  std::thread thread_;
};

} // namespace troupe
