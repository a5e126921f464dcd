#include "net/http_client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>

#include "fmt/format.h"

namespace millrace::net {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::string reason(int number) {
  return std::generic_category().message(number);
}

Error not_http(std::string what) {
  return error(Code::kCorrupt, "MR-CLI-0003", "the answer is not HTTP/1.1: " + std::move(what),
               "is this a Millrace server's address?");
}

// Waits until the socket is ready; false after the time-out.
bool is_ready(int fd, short events, std::chrono::milliseconds timeout, int cancel_fd = -1) {
  pollfd both[] = {{fd, events, 0}, {cancel_fd, POLLIN, 0}};  // a negative one is passed over
  const int wait = timeout.count() == 0 ? -1 : static_cast<int>(timeout.count());
  int n = 0;
  do {
    n = ::poll(both, 2, wait);
  } while (n < 0 && errno == EINTR);
  return n > 0;
}

bool is_cancelled(int cancel_fd) {
  pollfd one{cancel_fd, POLLIN, 0};
  return cancel_fd >= 0 && ::poll(&one, 1, 0) > 0;
}

Error cancelled() {
  return error(Code::kCancelled, "MR-CLI-0015", "cancelled");
}

// One address: 0, or the errno of what failed.
int connect_to(int fd, const addrinfo& address, std::chrono::milliseconds timeout, int cancel_fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!is_ready(fd, POLLOUT, timeout, cancel_fd)) return ETIMEDOUT;
  if (is_cancelled(cancel_fd)) return ECANCELED;
  int failure = 0;
  socklen_t size = sizeof failure;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  return failure;
}

constexpr std::string_view kScheme = "http://", kTlsScheme = "https://";

bool is_success(int status) {
  return status >= 200 && status < 300;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto bad = [&] {
    return error(Code::kInvalid, "MR-CLI-0004", fmt::format("not a server's address: {}", text),
                 "write http://HOST:PORT or https://HOST:PORT, like http://127.0.0.1:8080");
  };
  Url url;
  url.tls = text.starts_with(kTlsScheme);
  if (text.size() > 1024 || (!url.tls && !text.starts_with(kScheme))) return bad();
  std::string_view rest = text.substr(url.tls ? kTlsScheme.size() : kScheme.size());
  if (url.tls) url.port = 443;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos) return bad();
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos) {
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (failure != std::errc() || end != port.data() + port.size() || url.port == 0) return bad();
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return bad();
  url.host = std::string(rest);
  return url;
}

std::string Url::text() const {
  return fmt::format("{}{}:{}", tls ? kTlsScheme : kScheme, host, port);
}

std::string HttpAnswer::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

Error HttpClient::unreachable(const std::string& why) const {
  return error(
      Code::kUnavailable, "MR-CLI-0001", fmt::format("no answer from {}: {}", url_.text(), why),
      "is the server running? start one with: millrace serve --data DIR, or choose it with --server");
}

std::chrono::milliseconds HttpClient::at_most(std::chrono::milliseconds wait) const {
  if (options_.whole.count() == 0) return wait;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
  const auto most = std::max(left, std::chrono::milliseconds(1));
  return wait.count() == 0 ? most : std::min(wait, most);
}

void HttpClient::close() {
  tls_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  buffer_.clear();
}

Status HttpClient::connect() {
  if (url_.tls && trust_ == nullptr) {
    TRY_ASSIGN(trust_, TlsTrust::load(options_.ca_file));
  }
  TRY(connect_socket());
  if (!url_.tls) return {};
  TRY_ASSIGN(tls_, TlsClient::connect(*trust_, fd_, url_.host, at_most(options_.connect)));
  return {};
}

Status HttpClient::connect_socket() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(url_.host.c_str(), std::to_string(url_.port).c_str(), &hints, &found);
  if (code != 0) return unreachable(::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int failure = ECONNREFUSED;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    fd_ = ::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd_ < 0) continue;
    failure = connect_to(fd_, *a, at_most(options_.connect), options_.cancel_fd);
    if (failure == 0) {
      const int on = 1;
      ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return {};
    }
    close();
    if (failure == ECANCELED) return cancelled();
  }
  return unreachable(reason(failure));
}

