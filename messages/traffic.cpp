#include "messages/traffic.hpp"

namespace troupe {

std::string_view to_string(proxy_cause cause) {
  switch (cause) {
    case proxy_cause::bad_request:
      return "bad_request";
    case proxy_cause::slow_client:
      return "slow_client";
    case proxy_cause::no_route:
      return "no_route";
    case proxy_cause::no_server:
      return "no_server";
    case proxy_cause::unreachable:
      return "unreachable";
    case proxy_cause::bad_answer:
      return "bad_answer";
    case proxy_cause::slow_server:
      return "slow_server";
    case proxy_cause::too_many_connections:
      return "too_many_connections";
    case proxy_cause::no_resources:
      return "no_resources";
    case proxy_cause::shutting_down:
      return "shutting_down";
    case proxy_cause::loop:
      return "loop";
  }
  return "unknown";
}

} // namespace troupe
