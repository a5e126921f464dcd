// Transport: a client's socket as connections see it: bytes in, bytes out, whether or not TLS is spoken below.
//
// Why:     HTTP and WebSocket do not ask what is on the wire. Without TLS every call is Asio's own.
// Owns:    the socket and, with TLS, its session.
// Ends:    a TLS peer that goes without saying so (close_notify) has not ended, it is lost: an error, never eof.
// Threads: the core loop's. Whoever calls lives until every handler that it gave was called; close() makes them be called
//          soon, with operation_aborted.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "event-gateway/tls_session.h"

namespace millrace::gateway {

class Transport {
 public:
  using ErrorCode = boost::system::error_code;
  using Moved = std::function<void(const ErrorCode&, size_t)>;
  enum class Handshake : uint8_t { kDone, kFailed, kPlainText };  // kPlainText: what came is no TLS but text
  using Shaken = std::function<void(Handshake)>;

  // Takes over an accepted socket; `tls` null: it speaks none.
  Transport(boost::asio::io_context& loop, int socket, std::unique_ptr<TlsSession> tls = nullptr);

  void async_handshake(Shaken done);  // with TLS, before anything else
  template <typename Handler>
  void async_read_some(boost::asio::mutable_buffer to, Handler handler) {
    if (tls_ != nullptr) return read_tls(to, std::move(handler));
    socket_.async_read_some(to, std::move(handler));
  }
  // would_block: nothing was taken. With TLS what follows begins with the same bytes, and is no shorter.
  size_t write_some(std::string_view bytes, ErrorCode& ec) {
    if (tls_ != nullptr) return write_tls(bytes, ec);
    return socket_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  }
  template <typename Handler>
  void async_write_some(std::string_view bytes, Handler handler) {
    if (tls_ != nullptr) return wait_and_write(bytes, std::move(handler));
    socket_.async_write_some(boost::asio::buffer(bytes.data(), bytes.size()), std::move(handler));
  }
  std::string peer() const;  // the other side's address; empty: it has gone
  bool speaks_tls() const { return tls_ != nullptr; }
  void cancel();         // the read that waits ends, with what has come or operation_aborted
  bool shutdown_send();  // no more bytes come from here; false: the peer has gone
  void close();
  int release();  // the socket, with nothing said on it; -1: not possible. Before a handshake is done only

 private:
  void shake(Shaken done);
  void read_tls(boost::asio::mutable_buffer to, Moved handler);
  void go_on_reading(boost::asio::mutable_buffer to, Moved handler);
  void receive(std::function<void(const ErrorCode&)> then);
  void wait_for_room(std::function<void(const ErrorCode&)> then);
  size_t write_tls(std::string_view bytes, ErrorCode& ec);
  void wait_and_write(std::string_view bytes, Moved handler);

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_;
  bool cancelled_ = false, closed_ = false;
};

}  // namespace millrace::gateway
