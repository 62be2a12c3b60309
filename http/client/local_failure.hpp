#pragma once

#include <boost/system/error_code.hpp>

namespace troupe {

/// Whether this node lacks what opening a connection takes (descriptors,
/// memory, ports, an address of the other's kind): it says nothing about the
/// server that was to be reached.
inline bool is_local_failure(const boost::system::error_code& why) {
  namespace errc = boost::system::errc;
  return why == errc::too_many_files_open
         || why == errc::too_many_files_open_in_system
         || why == errc::no_buffer_space || why == errc::not_enough_memory
         || why == errc::address_not_available;
}

/// What is known of a server after several of its addresses failed: a failure
/// of its own counts more than one of ours.
class connect_failures {
public:
  void add(const boost::system::error_code& why) {
    if (!failure_ || is_local_failure(failure_))
      failure_ = why;
  }

  const boost::system::error_code& verdict() const noexcept { return failure_; }

private:
  boost::system::error_code failure_;
};

} // namespace troupe
