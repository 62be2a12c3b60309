#pragma once

#include <map>
#include <string>

#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace troupe {

/// Asks any actor how it is.
struct get_status {};

/// What an actor says about itself, for `/status` and the shell.
struct actor_status {
  /// Its registered name, for example `balancer` or `cache_shard/0`.
  std::string name;
  /// Figures by name, already printed.
  std::map<std::string, std::string> details;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_status&) {
  return f(caf::meta::type_name("get_status"));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, actor_status& x) {
  return f(caf::meta::type_name("actor_status"), x.name, x.details);
}

/// Part of every actor's interface.
using status_protocol =
  caf::typed_actor<caf::replies_to<get_status>::with<actor_status>>;

} // namespace troupe
