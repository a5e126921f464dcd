#include "event-gateway/transport.h"

#include <boost/asio/post.hpp>

namespace millrace::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using Step = TlsSession::Step;

Transport::Transport(asio::io_context& loop, int socket, std::unique_ptr<TlsSession> tls)
    : socket_(loop, tcp::v4(), socket), tls_(std::move(tls)) {
  // Else Asio makes a direct write wait for a client that does not read, and the whole loop with it.
  ErrorCode ec;
  socket_.non_blocking(true, ec);
}

std::string Transport::peer() const {
  ErrorCode ec;
  const auto endpoint = socket_.remote_endpoint(ec);
  return ec ? std::string() : endpoint.address().to_string();
}

void Transport::cancel() {
  cancelled_ = true;
  ErrorCode ec;
  socket_.cancel(ec);
}

bool Transport::shutdown_send() {
  if (tls_ != nullptr) tls_->say_end();
  ErrorCode ec;
  socket_.shutdown(tcp::socket::shutdown_send, ec);
  return !ec;
}

void Transport::close() {
  if (std::exchange(closed_, true)) return;
  if (tls_ != nullptr) tls_->say_end();
  ErrorCode ec;
  socket_.close(ec);
}

int Transport::release() {
  ErrorCode ec;
  const int socket = socket_.release(ec);
  closed_ = true;
  return ec ? -1 : socket;
}

// ---- with TLS

void Transport::async_handshake(Shaken done) {
  receive([this, done = std::move(done)](const ErrorCode& ec) mutable {
    if (ec) return done(Handshake::kFailed);
    if (tls_->begins_as_text()) return done(Handshake::kPlainText);
    shake(std::move(done));
  });
}

void Transport::shake(Shaken done) {
  auto again = [this, done](const ErrorCode& ec) {
    if (ec) return done(Handshake::kFailed);
    shake(done);
  };
  switch (tls_->shake()) {
    case Step::kDone:
      return done(Handshake::kDone);
    case Step::kWantsInput:
      return receive(std::move(again));
    case Step::kWantsRoom:
      return wait_for_room(std::move(again));
    case Step::kEnded:
    case Step::kFailed:
      return done(Handshake::kFailed);
  }
}

// Never calls the handler from inside, as Asio does not.
void Transport::read_tls(asio::mutable_buffer to, Moved handler) {
  cancelled_ = false;
  if (tls_->has_input()) {
    asio::post(socket_.get_executor(),
               [this, to, handler = std::move(handler)]() mutable { go_on_reading(to, std::move(handler)); });
    return;
  }
  receive([this, to, handler = std::move(handler)](const ErrorCode& ec) mutable {
    if (ec) return handler(ec, 0);
    go_on_reading(to, std::move(handler));
  });
}

void Transport::go_on_reading(asio::mutable_buffer to, Moved handler) {
  if (closed_) return handler(asio::error::operation_aborted, 0);
  size_t got = 0;
  const Step step = tls_->read(static_cast<char*>(to.data()), to.size(), got);
  if (step == Step::kDone) return handler({}, got);
  if (step == Step::kEnded) return handler(asio::error::eof, 0);
  if (step == Step::kFailed) return handler(asio::error::connection_aborted, 0);
  if (cancelled_) return handler(asio::error::operation_aborted, 0);
  auto again = [this, to, handler = std::move(handler)](const ErrorCode& ec) mutable {
    if (ec) return handler(ec, 0);
    go_on_reading(to, std::move(handler));
  };
  step == Step::kWantsInput ? receive(std::move(again)) : wait_for_room(std::move(again));
}

// Bytes as they are on the wire. Their end without close_notify, which the session has not seen, is a cut.
void Transport::receive(std::function<void(const ErrorCode&)> then) {
  const auto room = tls_->room();
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [this, then = std::move(then)](const ErrorCode& ec, size_t bytes) {
                            if (closed_) return then(asio::error::operation_aborted);
                            if (ec == asio::error::eof) return then(asio::error::connection_aborted);
                            tls_->received(bytes);
                            then(ec);
                          });
}

void Transport::wait_for_room(std::function<void(const ErrorCode&)> then) {
  socket_.async_wait(tcp::socket::wait_write, [this, then = std::move(then)](const ErrorCode& ec) {
    then(closed_ ? asio::error::operation_aborted : ec);
  });
}

size_t Transport::write_tls(std::string_view bytes, ErrorCode& ec) {
  size_t took = 0;
  const Step step = tls_->write(bytes, took);
  if (step == Step::kDone) {
    ec.clear();
  } else if (step == Step::kWantsRoom) {
    ec = asio::error::would_block;
  } else {
    ec = asio::error::connection_aborted;
  }
  return took;
}

void Transport::wait_and_write(std::string_view bytes, Moved handler) {
  wait_for_room([this, bytes, handler = std::move(handler)](const ErrorCode& waited) mutable {
    if (waited) return handler(waited, 0);
    ErrorCode ec;
    const size_t took = write_tls(bytes, ec);
    if (ec == asio::error::would_block) return wait_and_write(bytes, std::move(handler));
    handler(ec, took);
  });
}

}  // namespace millrace::gateway
