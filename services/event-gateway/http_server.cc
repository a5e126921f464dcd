#include "event-gateway/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <ctime>

#include "event-gateway/http_context.h"
#include "event-gateway/http_status.h"
#include "event-gateway/listener.h"
#include "event-gateway/tls_handshake.h"

namespace millrace::gateway {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

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

Error stopping() {
  return error(Code::kUnavailable, "MR-NODE-0014", "the node is stopping: it takes nothing new in",
               "send it again: to another node, or to this one when it is back");
}

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
      : context(std::make_shared<HttpContext>(loop, std::move(options), std::move(backend))), timer(loop) {
    context->now_ms = steady_ms();
    context->date = date_line();
  }

  Result<uint16_t> listen();
  Result<uint16_t> listen_at(const std::string& address, uint16_t port, std::shared_ptr<TlsCertificates> with,
                             Face face);
  Result<uint16_t> add_listener(const std::string& address, uint16_t port, Listener::Take take);
  Status open();
  Status check_addresses() const;
  bool admit(int fd);
  void take(int fd, Face face);
  void take_tls(int fd, Face face);
  void begin(std::shared_ptr<ServerConnection> connection);
  static void refuse(int fd);
  void arm_timer();
  void tick();
  void shut();

  std::shared_ptr<HttpContext> context;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<std::string> guarded;               // addresses where tokens alone tell who may what
  std::shared_ptr<TlsCertificates> certificates;  // null: no TLS
  asio::steady_timer timer;
  bool opened = false, shut_down = false;
};

// Once, whichever listener comes first.
Status HttpServer::Impl::open() {
  if (opened) return {};
  TRY(context->handlers.open());
  opened = true;
  arm_timer();
  return {};
}

Result<uint16_t> HttpServer::Impl::listen() {
  const HttpOptions& o = context->options;
  return listen_at(o.address, o.port, nullptr, Face::kPlatform);
}

Result<uint16_t> HttpServer::Impl::listen_at(const std::string& address, uint16_t port,
                                             std::shared_ptr<TlsCertificates> with, Face face) {
  if (with == nullptr || !with->demands_certificates()) guarded.push_back(address);
  if (with == nullptr) return add_listener(address, port, [this, face](int fd) { take(fd, face); });
  certificates = std::move(with);
  return add_listener(address, port, [this, face](int fd) { take_tls(fd, face); });
}

Result<uint16_t> HttpServer::Impl::add_listener(const std::string& address, uint16_t port,
                                                Listener::Take take) {
  TRY(open());
  TRY(check_addresses());
  listeners.push_back(std::make_shared<Listener>(context->loop, std::move(take)));
  return listeners.back()->open(address, port);
}

// Whether there are tokens is known when there is a node: until then nothing is served.
Status HttpServer::Impl::check_addresses() const {
  if (!context->backend.tenant) return {};
  for (const auto& address : guarded) TRY(context->handlers.check_address(address));
  return {};
}

bool HttpServer::Impl::admit(int fd) {
  if (context->connections.size() >= context->options.max_connections) {
    ++context->counters.connections_refused;
    ++context->counters.refusals;
    return false;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ++context->counters.connections;
  return true;
}

void HttpServer::Impl::take(int fd, Face face) {
  if (!admit(fd)) return refuse(fd);
  begin(
      make_http_connection(context, std::make_unique<Transport>(context->loop, fd), local_address(fd), face));
}

// One too many is told nothing: a word that it can read would cost a handshake.
void HttpServer::Impl::take_tls(int fd, Face face) {
  if (!admit(fd)) {
    ::close(fd);
    return;
  }
  begin(make_tls_handshake(context, fd, local_address(fd), certificates->current(), face));
}

void HttpServer::Impl::begin(std::shared_ptr<ServerConnection> connection) {
  connection->index = context->connections.size();
  context->connections.push_back(connection);
  connection->start();
}

void HttpServer::Impl::refuse(int fd) {
  HttpAnswer answer = problem(503, error(Code::kUnavailable, "MR-API-0016", "too many connections",
                                         "close what is not needed, or try again later"));
  answer.fields = "Retry-After: 1\r\n";
  answer_and_close(fd, answer);
}

void HttpServer::Impl::arm_timer() {
  const HttpOptions& o = context->options;
  const auto shortest = std::min(
      {o.header_timeout, o.body_timeout, o.idle_timeout, o.write_timeout, o.handshake_timeout, o.heartbeat});
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
  for (const auto& listener : listeners) listener->tick();
  if (certificates != nullptr) certificates->tick(context->now_ms);
  context->handlers.keep_uses(false);
}

void HttpServer::Impl::shut() {
  shut_down = true;
  for (const auto& listener : listeners) listener->close();
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

Result<uint16_t> HttpServer::listen_tls(const std::string& address, uint16_t port,
                                        std::shared_ptr<TlsCertificates> certificates) {
  return impl_->listen_at(address, port, std::move(certificates), Face::kPlatform);
}

Result<uint16_t> HttpServer::listen_schema_registry(const std::string& address, uint16_t port,
                                                    std::shared_ptr<TlsCertificates> certificates) {
  return impl_->listen_at(address, port, std::move(certificates), Face::kSchemaRegistry);
}

void HttpServer::reload_certificates() {
  if (impl_->certificates != nullptr) impl_->certificates->reload();
}

Status HttpServer::use(HttpBackend backend) {
  impl_->context->backend = std::move(backend);
  TRY(impl_->check_addresses());
  return impl_->context->handlers.open();
}

void HttpServer::stop() {
  for (const auto& listener : impl_->listeners) listener->close();
  drain();
}

void HttpServer::drain() {
  if (std::exchange(impl_->context->stopping, true)) return;
  impl_->context->handlers.keep_uses(true);
  impl_->context->now_ms = steady_ms();
  const auto all = impl_->context->connections;
  for (const auto& connection : all) connection->drain();
}

bool HttpServer::idle() const {
  const auto& context = *impl_->context;
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
  metric("millrace_http_denied_total", "counter", "Answers that said: not you (401, 403)", c.denied);
  metric("millrace_http_timeouts_total", "counter",
         "Connections ended because the client kept the server waiting", c.timeouts);
  metric("millrace_http_bad_framing_total", "counter",
         "Requests that were not valid HTTP, and WebSocket frames that were not valid", c.bad_framing);
  metric("millrace_http_received_bytes_total", "counter", "Bytes received", c.bytes_in);
  metric("millrace_http_sent_bytes_total", "counter", "Bytes sent", c.bytes_out);
  metric("millrace_http_arriving_bytes", "gauge", "Bytes of bodies that are not whole yet",
         impl_->context->arriving_bytes);
  if (impl_->certificates == nullptr) return out;
  metric("millrace_tls_handshakes_total", "counter", "TLS handshakes done", c.handshakes);
  metric("millrace_tls_handshakes_failed_total", "counter", "Connections that came to no TLS handshake",
         c.handshakes_failed);
  metric("millrace_tls_certificates_refused_total", "counter",
         "Times that a new certificate could not be used", impl_->certificates->refused());
  metric("millrace_tls_certificate_expires_seconds", "gauge",
         "When the certificate in use ends, as Unix time", impl_->certificates->current()->expires_s());
  return out;
}

}  // namespace millrace::gateway
