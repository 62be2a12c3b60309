#pragma once

// What nearly every file of the project includes. Beast, json and msgpack are
// left out on purpose: few files need them.
#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>

#if FMT_VERSION < 100000
// Else each file that logs compiles all of fmt's formatter, which is half of
// its time; the library has it. Later versions declare this themselves.
extern template void
fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view,
                              fmt::basic_format_args<fmt::buffer_context<char>>,
                              fmt::detail::locale_ref);
#endif
