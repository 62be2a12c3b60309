#pragma once

#include <string>
#include <vector>

#include <caf/expected.hpp>

namespace troupe {

/// The addresses of a host by the system's resolver, each once. Blocks.
/// Errors: unavailable, with the resolver's words.
caf::expected<std::vector<std::string>> host_addresses(const std::string& host);

} // namespace troupe
