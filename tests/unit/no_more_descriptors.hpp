#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe::test {

/// While it lives, this process can open nothing (EMFILE), whatever other
/// threads close meanwhile. What is open goes on to work.
class no_more_descriptors {
public:
  no_more_descriptors() : lowest_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    // Not 0: poll() refuses more entries than the limit. Descriptor 0 is taken,
    // by standard input or by this one.
    auto lowered = before_;
    lowered.rlim_cur = 1;
    ::setrlimit(RLIMIT_NOFILE, &lowered);
  }

  ~no_more_descriptors() {
    ::setrlimit(RLIMIT_NOFILE, &before_);
    ::close(lowest_);
  }

  no_more_descriptors(const no_more_descriptors&) = delete;
  no_more_descriptors& operator=(const no_more_descriptors&) = delete;

private:
  int lowest_;
  rlimit before_{};
};

} // namespace troupe::test
