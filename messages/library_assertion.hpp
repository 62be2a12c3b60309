#pragma once

#include <stdexcept>

namespace troupe {

/// A check within Boost failed: a defect of the library's, or of how it is used
/// here.
///
/// In a release such a check throws this instead of ending the node: strangers'
/// bytes pass through Boost, and what one of them can trip must cost him his
/// connection, not everybody the node. Whoever feeds such bytes to the library
/// catches it and drops the object that threw: its state is not to be trusted.
/// Where nobody catches it, or nothing may throw, the process ends as it would
/// have. Debug builds, and with them the sanitizers and the fuzzers, end at
/// once, with a core.
class library_assertion : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

} // namespace troupe
