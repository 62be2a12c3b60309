#pragma once

#include <string>

#include "node/config/load.hpp"

namespace troupe {

/// What a secret that is set is printed as.
inline constexpr std::string_view masked_secret = "********";

/// The settings in effect as JSON, secrets masked. With origins, a comment
/// behind each value says where it comes from; the text stays a valid file.
std::string show_configuration(const loaded_configuration& config,
                               bool with_origins);

/// docs/configuration.md.
std::string document_configuration();

} // namespace troupe
