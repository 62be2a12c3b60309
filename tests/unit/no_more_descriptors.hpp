#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe::test {

/// While it lives, this process can open nothing (EMFILE).
class no_more_descriptors {
public:
  no_more_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    // The lowest free one: all below are open.
    auto next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    auto lowered = before_;
    lowered.rlim_cur = static_cast<rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &lowered);
  }

  ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  no_more_descriptors(const no_more_descriptors&) = delete;
  no_more_descriptors& operator=(const no_more_descriptors&) = delete;

private:
  rlimit before_{};
};

} // namespace troupe::test
