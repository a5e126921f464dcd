#include "event-gateway/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <ctime>

#include "event-gateway/http_context.h"
#include "event-gateway/http_status.h"

namespace millrace::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsAtOnce = 64;

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string date_line() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  return std::string(text, size);
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  }
  return text;
}

std::string local_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return address_text(address);
}

}  // namespace

void HttpContext::post(std::function<void()> work) {
  asio::post(loop, std::move(work));
}

void HttpContext::bury(std::unique_ptr<BodySource> source) {
  buried_.push_back(std::move(source));
  if (buried_.size() > 1) return;
  post([self = shared_from_this()] { self->exhume(); });
}

void HttpContext::remove(ServerConnection& connection) {
  const size_t index = connection.index;
  if (index >= connections.size() || connections[index].get() != &connection) return;
  std::swap(connections[index], connections.back());
  connections[index]->index = index;
  connections.pop_back();
}

void HttpContext::replace(ServerConnection& connection, std::shared_ptr<ServerConnection> by) {
  by->index = connection.index;
  connections[by->index] = std::move(by);
}

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(asio::io_context& loop, HttpOptions options, HttpBackend backend)
      : context(std::make_shared<HttpContext>(loop, std::move(options), std::move(backend))),
        acceptor(loop),
        timer(loop) {
    context->now_ms = steady_ms();
    context->date = date_line();
  }

  Result<uint16_t> listen();
  void accept();
  void take(int fd);
  void refuse(int fd);
  void arm_timer();
  void tick();
  void shut();

  std::shared_ptr<HttpContext> context;
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  bool accept_at_tick = false;  // no file descriptors were left
  bool shut_down = false;
};

Result<uint16_t> HttpServer::Impl::listen() {
  TRY(context->handlers.open());
  const HttpOptions& o = context->options;
  std::string host = o.address == "localhost" ? "127.0.0.1" : o.address;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  ErrorCode ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec) {
    return error(Code::kInvalid, "MR-API-0034", fmt::format("\"{}\" is not an IP address", o.address),
                 "write it like 127.0.0.1");
  }
  const tcp::endpoint endpoint(address, o.port);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(kBacklog, ec);
  if (!ec) acceptor.native_non_blocking(true, ec);
  if (ec) {
    return error(Code::kUnavailable, "MR-API-0033", fmt::format("cannot listen on {}:{}", o.address, o.port),
                 ec == asio::error::address_in_use
                     ? "another process listens there: stop it, or take another port"
                     : ec.message());
  }
  accept();
  arm_timer();
  return acceptor.local_endpoint(ec).port();
}

void HttpServer::Impl::accept() {
  acceptor.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](const ErrorCode& ec) {
    if (ec || self->shut_down || self->context->stopping) return;
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
      const int fd =
          ::accept4(self->acceptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
        self->accept_at_tick = true;
        return;
      }
      if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (fd >= 0) self->take(fd);
    }
    self->accept();
  });
}

void HttpServer::Impl::take(int fd) {
  if (context->connections.size() >= context->options.max_connections) return refuse(fd);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ++context->counters.connections;
  auto connection = make_http_connection(context, fd, local_address(fd));
  if (connection == nullptr) return;
  connection->index = context->connections.size();
  context->connections.push_back(connection);
  connection->start();
}

// Too many connections: this one gets a word, if its buffer takes it, and no attention.
void HttpServer::Impl::refuse(int fd) {
  ++context->counters.connections_refused;
  ++context->counters.refusals;
  const auto answer = problem(503, error(Code::kUnavailable, "MR-API-0016", "too many connections",
                                         "close what is not needed, or try again later"));
  const std::string text = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {}\r\nRetry-After: 1\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      answer.content_type, answer.body.size(), answer.body);
  [[maybe_unused]] const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
  char request[4096];  // closing on unread bytes would take the answer back
  [[maybe_unused]] const auto got = ::recv(fd, request, sizeof request, MSG_DONTWAIT);
  ::close(fd);
}