Status HttpClient::wait_for(short events, std::string_view too_late) {
  const bool ready =
      is_ready(fd_, tls_ != nullptr ? tls_->wants() : events, at_most(options_.answer), options_.cancel_fd);
  if (is_cancelled(options_.cancel_fd)) return cancelled();
  if (ready) return {};
  return error(Code::kDeadline, "MR-CLI-0002", std::string(too_late));
}

Status HttpClient::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n =
        tls_ != nullptr ? tls_->send(bytes) : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      TRY(wait_for(POLLOUT, "the server does not take the request"));
    } else if (errno != EINTR) {
      return unreachable(reason(errno));
    }
  }
  return {};
}

Result<bool> HttpClient::receive() {
  char piece[64 << 10];
  while (true) {
    if (is_cancelled(options_.cancel_fd)) return cancelled();
    const ssize_t n =
        tls_ != nullptr ? tls_->receive(piece, sizeof piece) : ::recv(fd_, piece, sizeof piece, 0);
    if (n > 0) {
      received_ = true;
      buffer_.append(piece, static_cast<size_t>(n));
      return true;
    }
    if (n == 0) return false;
    if (errno == EAGAIN) {
      const auto most = options_.whole.count() > 0 ? options_.whole : options_.answer;
      TRY(wait_for(POLLIN, fmt::format("no answer from the server within {} s", most.count() / 1000)));
    } else if (errno != EINTR) {
      return unreachable(reason(errno));
    }
  }
}

std::string HttpClient::render(const HttpRequest& request) const {
  const bool literal_v6 = url_.host.find(':') != std::string::npos;
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}{}{}:{}\r\n", request.method, request.target,
                                literal_v6 ? "[" : "", url_.host, literal_v6 ? "]" : "", url_.port);
  for (const auto& [name, value] : request.headers) out += fmt::format("{}: {}\r\n", name, value);
  if (!options_.token.empty()) out += fmt::format("Authorization: Bearer {}\r\n", options_.token);
  if (!request.body.empty() || request.method == "POST") {
    out += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  return out + "\r\n";
}

Result<HttpAnswer> HttpClient::call(const HttpRequest& request, const Sink& sink) {
  const std::string head = render(request);
  const bool reused = fd_ >= 0;
  deadline_ = std::chrono::steady_clock::now() + options_.whole;
  const auto attempt = [&]() -> Result<HttpAnswer> {
    received_ = false;
    stopped_ = false;
    if (fd_ < 0) TRY(connect());
    Status sent = send_all(head);
    if (sent.ok()) sent = send_all(request.body);
    if (!sent.ok() && sent.error().id != "MR-CLI-0001") return sent.error();
    // A server that refuses a body stops reading it: then sending fails, and the reason is there to be read.
    auto head_read = read_head();
    if (!head_read.ok()) return sent.ok() ? head_read.error() : sent.error();
    HttpAnswer answer = std::move(*head_read);
    TRY(read_body(answer, sink));
    if (!sent.ok() || stopped_ || lower(answer.header("connection")) == "close") close();
    return answer;
  };
  auto answer = attempt();
  if (!answer.ok()) {
    close();
    // The server may have closed an idle connection; on a new one the request was not seen before.
    if (reused && !received_ && answer.error().id == "MR-CLI-0001") answer = attempt();
    if (!answer.ok()) close();
  }
  return answer;
}

Result<std::string> HttpClient::read_line() {
  size_t from = 0;
  while (true) {
    const size_t end = buffer_.find('\n', from);
    if (end != std::string::npos) {
      std::string line(trim(std::string_view(buffer_).substr(0, end)));
      buffer_.erase(0, end + 1);
      return line;
    }
    from = buffer_.size();
    if (buffer_.size() > kMaxHeader) return not_http("a line is too long");
    TRY_ASSIGN(const bool more, receive());
    if (!more) return unreachable("the connection was closed");
  }
}

