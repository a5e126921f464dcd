// Listener: takes in the connections of one address.
// Threads: the core loop's.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace millrace::gateway {

struct HttpAnswer;

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Take = std::function<void(int socket)>;  // an accepted one, non-blocking

  Listener(boost::asio::io_context& loop, Take take) : acceptor_(loop), take_(std::move(take)) {}

  Result<uint16_t> open(const std::string& address, uint16_t port);  // MR-API-0033, MR-API-0034
  void tick();                                                       // goes on after descriptors had run out
  void close();

 private:
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  const Take take_;
  bool accept_at_tick_ = false, closed_ = false;
};

// Gives a word to a client that gets no connection, if its buffer takes it, and no attention.
void answer_and_close(int socket, const HttpAnswer& answer);

}  // namespace millrace::gateway
