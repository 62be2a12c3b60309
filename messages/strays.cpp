#include "messages/strays.hpp"

#include <memory>
#include <string>
#include <utility>

#include <caf/all.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "messages/error.hpp"

namespace troupe {

namespace {

/// The types, not the values: they may be long, and are not for the log.
std::string types_of(caf::scheduled_actor& self,
                     const caf::type_erased_tuple& content) {
  if (content.size() == 0)
    return "a message that can't be read";
  std::string result;
  for (std::size_t i = 0; i < content.size(); ++i)
    result += (i == 0 ? "" : ", ")
              + self.system().types().portable_name(content.type(i));
  return "a message that is not for it (" + result + ")";
}

class stray_log {
public:
  explicit stray_log(caf::scheduled_actor& self) : self_(self) {}

  template <class Text>
  void note(const caf::strong_actor_ptr& sender, Text text) {
    auto count = line_.note(self_.clock().now());
    if (!count)
      return;
    auto from = sender ? caf::to_string(sender->node()) : "nobody";
    auto times = *count == 1 ? "" : fmt::format(", {} such", *count);
    spdlog::warn("{}: dropped {} from {}{}", self_.name(), text(), from, times);
  }

private:
  caf::scheduled_actor& self_;
  folded_line line_;
};

} // namespace

std::optional<std::uint64_t> folded_line::note(time_point now) {
  ++unwritten_;
  if (written_ && now - *written_ < window)
    return std::nullopt;
  written_ = now;
  return std::exchange(unwritten_, 0);
}

void outlive_strays(caf::scheduled_actor* self) {
  auto log = std::make_shared<stray_log>(*self);
  self->set_default_handler(
    [log](caf::scheduled_actor* self,
          caf::message_view& what) -> caf::result<caf::message> {
      log->note(self->current_sender(),
                [&] { return types_of(*self, what.content()); });
      if (self->current_mailbox_element()->mid.is_request())
        return make_error(errc::malformed,
                          std::string{self->name()} + " knows no such message");
      return caf::delegated<caf::message>{};
    });
  self->set_error_handler([log](caf::scheduled_actor* self, caf::error& what) {
    log->note(self->current_sender(),
              [&] { return "an error, " + describe(what).detail + ","; });
  });
  self->set_down_handler(
    [log](caf::scheduled_actor* self, caf::down_msg& what) {
      log->note(self->current_sender(), [&] {
        return "the end of an actor that it does not know, "
               + caf::to_string(what.reason) + ",";
      });
    });
}

} // namespace troupe
