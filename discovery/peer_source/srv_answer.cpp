#include "discovery/peer_source/srv_answer.hpp"

#include <algorithm>
#include <memory>
#include <tuple>

#include <ares.h>

#include "messages/error.hpp"

namespace troupe {

caf::expected<std::vector<srv_target>>
parse_srv_answer(std::span<const std::uint8_t> answer) {
  // RFC 1035 §4.2.2: the length of a message has 16 bits.
  constexpr std::size_t largest = 0xffff;
  ares_srv_reply* records = nullptr;
  auto status = answer.size() > largest
                  ? ARES_EBADRESP
                  : ares_parse_srv_reply(
                    answer.data(), static_cast<int>(answer.size()), &records);
  std::unique_ptr<void, decltype(&ares_free_data)> owner{records,
                                                         ares_free_data};
  std::vector<srv_target> result;
  if (status == ARES_ENODATA)
    return result;
  if (status != ARES_SUCCESS)
    return make_error(errc::malformed, ares_strerror(status));
  for (auto* i = records; i != nullptr; i = i->next) {
    auto named = i->host != nullptr && *i->host != '\0'
                 && std::string_view{i->host} != ".";
    if (named && i->port != 0)
      result.push_back({i->host, i->port, i->priority, i->weight});
  }
  std::stable_sort(result.begin(), result.end(), [](auto& a, auto& b) {
    return std::tuple{a.priority, b.weight} < std::tuple{b.priority, a.weight};
  });
  return result;
}

} // namespace troupe
