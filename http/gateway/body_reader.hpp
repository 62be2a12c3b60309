#pragma once

#include <cstdint>
#include <functional>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include "messages/status.hpp"
#include "messages/type_ids.hpp"

namespace troupe {

/// Reading a body that is too large for an io thread, which would serve nobody
/// else meanwhile. For actors of this process only.
struct body_reading {
  std::function<void()> read;
  /// Of the body.
  std::size_t bytes = 0;
};

/// Reads large bodies, one after another on a thread of its own: so the memory
/// of reading is that of one body. Named `body_reader`.
using body_reader_actor = caf::typed_actor<
  /// Calls `read` and answers true when that is done.
  caf::replies_to<body_reading>::with<bool>>::extend_with<status_protocol>;

/// @param give_back is called on its thread after a body of a megabyte or more:
/// what reading that took is not needed again soon.
body_reader_actor spawn_body_reader(
  caf::actor_system& system, std::function<void()> give_back = [] {});

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::body_reading)
