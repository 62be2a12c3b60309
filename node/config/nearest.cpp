#include "node/config/nearest.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {

namespace {

std::string fold(std::string_view text) {
  std::string result;
  for (auto c : text)
    if (c != '.' && c != '_' && c != '-')
      result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

std::string_view last_key(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

std::size_t distance_of_folded(std::string_view a, std::string_view b) {
  // Rows of the dynamic program: two before, one before, now.
  std::vector<std::size_t> older(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    older.swap(above);
    above.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], older[j - 2] + 1);
    }
  }
  return row[b.size()];
}

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  return distance_of_folded(fold(a), fold(b));
}

std::string_view nearest_name(std::string_view wrong,
                              std::span<const std::string_view> names) {
  auto folded = fold(wrong);
  auto tolerated = std::max<std::size_t>(2, folded.size() / 4);
  auto least = tolerated + 1;
  std::string_view best;
  for (auto name : names) {
    auto distance = distance_of_folded(folded, fold(name));
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  if (!best.empty())
    return best;
  // Right name, wrong section.
  auto key = fold(last_key(wrong));
  for (auto name : names)
    if (fold(last_key(name)) == key)
      return name;
  return {};
}

} // namespace troupe
