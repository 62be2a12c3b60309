#pragma once

#include <functional>
#include <memory>

#include "http/client/local_failure.hpp"
#include "http/proxy/backend.hpp"

namespace troupe::proxying {

/// Opens one connection to a server: resolves its name unless that is known,
/// then tries its addresses in turn.
class connector : public std::enable_shared_from_this<connector> {
public:
  using error_code = boost::system::error_code;
  /// The failure, or none and a connected socket with its descriptor.
  using callback =
    std::function<void(error_code, tcp_socket, descriptor_share)>;

  /// `done` is called once, later, unless `cancel` comes first.
  static std::shared_ptr<connector> start(boost::asio::io_context& loop,
                                          std::shared_ptr<backend> target,
                                          descriptor_share descriptor,
                                          callback done);

  connector(boost::asio::io_context& loop, std::shared_ptr<backend> target,
            descriptor_share descriptor, callback done);

  void cancel();

private:
  using tcp = boost::asio::ip::tcp;

  void resolve();
  void try_next(error_code last_failure);
  void finish(error_code failure);

  boost::asio::io_context& loop_;
  std::shared_ptr<backend> target_;
  callback done_;
  descriptor_share descriptor_;
  tcp_socket socket_;
  std::unique_ptr<tcp::resolver> resolver_;
  backend::addresses left_;
  connect_failures failures_;
};

} // namespace troupe::proxying
