#include "discovery/raft/raft_configuration.hpp"

#include <algorithm>

namespace troupe {

namespace {

constexpr char format = 1;

// libraft's role codes.
constexpr char standby_code = 0;
constexpr char voter_code = 1;

void put_u64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>(value >> (8 * i));
}

std::optional<std::uint64_t> get_u64(std::string_view& bytes) {
  if (bytes.size() < 8)
    return std::nullopt;
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  bytes.remove_prefix(8);
  return value;
}

std::optional<raft_server_role> get_server(std::string_view& bytes) {
  auto id = get_u64(bytes);
  if (!id || *id == 0)
    return std::nullopt;
  auto end = bytes.find('\0');
  if (end == std::string_view::npos || end + 1 >= bytes.size()
      || bytes.substr(0, end) != to_string(member_id{*id}))
    return std::nullopt;
  auto code = bytes[end + 1];
  bytes.remove_prefix(end + 2);
  if (code != standby_code && code != voter_code)
    return std::nullopt;
  return raft_server_role{
    member_id{*id}, code == voter_code ? raft_role::voter : raft_role::standby};
}

} // namespace

std::string encode_configuration(const raft_configuration_servers& servers) {
  std::string out{format};
  put_u64(out, servers.size());
  for (auto& server : servers) {
    put_u64(out, static_cast<std::uint64_t>(server.id));
    // The address only has to be unique.
    out += to_string(server.id);
    out += '\0';
    out += server.role == raft_role::voter ? voter_code : standby_code;
  }
  out.resize((out.size() + 7) / 8 * 8);
  return out;
}

std::optional<raft_configuration_servers>
decode_configuration(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != format)
    return std::nullopt;
  bytes.remove_prefix(1);
  auto count = get_u64(bytes);
  if (!count || *count == 0)
    return std::nullopt;
  raft_configuration_servers result;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto server = get_server(bytes);
    if (!server || std::any_of(result.begin(), result.end(), [&](auto& known) {
          return known.id == server->id;
        }))
      return std::nullopt;
    result.push_back(*server);
  }
  if (bytes.size() >= 8
      || bytes.find_first_not_of('\0') != std::string_view::npos)
    return std::nullopt;
  return result;
}

bool may_follow(const raft_configuration_servers& current,
                const raft_configuration_servers& next) {
  auto& shorter = current.size() < next.size() ? current : next;
  auto& longer = current.size() < next.size() ? next : current;
  if (longer.size() > shorter.size() + 1)
    return false;
  auto same = [](auto& a, auto& b) { return a.id == b.id; };
  auto [a, b] = std::mismatch(shorter.begin(), shorter.end(), longer.begin(),
                              longer.end(), same);
  if (a == shorter.end())
    return true;
  return longer.size() > shorter.size()
         && std::equal(a, shorter.end(), b + 1, longer.end(), same);
}

bool only_voter(const raft_configuration_servers& servers, member_id id) {
  auto voters = 0;
  auto self = false;
  for (auto& server : servers) {
    if (server.role == raft_role::voter) {
      ++voters;
      self = self || server.id == id;
    }
  }
  return self && voters == 1;
}

} // namespace troupe
