#define CAF_SUITE first_bytes

#include "discovery/transport/first_bytes.hpp"

#include <string>

#include <caf/test/unit_test.hpp>

using namespace troupe;

CAF_TEST(who speaks is known by the first bytes) {
  using who = first_speaker;
  CAF_CHECK(who_speaks("") == who::unknown_yet);
  CAF_CHECK(who_speaks("\x16") == who::tls);
  CAF_CHECK(who_speaks("\x15\x03\x03") == who::tls);
  CAF_CHECK(who_speaks(std::string(1, '\0')) == who::bare_caf);
  CAF_CHECK(who_speaks("\x01") == who::bare_caf);
  CAF_CHECK(who_speaks("G") == who::http);
  CAF_CHECK(who_speaks("POST / HTTP/1.1\r\n") == who::http);
  CAF_CHECK(who_speaks("HTTP/1.1 400") == who::http);
  CAF_CHECK(who_speaks("SSH-2.0-OpenSSH") == who::stranger);
  CAF_CHECK(who_speaks(plain_greeting) == who::plain_node);
  CAF_CHECK(who_speaks(std::string{plain_greeting} + "more")
            == who::plain_node);
  CAF_CHECK(who_speaks(tls_wanted) == who::tls_node);
  CAF_CHECK(who_speaks("troupe/") == who::unknown_yet);
  CAF_CHECK(who_speaks("troupe/x") == who::stranger);
  CAF_CHECK(who_speaks("tr\xff") == who::stranger);
}
