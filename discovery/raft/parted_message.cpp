#include "discovery/raft/parted_message.hpp"

#include <utility>

#include "messages/error.hpp"

namespace troupe {

namespace {

/// Enough for a link of 50 ms and 80 Mbit/s to be busy all the time.
constexpr std::uint32_t max_under_way = 2;

} // namespace

std::optional<raft_message_part> parted_message::next(member_id self) {
  if (sent_ == bytes_.size() || under_way_ == max_under_way)
    return std::nullopt;
  raft_message_part result{self, transfer_, bytes_.size(), sent_,
                           bytes_.substr(sent_, part_bytes_)};
  sent_ += result.bytes.size();
  ++under_way_;
  return result;
}

caf::expected<std::optional<std::string>>
part_collector::take(const raft_message_part& x) {
  if (x.size > max_bytes || x.bytes.empty() || x.offset > x.size
      || x.bytes.size() > x.size - x.offset)
    return make_error(errc::corrupt, std::to_string(x.bytes.size())
                                       + " bytes at " + std::to_string(x.offset)
                                       + " of a message of "
                                       + std::to_string(x.size));
  if (x.offset == 0) {
    transfer_ = x.transfer;
    size_ = x.size;
    bytes_.clear();
  }
  if (x.transfer != transfer_ || x.size != size_ || x.offset != bytes_.size())
    return make_error(errc::conflict,
                      "expected the part at " + std::to_string(bytes_.size())
                        + ", got the one at " + std::to_string(x.offset));
  bytes_ += x.bytes;
  if (bytes_.size() < size_)
    return std::optional<std::string>{};
  size_ = 0;
  return std::optional{std::exchange(bytes_, {})};
}

} // namespace troupe
