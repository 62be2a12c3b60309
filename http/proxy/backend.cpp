#include "http/proxy/backend.hpp"

#include <utility>

#include "http/client/known_address.hpp"

namespace troupe::proxying {

backend::backend(upstream server, std::size_t max_idle,
                 std::uint32_t answer_threshold)
  : idle(max_idle), passive(answer_threshold), server_(std::move(server)) {
  if (auto known = troupe::known_addresses({server_.host, server_.port});
      !known.empty())
    remember(std::move(known), clock::time_point::max());
}

const backend::addresses*
backend::known_addresses(clock::time_point now) const {
  return now < addresses_until_ ? &addresses_ : nullptr;
}

void backend::remember(addresses found, clock::time_point until) {
  addresses_ = std::move(found);
  addresses_until_ = until;
}

} // namespace troupe::proxying
