#include "discovery/peer_source/static_peers.hpp"

namespace troupe {

namespace {

class list_finder : public peer_finder {
public:
  explicit list_finder(std::vector<endpoint> nodes)
    : nodes_(std::move(nodes)) {}

  caf::expected<findings> look() override { return findings{nodes_, {}}; }

private:
  std::vector<endpoint> nodes_;
};

} // namespace

std::shared_ptr<peer_finder> find_in_list(std::vector<endpoint> nodes) {
  return std::make_shared<list_finder>(std::move(nodes));
}

} // namespace troupe
