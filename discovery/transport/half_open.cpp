#include "discovery/transport/half_open.hpp"

#include <algorithm>

#include <arpa/inet.h>

namespace troupe {

half_open_table::admission half_open_table::admit(const std::string& address,
                                                  time_point now) {
  auto dropped = drop_for(address);
  auto newcomer = next_++;
  entries_.emplace(newcomer, entry{address, now});
  ++per_address_[address];
  return {newcomer, dropped};
}

void half_open_table::remove(id which) {
  auto i = entries_.find(which);
  if (i == entries_.end())
    return;
  auto count = per_address_.find(i->second.address);
  if (--count->second == 0)
    per_address_.erase(count);
  entries_.erase(i);
}

std::vector<half_open_table::id> half_open_table::take_expired(time_point now) {
  std::vector<id> result;
  for (auto& [which, what] : entries_) {
    if (what.since + limits_.deadline > now)
      break;
    result.push_back(which);
  }
  for (auto which : result)
    remove(which);
  return result;
}

std::optional<half_open_table::time_point>
half_open_table::next_deadline() const {
  if (entries_.empty())
    return std::nullopt;
  return entries_.begin()->second.since + limits_.deadline;
}

std::optional<half_open_table::id>
half_open_table::drop_for(const std::string& address) {
  auto own = per_address_.find(address);
  auto own_is_full =
    own != per_address_.end() && own->second >= limits_.per_address;
  if (!own_is_full && entries_.size() < limits_.total)
    return std::nullopt;
  // Of addresses that have as many, the oldest of all: no address is worse off
  // than another.
  auto most = largest_count();
  auto oldest = std::find_if(entries_.begin(), entries_.end(), [&](auto& x) {
    auto& of = x.second.address;
    return own_is_full ? of == address : per_address_.at(of) == most;
  });
  auto result = oldest->first;
  remove(result);
  return result;
}

std::size_t half_open_table::largest_count() const {
  std::size_t result = 0;
  for (auto& [address, count] : per_address_)
    result = std::max(result, count);
  return result;
}

std::string limit_key(const std::string& address) {
  in6_addr bytes;
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1)
    return address;
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    char text[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, &bytes.s6_addr[12], text, sizeof(text));
  }
  std::fill(std::begin(bytes.s6_addr) + 8, std::end(bytes.s6_addr), 0);
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, &bytes, text, sizeof(text));
}

} // namespace troupe
