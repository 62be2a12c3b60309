#pragma once

#include <string>
#include <string_view>

namespace troupe::fuzz {

// Each reads what a fuzzer made, in one piece, in the fuzzer's pieces and byte
// by byte, and says what is wrong with what came of it; nothing when all is
// well:
// - the pieces change nothing;
// - what was accepted is what a strict reader reads there, and what was
// forwarded
//   is that and no more;
// - after a refusal nothing follows.

std::string wrong_with_forwarded_requests(std::string_view bytes);
std::string wrong_with_forwarded_responses(std::string_view bytes);
std::string wrong_with_parsed_requests(std::string_view bytes);

} // namespace troupe::fuzz
