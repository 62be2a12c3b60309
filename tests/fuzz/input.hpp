#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::fuzz {

/// What the fuzzer made, taken apart: how the text is cut, how it is read, and
/// the text. A seed without cuts begins with `0` and a letter for the options.
struct input {
  std::uint8_t options = 0;
  std::string_view text;
  /// Where the pieces end in which it arrives, the last one at its end.
  std::vector<std::size_t> cuts;

  explicit input(std::string_view bytes) {
    auto take = [&] {
      auto byte = bytes.empty() ? 0 : static_cast<std::uint8_t>(bytes[0]);
      bytes.remove_prefix(bytes.empty() ? 0 : 1);
      return byte;
    };
    constexpr int most = 8;
    auto count = take() % most;
    options = static_cast<std::uint8_t>(take());
    for (int i = 0; i < count; ++i) {
      std::size_t high = take();
      cuts.push_back(high << 8 | take());
    }
    text = bytes;
    for (auto& cut : cuts)
      cut %= text.size() + 1;
    cuts.push_back(text.size());
    std::sort(cuts.begin(), cuts.end());
  }

  /// As if each byte came alone.
  std::vector<std::size_t> bytes() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 1; i <= text.size(); ++i)
      result.push_back(i);
    if (result.empty())
      result.push_back(0);
    return result;
  }
};

} // namespace troupe::fuzz
