#include "node/cluster_port.hpp"

namespace troupe {

cluster_port::cluster_port(std::unique_ptr<cluster_transport> transport,
                           endpoint where)
  : transport_(std::move(transport)), where_(std::move(where)) {
}

caf::error cluster_port::publish(const caf::strong_actor_ptr& peering) {
  std::lock_guard guard{mutex_};
  transport_->publish(peering);
  if (is_open_)
    return caf::none;
  if (auto problem = transport_->listen(where_))
    return problem;
  is_open_ = true;
  return caf::none;
}

void cluster_port::close() {
  std::lock_guard guard{mutex_};
  transport_->close();
}

} // namespace troupe
