#include "messages/command.hpp"

#include "messages/msgpack.hpp"

namespace troupe {

namespace {

/// Version of the commands' encoding.
constexpr char command_version = 1;

} // namespace

apply_result refuse(errc code, std::string detail, std::string field) {
  return {static_cast<std::uint8_t>(code),
          std::move(detail),
          std::move(field),
          {},
          0};
}

caf::error apply_result::failure() const {
  if (code == 0)
    return caf::none;
  return make_error(static_cast<errc>(code), detail, field);
}

std::string encode(const command& what) {
  return command_version + write_msgpack(what);
}

caf::expected<command> decode_command(std::string_view bytes) {
  if (bytes.empty())
    return make_error(errc::corrupt, "an empty command");
  if (bytes.front() != command_version)
    return make_error(errc::incompatible,
                      "command of version "
                        + std::to_string(static_cast<int>(bytes.front()))
                        + ", this node reads version "
                        + std::to_string(static_cast<int>(command_version)));
  command result;
  bool newer = false;
  if (auto mismatch = read_msgpack(bytes.substr(1), result, &newer))
    return make_error(newer ? errc::incompatible : errc::corrupt,
                      "unreadable command: " + *mismatch);
  return result;
}

} // namespace troupe
