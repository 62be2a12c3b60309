#pragma once

#include <string_view>

namespace troupe {

/// A condition on a text, with the words for it: `an IP address`.
struct text_rule {
  std::string_view must_be;
  bool (*holds)(std::string_view text);
};

} // namespace troupe

// What names and addresses look like, in settings as in requests.
namespace troupe::text_rules {

/// Anything but the empty text.
extern const text_rule not_empty;

/// 1 to 64 of `A-Z a-z 0-9 . _ -`, the first a letter or digit.
extern const text_rule name;

/// The empty text too.
extern const text_rule optional_name;

/// An IPv4 or IPv6 address, without port or brackets.
extern const text_rule ip_address;

/// An IP address, or a range of them (`ip_range.hpp`).
extern const text_rule ip_range;

/// An IP address or a DNS name (RFC 1123 §2.1, underscores tolerated).
extern const text_rule host;

/// The empty text too.
extern const text_rule optional_host;

/// A DNS name, or the empty text.
extern const text_rule optional_dns_name;

/// `host:port`, an IPv6 address in brackets.
extern const text_rule host_and_port;

/// The empty text too.
extern const text_rule optional_host_and_port;

/// What stands after the host in a URL: begins with `/`, no blanks.
extern const text_rule url_path;

} // namespace troupe::text_rules
