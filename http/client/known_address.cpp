#include "http/client/known_address.hpp"

#include <string_view>

#include <boost/algorithm/string/predicate.hpp>

namespace troupe {

namespace {

bool is_localhost(std::string_view name) {
  if (name.ends_with('.'))
    name.remove_suffix(1);
  return boost::iequals(name, "localhost")
         || boost::iends_with(name, ".localhost");
}

} // namespace

std::vector<boost::asio::ip::tcp::endpoint>
known_addresses(const endpoint& where) {
  namespace ip = boost::asio::ip;
  boost::system::error_code not_literal;
  auto literal = ip::make_address(where.host, not_literal);
  if (!not_literal)
    return {{literal, where.port}};
  if (is_localhost(where.host))
    return {{ip::address_v4::loopback(), where.port},
            {ip::address_v6::loopback(), where.port}};
  return {};
}

} // namespace troupe
