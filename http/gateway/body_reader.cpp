#include "http/gateway/body_reader.hpp"

#include <string>

#include <caf/all.hpp>

namespace troupe {

namespace {

constexpr std::size_t large_body = 1 << 20;

struct body_reader_state {
  static inline const char* name = "body_reader";

  std::uint64_t bodies = 0;
};

body_reader_actor::behavior_type
body_reader(body_reader_actor::stateful_pointer<body_reader_state> self,
            const std::function<void()>& give_back) {
  return {
    [self, give_back](const body_reading& job) {
      ++self->state.bodies;
      job.read();
      if (job.bytes >= large_body)
        give_back();
      return true;
    },
    [self](get_status) {
      return actor_status{self->state.name,
                          {{"bodies", std::to_string(self->state.bodies)}}};
    },
  };
}

} // namespace

body_reader_actor spawn_body_reader(caf::actor_system& system,
                                    std::function<void()> give_back) {
  return system.spawn<caf::detached>(body_reader, std::move(give_back));
}

} // namespace troupe
