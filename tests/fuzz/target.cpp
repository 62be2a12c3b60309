// libFuzzer's entry point. TROUPE_FUZZ_ORACLE names the oracle.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/oracles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  auto wrong = troupe::fuzz::TROUPE_FUZZ_ORACLE(
    {reinterpret_cast<const char*>(data), size});
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    std::abort();
  }
  return 0;
}
