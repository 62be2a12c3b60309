#include "actors/cache_shard/entry.hpp"

#include <cstring>
#include <new>

namespace troupe {

namespace {

/// memcpy for sizes of 0, where an empty view's pointer may be null.
void copy(char* to, const void* from, std::size_t size) noexcept {
  if (size > 0)
    std::memcpy(to, from, size);
}

} // namespace

void entry_deleter::operator()(entry* x) const noexcept {
  x->~entry();
  ::operator delete(static_cast<void*>(x));
}

entry_ptr entry::make(std::string_view key, std::string_view value,
                      value_encoding encoding, deadline expires) {
  auto size = size_for(key.size(), value.size(), expires.has_value());
  entry_ptr result{new (::operator new(size)) entry};
  result->key_size_ = static_cast<std::uint32_t>(key.size());
  result->has_deadline_ = expires ? 1 : 0;
  copy(result->tail() + result->deadline_size(), key.data(), key.size());
  result->fill(value, encoding, expires);
  return result;
}

bool entry::assign(std::string_view value, value_encoding encoding,
                   deadline expires) noexcept {
  if (value.size() != value_size_ || expires.has_value() != has_deadline())
    return false;
  fill(value, encoding, expires);
  return true;
}

void entry::fill(std::string_view value, value_encoding encoding,
                 deadline expires) noexcept {
  value_size_ = static_cast<std::uint32_t>(value.size());
  encoding_ = static_cast<std::uint32_t>(encoding);
  if (expires)
    std::memcpy(tail(), &*expires, sizeof(time_point));
  copy(tail() + deadline_size() + key_size_, value.data(), value.size());
}

std::int64_t entry::ttl_ms(time_point now) const noexcept {
  using namespace std::chrono;
  if (!has_deadline())
    return no_ttl;
  return ceil<milliseconds>(read_deadline() - now).count();
}

entry::time_point entry::read_deadline() const noexcept {
  time_point result;
  std::memcpy(&result, tail(), sizeof(result));
  return result;
}

} // namespace troupe
