// SpanExporter: a thread that sends spans to a collector, as OTLP over HTTP.
//
// Why a thread: a collector may be slow, hang or be away, and the core loop must not notice.
// Tries:   a request that gets no answer, or one that says later (429, 502, 503, 504), is sent again up to kMostTries
//          times, after 1, 2, 4, … s. Any other refusal is final.
// Bound:   kMostWaiting spans; what comes above is dropped and counted. A request has at most kMostAtOnce and takes at
//          most kCall.
// Threads: add(), counters() and the destructor on the core loop. The destructor takes kCall at most, but for looking up
//          the collector's name: it waits for what is under way, and has what waits sent as long as that succeeds; a
//          request that begins then has what is left of the time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/http_client.h"
#include "node/otlp.h"
#include "node/otlp_endpoint.h"

namespace millrace::node {

class SpanExporter {
 public:
  static constexpr size_t kMostWaiting = 8192;
  static constexpr size_t kMostAtOnce = 512;
  static constexpr int kMostTries = 5;
  static constexpr std::chrono::milliseconds kEvery{1'000};
  static constexpr std::chrono::milliseconds kCall{3'000};

  struct Counters {
    uint64_t sent = 0;
    uint64_t dropped_full = 0, dropped_failed = 0;
    uint64_t failures = 0;  // requests without success
    size_t waiting = 0;
  };

  SpanExporter(OtlpEndpoint endpoint, std::string version, std::string instance);
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  void add(TraceSpan span);
  Counters counters() const;

 private:
  enum class Outcome : uint8_t { kSent, kLater, kRefused };
  struct Sent {
    Outcome outcome = Outcome::kLater;
    uint64_t rejected = 0;  // of those in a request that was taken
  };
  void loop();
  std::vector<TraceSpan> take();
  Sent send(const std::string& body);
  std::chrono::milliseconds time_for_call() const;
  bool pause(std::chrono::milliseconds most);  // false: it is to stop

  const OtlpEndpoint endpoint_;
  const std::string version_, instance_;
  std::optional<net::HttpClient> client_;  // the thread's

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<TraceSpan> waiting_;
  Counters counters_;
  bool stop_ = false;
  std::chrono::steady_clock::time_point stop_until_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace millrace::node
