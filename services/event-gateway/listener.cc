#include "event-gateway/listener.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <utility>

#include "event-gateway/http_message.h"
#include "event-gateway/http_status.h"

namespace millrace::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsAtOnce = 64;

}  // namespace

Result<uint16_t> Listener::open(const std::string& name, uint16_t port) {
  std::string host = name == "localhost" ? "127.0.0.1" : name;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  ErrorCode ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec) {
    return error(Code::kInvalid, "MR-API-0034", fmt::format("\"{}\" is not an IP address", name),
                 "write it like 127.0.0.1");
  }
  const tcp::endpoint endpoint(address, port);
  acceptor_.open(endpoint.protocol(), ec);
  if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(kBacklog, ec);
  if (!ec) acceptor_.native_non_blocking(true, ec);
  if (ec) {
    return error(Code::kUnavailable, "MR-API-0033", fmt::format("cannot listen on {}:{}", name, port),
                 ec == asio::error::address_in_use
                     ? "another process listens there: stop it, or take another port"
                     : ec.message());
  }
  accept();
  return acceptor_.local_endpoint(ec).port();
}

void Listener::accept() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](const ErrorCode& ec) {
    for (int i = 0; !ec && !self->closed_ && i < kAcceptsAtOnce; ++i) {
      const int fd =
          ::accept4(self->acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
        self->accept_at_tick_ = true;
        return;
      }
      if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (fd >= 0) self->take_(fd);
    }
    if (!ec && !self->closed_) self->accept();
  });
}

void Listener::tick() {
  if (std::exchange(accept_at_tick_, false) && !closed_) accept();
}

void Listener::close() {
  closed_ = true;
  ErrorCode ec;
  acceptor_.close(ec);
}

void answer_and_close(int socket, const HttpAnswer& answer) {
  std::string text;
  append_head(text, answer, {.last = true});
  text += answer.body;
  [[maybe_unused]] const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket, SHUT_WR);
  char request[4096];  // closing on unread bytes would take the answer back
  [[maybe_unused]] const auto got = ::recv(socket, request, sizeof request, MSG_DONTWAIT);
  ::close(socket);
}

}  // namespace millrace::gateway
