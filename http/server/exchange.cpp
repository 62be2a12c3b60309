#include "http/server/exchange.hpp"

#include <boost/beast/core/string.hpp>

namespace troupe {

namespace {

/// The path of an absolute URI (RFC 9112 §3.2.2), or npos.
std::size_t path_of_absolute(std::string_view target) {
  auto scheme = target.find("://");
  if (scheme == std::string_view::npos || scheme == 0)
    return std::string_view::npos;
  auto path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos || target[path] != '/'
           ? std::string_view::npos
           : path;
}

} // namespace

http_request::range http_request::append(std::string_view text) {
  range result{static_cast<std::uint32_t>(text_.size()),
               static_cast<std::uint32_t>(text.size())};
  text_.append(text);
  return result;
}

bool http_request::set_target(std::string_view target) {
  text_.reserve(512);
  target_ = append(target);
  if (target == "*") {
    path_ = target_;
    return true;
  }
  std::size_t begin = 0;
  if (!target.starts_with('/'))
    begin = path_of_absolute(target);
  if (begin == std::string_view::npos)
    return false;
  auto mark = target.find('?', begin);
  auto end = mark == std::string_view::npos ? target.size() : mark;
  path_ = {static_cast<std::uint32_t>(begin),
           static_cast<std::uint32_t>(end - begin)};
  if (mark != std::string_view::npos)
    query_ = {static_cast<std::uint32_t>(mark + 1),
              static_cast<std::uint32_t>(target.size() - mark - 1)};
  return true;
}

void http_request::add_header(std::string_view name, std::string_view value) {
  auto where = append(name);
  fields_.push_back({where, append(value)});
}

std::string_view http_request::header(std::string_view name) const {
  for (auto& entry : fields_) {
    auto candidate = view(entry.name);
    if (candidate.size() == name.size()
        && boost::beast::iequals({candidate.data(), candidate.size()},
                                 {name.data(), name.size()}))
      return view(entry.value);
  }
  return {};
}

http_exchange::http_exchange(http_request request,
                             caf::intrusive_ptr<answer_channel> channel,
                             std::uint64_t sequence)
  : request_(std::move(request)), channel_(std::move(channel)),
    sequence_(sequence) {
}

http_exchange::~http_exchange() {
  if (!answered_.load())
    channel_->abandon(sequence_);
}

void http_exchange::respond(http_response answer) {
  if (!answered_.exchange(true))
    channel_->deliver(sequence_, std::move(answer));
}

} // namespace troupe
