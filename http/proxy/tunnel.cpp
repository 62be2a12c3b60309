// The part of `session` after a switch of protocols: bytes go both ways until
// both sides ended (RFC 9110 §7.8).

#include "http/proxy/session.hpp"

namespace troupe::proxying {

void session::begin_tunnel() {
  if (context_.draining) {
    answer({503, proxy_cause::shutting_down}, "this node is shutting down");
    return;
  }
  phase_ = phase::tunnel;
  set_deadline(context_.config.tunnel_idle_timeout);
  to_upstream_.clear();
  if (!flush_response() && phase_ == phase::closed)
    return;
  pump(*client_);
  if (phase_ == phase::tunnel)
    pump(*upstream_);
}

void session::pump(stream& from) {
  auto to_client = &from == upstream_.get();
  auto& to = to_client ? *client_ : *upstream_;
  auto& writing = to_client ? writing_client_ : writing_upstream_;
  if (writing)
    return;
  if (auto bytes = from.inbound(); !bytes.empty()) {
    auto result = to.write(bytes);
    from.consume(bytes.size());
    set_deadline(context_.config.tunnel_idle_timeout);
    if (result == stream::write_result::failed) {
      close();
      return;
    }
    writing = result == stream::write_result::pending;
  }
  if (!(to_client ? upstream_ended_ : client_ended_)) {
    from.read();
    return;
  }
  if (!writing)
    to.shutdown_send();
  if (client_ended_ && upstream_ended_ && !writing_client_
      && !writing_upstream_)
    close();
}

void session::on_tunnel_ended(stream& from, error_code why) {
  if (why != boost::asio::error::eof) {
    close();
    return;
  }
  (&from == client_.get() ? client_ended_ : upstream_ended_) = true;
  pump(from);
}

} // namespace troupe::proxying
