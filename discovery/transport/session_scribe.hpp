#pragma once

#include <memory>

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/scribe.hpp>

#include "discovery/transport/tls_session.hpp"

namespace troupe {

/// Hands a session whose handshake is over to CAF: its multiplexer reads and
/// writes it inline, as it does a plain socket.
/// @param socket that of the session; CAF owns it from here on.
caf::io::scribe_ptr
make_tls_scribe(caf::io::network::default_multiplexer& multiplexer, int socket,
                std::unique_ptr<tls_session> session);

} // namespace troupe
