#include "discovery/peer_source/peer_list.hpp"

#include <fmt/format.h>

#include "messages/address.hpp"

namespace troupe {

namespace {

/// A file that is no list at all shall not fill the log.
constexpr std::size_t most_complaints = 10;

std::string_view without_comment(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  line = line.substr(0, line.find('#'));
  auto first = line.find_first_not_of(blanks);
  if (first == line.npos)
    return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

/// What a log line may carry of a text from outside.
std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string result = "\"";
  for (unsigned char c : text.substr(0, longest))
    if (c < ' ' || c >= 0x7f)
      result += fmt::format("\\x{:02x}", c);
    else
      result += static_cast<char>(c);
  return result + (text.size() > longest ? "...\"" : "\"");
}

} // namespace

findings parse_peer_list(std::string_view text, const std::string& name) {
  findings result;
  std::size_t wrong = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto end = text.find('\n');
    auto line = without_comment(text.substr(0, end));
    text = end == text.npos ? "" : text.substr(end + 1);
    if (line.empty())
      continue;
    if (auto where = parse_endpoint(line))
      result.addresses.push_back(std::move(*where));
    else if (++wrong <= most_complaints)
      result.complaints.push_back(fmt::format("{}:{}: is {}, must be {}", name,
                                              number, quoted(line),
                                              endpoint_format));
  }
  if (wrong > most_complaints)
    result.complaints.push_back(fmt::format("{}: {} more lines are wrong", name,
                                            wrong - most_complaints));
  return result;
}

} // namespace troupe
