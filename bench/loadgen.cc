#include "bench/loadgen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include "bench/load_wire.h"
#include "bench/sse_rows.h"
#include "fmt/format.h"

namespace millrace::bench {
namespace {

constexpr int64_t kWindowMs = 1000;
constexpr size_t kDueAt = 7;  // {"due":
constexpr size_t kDueDigits = 19;
constexpr size_t kTsAt = kDueAt + kDueDigits + 6;  // ,"ts":
constexpr size_t kTsDigits = 13;

Error broken(const std::string& doing) {
  return error(Code::kUnavailable, "MR-BENCH-0001", doing + ": " + std::generic_category().message(errno));
}

int64_t clock_ns(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// One event with room for both times.
std::string make_event(int index) {
  const int key = static_cast<int>(int64_t{index} * 7919 % kKeys);
  std::string event = fmt::format(R"({{"due":{:019},"ts":{:013},"k":"k{:07}","sel":{},"v":{}.5,"pad":")", 0,
                                  0, key, index % 10, index % 1000);
  event.append(kEventBytes - 3 - event.size(), 'x');
  return event + "\"}\n";
}

void write_digits(char* at, size_t digits, int64_t value) {
  for (size_t i = digits; i > 0; --i) {
    at[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// The end of a row's one-second window, from "window_start":"2026-01-31T12:00:00Z". Rows of a window come
// together: the last text is remembered.
int64_t window_end_ms(std::string_view row) {
  constexpr std::string_view kName = "\"window_start\":\"";
  static std::string last_text;
  static int64_t last_end = -1;
  const size_t at = row.find(kName);
  if (at == std::string_view::npos || row.size() < at + kName.size() + 19) return -1;
  const std::string_view text = row.substr(at + kName.size(), 19);
  if (text == last_text) return last_end;
  tm parts{};
  last_text = text;
  if (::strptime(last_text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return -1;
  last_end = int64_t{::timegm(&parts)} * 1000 + kWindowMs;
  return last_end;
}

}  // namespace

int64_t monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}

int64_t wall_ms_of(int64_t monotonic) {
  static const int64_t offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
  return (monotonic + offset) / 1'000'000;
}

struct LoadGenerator::Window {
  int64_t due_close = 0;
  int64_t last_row = 0;
  uint64_t rows = 0;
};

struct LoadGenerator::Connection {
  int fd = -1;
  std::unique_ptr<net::TlsClient> tls;
  Source* source = nullptr;  // or
  Subscriber* subscriber = nullptr;
  std::string_view out;   // not yet sent
  std::string out_bytes;  // what `out` views
  std::string in;
  int64_t due = 0;
  bool busy = false;
  bool wants_write = false;
  bool opening = false;  // the handshake is not answered yet
};

struct LoadGenerator::Subscriber {
  SubscriberOptions options;
  Connection connection;
  SseRows rows;
};

struct LoadGenerator::Source {
  SourceOptions options;
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<Connection*> free;
  std::vector<std::string> heads;  // a stream each
  std::vector<std::string> bodies;
  size_t next_head = 0, next_body = 0;
  int64_t next_due = 0;
  std::deque<int64_t> backlog;
  SourceCounts counts;
};

LoadGenerator::LoadGenerator(uint16_t port, uint64_t seed) : port_(port), random_(seed) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
}

LoadGenerator::~LoadGenerator() {
  for (auto& source : sources_) {
    for (auto& connection : source->connections) {
      connection->tls.reset();
      ::close(connection->fd);
    }
  }
  for (auto& subscriber : subscribers_) ::close(subscriber->connection.fd);
  ::close(epoll_);
}

Status LoadGenerator::trust(const std::string& ca_file) {
  TRY_ASSIGN(trust_, net::TlsTrust::load(ca_file));
  return {};
}

size_t LoadGenerator::add_source(SourceOptions options) {
  auto source = std::make_unique<Source>();
  const int per_request = options.events_per_request;
  for (const auto& stream : options.streams) {
    const size_t bytes = static_cast<size_t>(per_request) * kEventBytes;
    source->heads.push_back(options.websocket ? websocket_head(stream, bytes)
                                              : http_head(stream, bytes, options.token));
  }
  // Enough bodies for every key twice, and at least two of large ones.
  const int bodies = std::max(2, 2 * kKeys / per_request);
  for (int b = 0, event = 0; b < bodies; ++b) {
    std::string body;
    for (int i = 0; i < per_request; ++i) body += make_event(event++);
    if (options.websocket) {
      std::replace(body.begin(), body.end(), '\n', ',');
      body.back() = ' ';
      body += kWebSocketTail;
    }
    source->bodies.push_back(std::move(body));
  }
  for (int i = 0; i < options.connections; ++i) {
    source->connections.push_back(std::make_unique<Connection>());
    source->connections.back()->source = source.get();
  }
  source->options = std::move(options);
  sources_.push_back(std::move(source));
  return sources_.size() - 1;
}

void LoadGenerator::add_subscriber(SubscriberOptions options) {
  auto subscriber = std::make_unique<Subscriber>();
  if (options.windows) {
    has_windows_ = true;
    disorder_ms_ = options.disorder_ms;
  }
  subscriber->options = std::move(options);
  subscriber->connection.subscriber = subscriber.get();
  subscribers_.push_back(std::move(subscriber));
}

Status LoadGenerator::open(Connection& connection) {
  const uint16_t tls_port = connection.source != nullptr ? connection.source->options.tls_port : 0;
  const uint16_t port = tls_port != 0 ? tls_port : port_;
  connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return broken(fmt::format("connecting to port {}", port));
  }
  const int on = 1;
  ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(connection.fd, F_SETFL, O_NONBLOCK);
  if (tls_port != 0) {
    TRY_ASSIGN(connection.tls,
               net::TlsClient::connect(*trust_, connection.fd, "127.0.0.1", std::chrono::seconds(10)));
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) return broken("epoll");
  return {};
}

Status LoadGenerator::upgrade(Connection& connection, const std::string& token) {
  connection.opening = true;
  connection.out_bytes = websocket_handshake(token);
  connection.out = connection.out_bytes;
  TRY(flush(connection));
  const int64_t limit = monotonic_ns() + 10'000'000'000;
  while (connection.opening) {
    if (monotonic_ns() > limit) return error(Code::kDeadline, "MR-BENCH-0002", "no answer to the handshake");
    TRY(turn(monotonic_ns() + 5'000'000));
  }
  return {};
}

Status LoadGenerator::connect() {
  for (auto& subscriber : subscribers_) {
    auto& connection = subscriber->connection;
    TRY(open(connection));
    const auto& options = subscriber->options;
    connection.out_bytes = options.stream.empty() ? subscribe_request(options.sql, options.token)
                                                  : follow_request(options.stream, options.token);
    connection.out = connection.out_bytes;
    TRY(flush(connection));
    const int64_t limit = monotonic_ns() + 10'000'000'000;
    while (subscriber->rows.status() == 0) {
      if (monotonic_ns() > limit)
        return error(Code::kDeadline, "MR-BENCH-0002", "no answer to " + connection.out_bytes);
      TRY(turn(monotonic_ns() + 5'000'000));
    }
    if (subscriber->rows.status() != 200) {
      return error(Code::kInternal, "MR-BENCH-0003",
                   fmt::format("{} was answered with {}", connection.out_bytes, subscriber->rows.status()));
    }
  }
  for (auto& source : sources_) {
    for (auto& connection : source->connections) {
      TRY(open(*connection));
      if (source->options.websocket) TRY(upgrade(*connection, source->options.token));
      source->free.push_back(connection.get());
    }
  }
  return {};
}

void LoadGenerator::draw_next(Source& source) {
  const double gap = -std::log(1.0 - random_.unit()) / source.options.requests_per_s;
  source.next_due += static_cast<int64_t>(gap * 1e9);
}

Status LoadGenerator::run(double seconds) {
  const int64_t start = monotonic_ns();
  running_ = true;
  const int64_t end = start + static_cast<int64_t>(seconds * 1e9);
  for (auto& source : sources_) {
    source->next_due = start;
    if (source->options.requests_per_s > 0) {
      draw_next(*source);
      continue;
    }
    source->next_due = INT64_MAX;
    if (source->options.once && source->counts.answered > 0) continue;
    while (!source->free.empty()) {
      Connection* connection = source->free.back();
      source->free.pop_back();
      TRY(send_next(*source, *connection, monotonic_ns()));
    }
  }
  while (true) {
    const int64_t now = monotonic_ns();
    if (now >= end) break;
    if (victim_ > 0 && now - start > 500'000'000) ::kill(std::exchange(victim_, 0), SIGKILL);
    TRY(start_due(now));
    int64_t until = end;
    for (const auto& source : sources_) until = std::min(until, source->next_due);
    TRY(turn(until));
  }
  running_ = false;
  for (auto& source : sources_) source->next_due = INT64_MAX;
  TRY(drain(50));
  settle_windows();
  return {};
}

void LoadGenerator::settle_windows() {
  for (const auto& [end, window] : windows_) {
    if (window.last_row > 0) closes_.record(window.last_row - window.due_close);
  }
  windows_.clear();
}

void LoadGenerator::kill_while_running(int pid) {
  victim_ = pid;
}

void LoadGenerator::reset() {
  for (auto& source : sources_) source->counts = SourceCounts();
  rows_.clear();
  closes_.clear();
  windows_.clear();
  close_rows_ = 0;
}

SourceCounts& LoadGenerator::source(size_t index) {
  return sources_[index]->counts;
}

Status LoadGenerator::drain(int quiet_ms) {
  last_arrival_ = monotonic_ns();
  const int64_t limit = last_arrival_ + 30'000'000'000;
  const auto busy = [&] {
    for (const auto& source : sources_) {
      if (!source->backlog.empty()) return true;
      if (source->free.size() < source->connections.size()) return true;
    }
    return false;
  };
  while (busy() || monotonic_ns() - last_arrival_ < quiet_ms * 1'000'000LL) {
    if (monotonic_ns() > limit)
      return error(Code::kDeadline, "MR-BENCH-0002", "the server did not answer everything");
    TRY(turn(monotonic_ns() + 1'000'000));
  }
  return {};
}

Status LoadGenerator::start_due(int64_t now) {
  for (auto& source : sources_) {
    while (source->next_due <= now) {
      const int64_t due = source->next_due;
      draw_next(*source);
      note_event_time(due);
      if (source->free.empty()) {
        if (source->backlog.size() >= kMaxBacklog) {
          return error(Code::kExhausted, "MR-BENCH-0004",
                       "the server is too slow for the load: the backlog is full");
        }
        source->backlog.push_back(due);
        continue;
      }
      Connection* connection = source->free.back();
      source->free.pop_back();
      TRY(send_next(*source, *connection, due));
    }
  }
  return {};
}

// Keeps, for every window that the events' time has passed, when that was due.
void LoadGenerator::note_event_time(int64_t due) {
  if (!has_windows_) return;
  const int64_t end = (wall_ms_of(due) - disorder_ms_) / kWindowMs * kWindowMs;
  if (end <= last_closed_end_ms_) return;
  const int64_t first = last_closed_end_ms_ == 0 ? end : last_closed_end_ms_ + kWindowMs;
  last_closed_end_ms_ = end;
  for (int64_t at = std::max(first, end - 100 * kWindowMs); at <= end; at += kWindowMs)
    windows_[at].due_close = due;
}

Status LoadGenerator::send_next(Source& source, Connection& connection, int64_t due) {
  const std::string& head = source.heads[source.next_head++ % source.heads.size()];
  const std::string& body = source.bodies[source.next_body++ % source.bodies.size()];
  const int64_t now = monotonic_ns();
  if (now - due > 1'000'000) ++source.counts.late;
  connection.out_bytes.assign(head);
  connection.out_bytes.append(body);
  char due_text[kDueDigits];
  char ts_text[kTsDigits];
  write_digits(due_text, kDueDigits, due + 1'000'000'000'000'000'000);  // 19 digits, no leading zero
  write_digits(ts_text, kTsDigits, wall_ms_of(due));
  char* event = connection.out_bytes.data() + head.size();
  for (int i = 0; i < source.options.events_per_request; ++i, event += kEventBytes) {
    std::memcpy(event + kDueAt, due_text, kDueDigits);
    std::memcpy(event + kTsAt, ts_text, kTsDigits);
  }
  connection.out = connection.out_bytes;
  connection.due = due;
  connection.busy = true;
  return flush(connection);
}

Status LoadGenerator::flush(Connection& connection) {
  while (!connection.out.empty()) {
    const ssize_t n = connection.tls != nullptr
                          ? connection.tls->send(connection.out)
                          : ::send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return broken("sending a request");
    connection.out.remove_prefix(static_cast<size_t>(n));
  }
  if (connection.out.empty() != connection.wants_write) return {};
  connection.wants_write = !connection.out.empty();
  epoll_event event{};
  event.events = connection.wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = &connection;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  return {};
}

Status LoadGenerator::turn(int64_t until) {
  epoll_event events[256];
  const int64_t wait = std::max<int64_t>(0, until - monotonic_ns());
  const timespec timeout{wait / 1'000'000'000, wait % 1'000'000'000};
  const int n = ::epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
  if (n < 0 && errno != EINTR) return broken("epoll");
  for (int i = 0; i < n; ++i) {
    auto& connection = *static_cast<Connection*>(events[i].data.ptr);
    if ((events[i].events & EPOLLOUT) != 0) TRY(flush(connection));
    if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) TRY(on_readable(connection));
  }
  return {};
}

Status LoadGenerator::on_readable(Connection& connection) {
  char piece[256 << 10];
  const ssize_t n = connection.tls != nullptr ? connection.tls->receive(piece, sizeof piece)
                                              : ::recv(connection.fd, piece, sizeof piece, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (n < 0) return broken("receiving");
  if (n == 0) return error(Code::kUnavailable, "MR-BENCH-0005", "the server closed a connection");
  TRY(take(connection, {piece, static_cast<size_t>(n)}));
  // What a record held more than `piece` waits where epoll does not see it.
  return connection.tls != nullptr && connection.tls->holds_more() ? on_readable(connection) : Status();
}

Status LoadGenerator::take(Connection& connection, std::string_view bytes) {
  const int64_t now = monotonic_ns();
  last_arrival_ = now;
  if (connection.subscriber != nullptr) {
    Subscriber& subscriber = *connection.subscriber;
    subscriber.rows.add(bytes, [&](std::string_view row) { on_row(subscriber, row, now); });
    return {};
  }
  connection.in.append(bytes);
  return on_answer(connection);
}

Status LoadGenerator::on_answer(Connection& connection) {
  if (connection.opening) {
    if (!connection.in.ends_with("\r\n\r\n")) return {};
    if (!connection.in.starts_with("HTTP/1.1 101 "))
      return error(Code::kInternal, "MR-BENCH-0003", "the handshake was answered with " + connection.in);
    connection.in.clear();
    connection.opening = false;
    return {};
  }
  Source& source = *connection.source;
  const auto answer = source.options.websocket ? websocket_answer(connection.in) : http_answer(connection.in);
  if (!answer) return {};
  auto& counts = source.counts;
  ++counts.answered;
  if (answer->status == 200 || answer->status == 201 || answer->status == 202) {
    counts.events += static_cast<uint64_t>(std::max<int64_t>(0, answer->accepted));
  } else {
    const bool refused = answer->status == 429 || answer->status == 503;
    if (!refused && counts.failed == 0) counts.failure = connection.in.substr(0, answer->bytes);
    ++(refused ? counts.refused : counts.failed);
  }
  counts.answer.record(monotonic_ns() - connection.due);
  connection.in.erase(0, answer->bytes);
  connection.busy = false;
  if (!source.backlog.empty()) {
    const int64_t due = source.backlog.front();
    source.backlog.pop_front();
    return send_next(source, connection, due);
  }
  if (source.options.requests_per_s == 0 && !source.options.once && running_)
    return send_next(source, connection, monotonic_ns());
  source.free.push_back(&connection);
  return {};
}

void LoadGenerator::on_row(Subscriber& subscriber, std::string_view row, int64_t now) {
  if (!subscriber.options.windows) {
    const int64_t due = number_after(row, "\"due\":");
    if (due > 0) rows_.record(now - (due - 1'000'000'000'000'000'000));
    return;
  }
  const int64_t end = window_end_ms(row);
  ++close_rows_;
  const auto it = windows_.find(end);
  if (it == windows_.end()) return;
  it->second.last_row = now;
  ++it->second.rows;
}

}  // namespace millrace::bench
