#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <caf/expected.hpp>

namespace troupe {

/// Looks up hosts by the system's resolver, which blocks for as long as a name
/// server does not answer: each name on a thread of its own, so that it holds
/// up no other name, and nobody's end. For one thread, the context's.
class name_lookup {
public:
  using addresses = caf::expected<std::vector<boost::asio::ip::address>>;
  using handler = std::function<void(const addresses&)>;
  /// Blocks. Errors: unavailable.
  using resolver = addresses (*)(const std::string& host);

  /// Names that are looked up at a time.
  static constexpr std::size_t max_names = 64;

  explicit name_lookup(boost::asio::io_context& context,
                       resolver resolve = ask_system);

  /// What is under way ends without being heard of.
  ~name_lookup();

  name_lookup(const name_lookup&) = delete;
  name_lookup& operator=(const name_lookup&) = delete;

  /// Calls `done` on the context's thread, never from within. Who asks for a
  /// name that is being looked up gets the same answer. Errors: unavailable
  /// (there is no such name), overloaded (`max_names`).
  void start(const std::string& host, handler done);

private:
  struct way_back;

  static addresses ask_system(const std::string& host);

  void finish(const std::string& host, const addresses& found);

  boost::asio::io_context& context_;
  resolver resolve_;
  std::map<std::string, std::vector<handler>> waiting_;
  std::shared_ptr<way_back> way_back_;
};

} // namespace troupe
