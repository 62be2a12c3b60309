#include "node/cluster_port.hpp"

#include <caf/all.hpp>
#include <caf/io/middleman.hpp>

#include "messages/error.hpp"

namespace troupe {

cluster_port::cluster_port(caf::actor_system& system, endpoint where)
  : system_(system), where_(std::move(where)) {
}

caf::error cluster_port::publish(const caf::strong_actor_ptr& peering) {
  std::lock_guard guard{mutex_};
  unpublish();
  auto handle = caf::actor_cast<caf::actor>(peering);
  auto bound =
    system_.middleman().publish(handle, where_.port, where_.host.c_str(), true);
  if (!bound)
    return make_error(errc::unavailable, "can't listen on cluster port "
                                           + to_string(where_) + ": "
                                           + caf::to_string(bound.error()));
  published_ = std::move(handle);
  return caf::none;
}

void cluster_port::close() {
  std::lock_guard guard{mutex_};
  unpublish();
}

void cluster_port::unpublish() {
  if (published_)
    system_.middleman().unpublish(published_, where_.port);
  published_ = nullptr;
}

} // namespace troupe