// Interim answers (100 Continue) only say that the real one is still to come.
Result<HttpAnswer> HttpClient::read_head() {
  for (int interim = 0; interim < kMaxInterim; ++interim) {
    TRY_ASSIGN(HttpAnswer answer, read_one_head());
    if (answer.status >= 200) return answer;
  }
  return not_http("it never comes to an end");
}

Result<HttpAnswer> HttpClient::read_one_head() {
  TRY_ASSIGN(const std::string first, read_line());
  HttpAnswer answer;
  if (!first.starts_with("HTTP/1.") || first.size() < 12) return not_http(first.substr(0, 80));
  const auto parsed = std::from_chars(first.data() + 9, first.data() + 12, answer.status);
  if (parsed.ec != std::errc() || answer.status < 100) return not_http(first.substr(0, 80));
  size_t bytes = first.size();
  while (true) {
    TRY_ASSIGN(const std::string line, read_line());
    if (line.empty()) break;
    bytes += line.size();
    const size_t colon = line.find(':');
    if (bytes > kMaxHeader || colon == std::string::npos) return not_http("a header cannot be read");
    answer.headers[lower(std::string_view(line).substr(0, colon))] =
        trim(std::string_view(line).substr(colon + 1));
  }
  return answer;
}

Status HttpClient::read_body(HttpAnswer& answer, const Sink& sink) {
  if (answer.status == 204 || answer.status == 304) return {};
  if (lower(answer.header("transfer-encoding")) == "chunked") return read_chunked(answer, sink);
  const std::string length = answer.header("content-length");
  if (length.empty()) return read_to_end(answer, sink);
  uint64_t bytes = 0;
  const auto [end, failure] = std::from_chars(length.data(), length.data() + length.size(), bytes);
  if (failure != std::errc() || end != length.data() + length.size()) return not_http("content-length");
  return read_sized(bytes, answer, sink);
}

Status HttpClient::deliver(std::string_view piece, HttpAnswer& answer, const Sink& sink) {
  if (sink && is_success(answer.status)) {
    stopped_ = !sink(piece);
    return {};
  }
  if (answer.body.size() + piece.size() > kMaxAnswer) return not_http("the answer is too large");
  answer.body.append(piece);
  return {};
}

Status HttpClient::read_sized(uint64_t length, HttpAnswer& answer, const Sink& sink) {
  while (length > 0 && !stopped_) {
    if (buffer_.empty()) {
      TRY_ASSIGN(const bool more, receive());
      if (!more) return unreachable("the connection was closed in the middle of an answer");
    }
    const size_t take = static_cast<size_t>(std::min<uint64_t>(length, buffer_.size()));
    TRY(deliver(std::string_view(buffer_).substr(0, take), answer, sink));
    buffer_.erase(0, take);
    length -= take;
  }
  return {};
}

Status HttpClient::read_chunked(HttpAnswer& answer, const Sink& sink) {
  while (!stopped_) {
    TRY_ASSIGN(const std::string line, read_line());
    uint64_t size = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (parsed.ec != std::errc()) return not_http("a chunk's size");
    if (size == 0) break;
    TRY(read_sized(size, answer, sink));
    if (stopped_) return {};
    TRY_ASSIGN(const std::string end, read_line());
    if (!end.empty()) return not_http("a chunk's end");
  }
  if (stopped_) return {};
  while (true) {  // trailers
    TRY_ASSIGN(const std::string line, read_line());
    if (line.empty()) return {};
  }
}

Status HttpClient::read_to_end(HttpAnswer& answer, const Sink& sink) {
  while (!stopped_) {
    if (!buffer_.empty()) TRY(deliver(buffer_, answer, sink));
    buffer_.clear();
    TRY_ASSIGN(const bool more, receive());
    if (!more) break;
  }
  stopped_ = true;  // the connection cannot be used again
  return {};
}

}  // namespace millrace::net
