#include "discovery/transport/cluster_transport.hpp"

#include <map>

#include <caf/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

#include "discovery/transport/session_scribe.hpp"
#include "messages/error.hpp"
#include "messages/strays.hpp"

namespace troupe {

namespace {

using caf::io::scribe_ptr;
using dial_id = std::uint64_t;
using signatures = std::set<std::string>;

/// Under this port CAF's broker keeps what is published. There is one, whatever
/// the number that the gate listens on.
constexpr std::uint16_t only_port = 1;

/// What the gate tells, beside what others ask.
using handover_actor = caf::typed_actor<
  /// A node came in.
  caf::reacts_to<scribe_ptr>,
  /// A dial has ended, well or not.
  caf::reacts_to<dial_id, scribe_ptr>, caf::reacts_to<dial_id, caf::error>,
  /// What nodes that come in find.
  caf::reacts_to<caf::publish_atom, caf::strong_actor_ptr>>::
  extend<caf::replies_to<caf::connect_atom, std::string, std::uint16_t>::with<
    caf::node_id, caf::strong_actor_ptr, signatures>>;

caf::actor find_broker(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(
    caf::atom("BASP"));
}

/// Makes CAF's side of connections. Outlives what is under way in the gate.
class scribe_maker {
public:
  scribe_maker(caf::actor_system& system, std::uint64_t max_message_bytes)
    : multiplexer_(static_cast<caf::io::network::default_multiplexer&>(
      system.middleman().backend())),
      limit_(std::make_shared<message_limit>()) {
    limit_->max_bytes = max_message_bytes;
  }

  scribe_ptr operator()(established what) const {
    return make_session_scribe(multiplexer_, what.socket.release(),
                               std::move(what.tls), limit_);
  }

private:
  caf::io::network::default_multiplexer& multiplexer_;
  std::shared_ptr<message_limit> limit_;
};

struct handover_state {
  static inline const char* name = "cluster_transport";

  struct pending_dial {
    caf::typed_response_promise<caf::node_id, caf::strong_actor_ptr, signatures>
      promise;
    std::uint16_t port;
  };

  caf::actor broker;
  caf::strong_actor_ptr published;
  dial_id last_dial = 0;
  std::map<dial_id, pending_dial> dials;
};

/// Dials; the outcome comes back as a message.
void dial(gate& through, endpoint where, dial_id which,
          handover_actor::stateful_pointer<handover_state> self,
          const scribe_maker& make_scribe) {
  through.dial(std::move(where), [which, whom = handover_actor{self},
                                  make_scribe](handshake::outcome what) {
    if (auto connected = std::get_if<established>(&what))
      caf::anon_send(whom, which, make_scribe(std::move(*connected)));
    else
      caf::anon_send(whom, which, std::get<caf::error>(what));
  });
}

handover_actor::behavior_type
hand_over(handover_actor::stateful_pointer<handover_state> self,
          std::weak_ptr<gate> through, scribe_maker make_scribe) {
  outlive_strays(self);
  self->state.broker = find_broker(self->system());
  return {
    [self](scribe_ptr& entrant) {
      // Without anything published, the connection closes with its scribe. The
      // broker takes a scribe without a doorman; its own tests do the same.
      if (self->state.published)
        caf::anon_send(self->state.broker, caf::publish_atom::value,
                       std::move(entrant), only_port, self->state.published,
                       signatures{});
    },
    [self](dial_id which, scribe_ptr& connected) {
      auto i = self->state.dials.find(which);
      if (i == self->state.dials.end())
        return;
      auto what = std::move(i->second);
      self->state.dials.erase(i);
      self
        ->request(self->state.broker, caf::infinite, caf::connect_atom::value,
                  std::move(connected), what.port)
        .then(
          [what](caf::node_id& node, caf::strong_actor_ptr& whom,
                 signatures& offers) mutable {
            what.promise.deliver(std::move(node), std::move(whom),
                                 std::move(offers));
          },
          [what](caf::error& problem) mutable {
            what.promise.deliver(std::move(problem));
          });
    },
    [self](dial_id which, caf::error& problem) {
      auto i = self->state.dials.find(which);
      if (i == self->state.dials.end())
        return;
      i->second.promise.deliver(std::move(problem));
      self->state.dials.erase(i);
    },
    [self](caf::publish_atom, caf::strong_actor_ptr& whom) {
      self->state.published = std::move(whom);
    },
    [self, through, make_scribe](caf::connect_atom, std::string& host,
                                 std::uint16_t port) {
      auto promise =
        self->make_response_promise<caf::node_id, caf::strong_actor_ptr,
                                    signatures>();
      auto open = through.lock();
      if (!open) {
        promise.deliver(make_error(errc::shutting_down, "the port is closed"));
        return promise;
      }
      auto which = ++self->state.last_dial;
      self->state.dials.emplace(which,
                                handover_state::pending_dial{promise, port});
      dial(*open, {std::move(host), port}, which, self, make_scribe);
      return promise;
    },
  };
}

} // namespace

caf::error refused_connection(std::string detail) {
  return make_error(errc::unavailable, std::move(detail), "refused");
}

bool is_refused_connection(const caf::error& what) {
  auto view = describe(what);
  return view.code == errc::unavailable && view.field == "refused";
}

caf::expected<std::unique_ptr<cluster_transport>>
cluster_transport::open(caf::actor_system& system,
                        const cluster_transport_config& config) {
  std::unique_ptr<credential_source> own;
  if (config.tls) {
    auto opened = credential_source::open(*config.tls, config.cluster_name);
    if (!opened)
      return std::move(opened.error());
    own = std::move(*opened);
  }
  return std::make_unique<cluster_transport>(system, config, std::move(own));
}

cluster_transport::cluster_transport(caf::actor_system& system,
                                     const cluster_transport_config& config,
                                     std::unique_ptr<credential_source> own)
  : system_(system), max_message_bytes_(config.max_message_bytes),
    gate_(std::make_shared<gate>(config.gate, std::move(own))),
    handover_(caf::actor_cast<caf::actor>(
      system.spawn<caf::hidden>(hand_over, std::weak_ptr<gate>{gate_},
                                scribe_maker{system, max_message_bytes_}))) {
}

cluster_transport::~cluster_transport() {
  caf::anon_send_exit(handover_, caf::exit_reason::kill);
}

caf::error cluster_transport::listen(const endpoint& where) {
  auto enter = [make_scribe = scribe_maker{system_, max_message_bytes_},
                whom = handover_](established entrant) {
    caf::anon_send(whom, make_scribe(std::move(entrant)));
  };
  return gate_->listen(where, enter);
}

void cluster_transport::close() {
  gate_->close_listener();
}

void cluster_transport::publish(const caf::strong_actor_ptr& whom) {
  caf::anon_send(handover_, caf::publish_atom::value, whom);
}

dialer_actor cluster_transport::dialer() const {
  return caf::actor_cast<dialer_actor>(handover_);
}

} // namespace troupe
