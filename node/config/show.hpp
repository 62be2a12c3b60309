#pragma once

#include <string>

#include "node/config/load.hpp"
#include "node/config/option.hpp"

namespace troupe {

/// What a secret that is set is printed as.
inline constexpr std::string_view masked_secret = "********";

/// The settings in effect as JSON, secrets masked. With origins, a comment
/// behind each value says where it comes from; the text stays a valid file.
std::string show_configuration(const loaded_configuration& config,
                               bool with_origins);

/// Each option's value and where it comes from, as JSON by path, secrets
/// masked:
/// `{"node.name": {"value": "a", "origin": "flag --name"}, …}`.
std::string show_origins(const loaded_configuration& config);

/// An option in a line of `--help`: the first sentence of its description, and
/// its default.
std::string help_text(const option& what);

/// docs/configuration.md.
std::string document_configuration();

} // namespace troupe
