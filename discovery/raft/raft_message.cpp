#include "discovery/raft/raft_message.hpp"

#include "discovery/raft/raft_configuration.hpp"
#include "messages/error.hpp"
#include "messages/msgpack.hpp"

namespace troupe {

namespace {

/// Version of the messages' encoding.
constexpr char message_version = 1;

/// Far beyond any index or term that a log can reach, and far from overflow.
constexpr std::uint64_t limit = std::uint64_t{1} << 62;

/// What is wrong with a message, or null.
using fault = const char*;

fault check_entries(const append_entries& x) {
  auto term = x.prev_term;
  for (auto& entry : x.entries) {
    if (entry.term < term || entry.term == 0 || entry.term > x.term)
      return "entry terms out of order";
    term = entry.term;
    switch (entry.kind) {
      case entry_kind::command:
      case entry_kind::barrier:
        break;
      case entry_kind::change:
        if (!decode_configuration(entry.bytes))
          return "unreadable configuration";
        break;
      default:
        return "unknown entry kind";
    }
  }
  return nullptr;
}

struct checker {
  fault operator()(const append_entries& x) const {
    if (x.prev_index >= limit || x.commit >= limit || x.acknowledged >= limit
        || x.prev_term > x.term)
      return "previous entry out of range";
    if ((x.prev_index == 0) != (x.prev_term == 0))
      return "previous index without term";
    return check_entries(x);
  }

  fault operator()(const append_entries_result& x) const {
    return x.rejected < limit && x.last_index < limit ? nullptr
                                                      : "index out of range";
  }

  fault operator()(const request_vote& x) const {
    if (x.last_index >= limit || x.last_term > x.term)
      return "last entry out of range";
    return nullptr;
  }

  fault operator()(const request_vote_result&) const { return nullptr; }

  fault operator()(const install_snapshot& x) const {
    if (!x.snapshot)
      return "no snapshot";
    auto& snapshot = *x.snapshot;
    if (snapshot.index == 0 || snapshot.index >= limit || snapshot.term == 0
        || snapshot.term > x.term)
      return "snapshot out of range";
    if (snapshot.configuration_index == 0
        || snapshot.configuration_index > snapshot.index
        || !decode_configuration(snapshot.configuration))
      return "unreadable configuration";
    return nullptr;
  }

  fault operator()(const timeout_now& x) const {
    return x.last_term <= x.term ? nullptr : "last entry out of range";
  }
};

fault check(const raft_message& message) {
  auto term = std::visit([](auto& x) { return x.term; }, message);
  if (term == 0 || term >= limit)
    return "term out of range";
  return std::visit(checker{}, message);
}

} // namespace

std::string encode(const raft_message& what) {
  return write_msgpack(what, {message_version});
}

caf::expected<raft_message> decode_raft_message(std::string_view bytes) {
  if (bytes.empty())
    return make_error(errc::corrupt, "an empty Raft message");
  if (bytes.front() != message_version)
    return make_error(errc::incompatible,
                      "Raft message of version "
                        + std::to_string(static_cast<int>(bytes.front()))
                        + ", this node reads version "
                        + std::to_string(static_cast<int>(message_version)));
  raft_message result;
  if (auto mismatch = read_msgpack(bytes.substr(1), result))
    return make_error(errc::corrupt, "unreadable Raft message: " + *mismatch);
  if (auto wrong = check(result))
    return make_error(errc::corrupt,
                      std::string{"impossible Raft message: "} + wrong);
  return result;
}

} // namespace troupe