void HttpServer::Impl::arm_timer() {
  const HttpOptions& o = context->options;
  const auto shortest =
      std::min({o.header_timeout, o.body_timeout, o.idle_timeout, o.write_timeout, o.heartbeat});
  timer.expires_after(std::clamp(shortest / 4, HttpOptions::Duration(5), HttpOptions::Duration(250)));
  timer.async_wait([self = shared_from_this()](const ErrorCode& ec) {
    if (ec || self->shut_down) return;
    self->tick();
    self->arm_timer();
  });
}

void HttpServer::Impl::tick() {
  context->now_ms = steady_ms();
  context->date = date_line();
  // Backwards: one that closes is replaced by the last, which had its turn.
  for (size_t i = context->connections.size(); i-- > 0;) {
    if (i >= context->connections.size()) continue;
    const auto connection = context->connections[i];
    connection->tick(context->now_ms);
  }
  if (std::exchange(accept_at_tick, false) && !context->stopping) accept();
}

void HttpServer::Impl::shut() {
  shut_down = true;
  ErrorCode ec;
  acceptor.close(ec);
  timer.cancel();
  const auto all = context->connections;
  for (const auto& connection : all) connection->close();
  context->exhume();  // subscriptions point into what may be gone before the loop turns again
}

HttpServer::HttpServer(asio::io_context& loop, HttpOptions options, HttpBackend backend)
    : impl_(std::make_shared<Impl>(loop, std::move(options), std::move(backend))) {}

HttpServer::~HttpServer() {
  impl_->shut();
}

Result<uint16_t> HttpServer::listen() {
  return impl_->listen();
}

void HttpServer::stop() {
  if (std::exchange(impl_->context->stopping, true)) return;
  ErrorCode ec;
  impl_->acceptor.close(ec);
  impl_->context->now_ms = steady_ms();
  const auto all = impl_->context->connections;
  for (const auto& connection : all) connection->drain();
}

bool HttpServer::idle() const {
  const auto& context = *impl_->context;
  if (context.stopping) return context.connections.empty();
  return std::none_of(context.connections.begin(), context.connections.end(),
                      [](const auto& c) { return c->busy(); });
}

std::string HttpServer::metrics() const {
  const HttpCounters& c = impl_->context->counters;
  std::string out;
  const auto metric = [&](const char* name, const char* type, const char* help, auto value) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type, help,
                   value);
  };
  out +=
      "# HELP millrace_http_requests_total Answers, by class of status\n# TYPE millrace_http_requests_total "
      "counter\n";
  for (size_t i = 2; i < c.by_class.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "millrace_http_requests_total{{class=\"{}xx\"}} {}\n", i,
                   c.by_class[i]);
  }
  metric("millrace_http_connections", "gauge", "Open connections", impl_->context->connections.size());
  metric("millrace_http_connections_total", "counter", "Connections accepted", c.connections);
  metric("millrace_http_connections_refused_total", "counter", "Connections above the bound",
         c.connections_refused);
  metric("millrace_http_subscriptions", "gauge", "Live streams that are open", c.subscriptions);
  metric("millrace_http_websockets", "gauge", "Connections that speak WebSocket",
         impl_->context->counters.websockets);
  metric("millrace_http_refusals_total", "counter", "Answers that said: later (429, 503)", c.refusals);
  metric("millrace_http_timeouts_total", "counter",
         "Connections ended because the client kept the server waiting", c.timeouts);
  metric("millrace_http_bad_framing_total", "counter",
         "Requests that were not valid HTTP, and WebSocket frames that were not valid", c.bad_framing);
  metric("millrace_http_received_bytes_total", "counter", "Bytes received", c.bytes_in);
  metric("millrace_http_sent_bytes_total", "counter", "Bytes sent", c.bytes_out);
  metric("millrace_http_arriving_bytes", "gauge", "Bytes of bodies that are not whole yet",
         impl_->context->arriving_bytes);
  return out;
}

}  // namespace millrace::gateway
