// LoadGenerator: one thread, one epoll, hand-written HTTP: as little processor as possible beside the server
// it measures.
//
// Open loop:   a source's requests have due times drawn beforehand (Poisson). A request that finds every
//              connection of its source busy waits, and its waiting is latency: the due time is in the event,
//              and whoever receives a row subtracts it. No coordinated omission.
// Closed loop: rate 0: every connection sends its next request when it has its answer.
// Events:      200 bytes of JSON: {"due":…,"ts":…,"k":"k0001234","sel":0…9,"v":…,"pad":"…"}; due is in
//              nanoseconds of this process's monotonic clock, ts in Unix milliseconds of the same moment;
//              bodies are built beforehand and only those two numbers are written at sending.
// Subscribers: connections that read a SUBSCRIBE's server-sent events: rows with a due time, or a view's
//              final rows.
// Bound:       connections are as many as asked; a backlog of kMaxBacklog requests ends the run with an
//              error.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "bench/samples.h"
#include "net/tls_client.h"

namespace millrace::bench {

int64_t monotonic_ns();

// Wall clock of a monotonic time: one offset for the whole process, so that event time rises with due time.
int64_t wall_ms_of(int64_t monotonic);

inline constexpr int kKeys = 10'000;
inline constexpr size_t kEventBytes = 200;  // with the newline

struct SourceOptions {
  std::vector<std::string> streams;  // a request goes to one of them, in turn
  std::string token;
  int connections = 16;
  double requests_per_s = 0;  // 0: closed loop
  int events_per_request = 25;
  uint16_t tls_port = 0;   // over TLS, to this one instead; 0: over none
  bool websocket = false;  // messages over a WebSocket instead of HTTP requests
  bool once = false;       // closed loop: one request a connection, in all
};

struct SourceCounts {
  uint64_t answered = 0;  // requests
  uint64_t events = 0;    // in 2xx answers
  uint64_t refused = 0;   // 429 and 503
  uint64_t failed = 0;    // any other answer
  std::string failure;    // the first of those
  uint64_t late = 0;      // sent more than a millisecond after they were due
  Samples answer;         // due → answer
};

struct SubscriberOptions {
  std::string sql;     // a SUBSCRIBE, or
  std::string stream;  // that is followed
  std::string token;
  bool windows = false;  // rows of an EMIT ON WINDOW CLOSE view over one-second windows, with "window_start"
  int64_t disorder_ms = 0;  // with windows: the stream's
};

class LoadGenerator {
 public:
  static constexpr size_t kMaxBacklog = 2'000'000;

  LoadGenerator(uint16_t port, uint64_t seed);
  Status trust(const std::string& ca_file);  // of the sources with TLS
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;
  ~LoadGenerator();

  size_t add_source(SourceOptions options);
  void add_subscriber(SubscriberOptions options);
  Status connect();                  // opens everything; subscriptions have answered
  Status run(double seconds);        // may be called again; counts and samples go on
  void reset();                      // forgets counts and samples
  void kill_while_running(int pid);  // SIGKILL half a second into the next run, which then fails
  // Lets the server catch up: until nothing has arrived for `quiet_ms`.
  Status drain(int quiet_ms);

  SourceCounts& source(size_t index);
  Samples& rows() { return rows_; }      // due → row received
  Samples& closes() { return closes_; }  // a window's due close → its last row received
  uint64_t close_rows() const { return close_rows_; }

 private:
  struct Source;
  struct Connection;
  struct Subscriber;
  struct Window;

  Status turn(int64_t until);
  Status start_due(int64_t now);
  void draw_next(Source& source);
  Status send_next(Source& source, Connection& connection, int64_t due);
  Status on_readable(Connection& connection);
  Status take(Connection& connection, std::string_view bytes);
  Status on_answer(Connection& connection);
  Status flush(Connection& connection);
  Status on_rows(Subscriber& subscriber);
  void on_row(Subscriber& subscriber, std::string_view row, int64_t now);
  void note_event_time(int64_t due);
  void settle_windows();
  Status open(Connection& connection);
  Status upgrade(Connection& connection, const std::string& token);

  uint16_t port_;
  std::unique_ptr<net::TlsTrust> trust_;
  Random random_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::map<int64_t, Window> windows_;  // by the window's end
  Samples rows_, closes_;
  uint64_t close_rows_ = 0;
  int64_t disorder_ms_ = 0;
  int64_t last_closed_end_ms_ = 0;  // ends up to here have their due close
  bool has_windows_ = false;
  bool running_ = false;
  int victim_ = 0;
  int64_t last_arrival_ = 0;
};

}  // namespace millrace::bench
