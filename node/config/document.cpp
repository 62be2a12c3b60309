#include <fmt/format.h>

#include "node/config/options.hpp"
#include "node/config/show.hpp"

namespace troupe {

namespace {

constexpr std::string_view introduction = R"(# Configuration

<!-- Made by `troupe config doc`; change node/config/options_*.cpp instead. -->

Settings come from four sources; a later one wins over an earlier:

1. the defaults below,
2. one JSON file, given with `--config FILE` or in `TROUPE_CONFIG`; `//` and
   `/* */` comments are allowed,
3. environment variables: each option has one, `TROUPE_` and its path in capitals
   (`cluster.expectedNodes`: `TROUPE_CLUSTER_EXPECTED_NODES`); some have another,
   named below, over which the former wins. An empty variable counts as not set.
   Lists are comma-separated or JSON,
4. flags of `troupe serve`: `--set path=value` for any option, and those named
   below. A flag of a list may be repeated.

`troupe config check` says what is wrong, `troupe config show --origins` what is
in effect and why. Both take the same flags as `troupe serve`.

A wrong value, an unknown key or settings that contradict each other end the
program with status 2 and a list of everything that is wrong. An unknown
`TROUPE_*` variable is only warned about, because other programs set such
variables too; values as `tcp://10.0.0.1:3007`, which Kubernetes sets for its
services, are ignored.

Durations are in milliseconds, times to live in seconds. All options take effect
when the node starts, unless it says otherwise. *Shared* options must be the same
on all nodes: nodes that differ refuse each other. *Reserved* options are accepted
and checked, but nothing acts on them in this version.
)";

/// Keeps a text from ending a table's cell.
std::string cell(std::string_view text) {
  std::string result;
  for (auto c : text) {
    if (c == '|')
      result += '\\';
    result += c;
  }
  return result;
}

template <class Root>
std::string default_text(const basic_option<Root>& what) {
  if (!what.traits.computed_default.empty())
    return std::string{what.traits.computed_default};
  if (what.traits.required)
    return "required";
  return "`" + to_json(what.default_value) + "`";
}

template <class Root>
std::string notes(const basic_option<Root>& what) {
  auto& traits = what.traits;
  std::string result{what.description};
  if (!traits.flag.empty())
    result += fmt::format(" Flag `{}`.", traits.flag);
  if (!traits.variable.empty())
    result += fmt::format(" Variable `{}`.", traits.variable);
  if (!traits.needs_restart)
    result += " Takes effect at once.";
  if (traits.shared)
    result += " *Shared.*";
  if (traits.secret)
    result += " *Secret:* never printed.";
  if (traits.reserved)
    result += " *Reserved.*";
  return result;
}

constexpr std::string_view head = "\n| option | value | default | |\n"
                                  "| --- | --- | --- | --- |\n";

template <class Root>
std::string row(const basic_option<Root>& what) {
  return fmt::format("| `{}` | {} | {} | {} |\n", what.path,
                     cell(expectation(what.kind, what.traits)),
                     cell(default_text(what)), cell(notes(what)));
}

std::string example() {
  return R"(
## Example

```json
{
  // Three nodes, found by DNS, on a network of their own.
  "node": { "name": "node-1", "address": "0.0.0.0" },
  "cluster": { "expectedNodes": 3, "insecure": true },
  "discovery": { "dns": { "name": "troupe" } },
  "proxy": {
    "defaultService": "shop",
    "routes": [{ "path": "/api", "service": "shop-api" }]
  }
}
```
)";
}

/// The fields of a list's items.
template <class Item>
std::string items(std::string_view list) {
  auto out = fmt::format("\nEach item of `{}`:\n", list);
  out += head;
  for (auto& field : item_fields<Item>())
    out += row(field);
  return out;
}

} // namespace

std::string document_configuration() {
  std::string out{introduction};
  out += example();
  for (auto& section : all_sections()) {
    out += fmt::format("\n## {}\n\n{}\n", section.name, section.description);
    out += head;
    auto prefix = std::string{section.name} + ".";
    for (auto& option : all_options())
      if (option.path.starts_with(prefix))
        out += row(option);
    if (section.name == "proxy")
      out += items<proxy_route>("proxy.routes");
    if (section.name == "loadBalancer")
      out += items<service_check>("loadBalancer.healthCheck.services");
  }
  return out;
}

} // namespace troupe
