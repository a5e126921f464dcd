#include "node/span_exporter.h"

#include <algorithm>
#include <utility>

namespace millrace::node {
namespace {

net::HttpClient::Options client_options() {
  net::HttpClient::Options options;
  options.connect = options.answer = options.whole = SpanExporter::kCall;
  return options;
}

}  // namespace

SpanExporter::SpanExporter(OtlpEndpoint endpoint, std::string version, std::string instance)
    : endpoint_(std::move(endpoint)),
      version_(std::move(version)),
      instance_(std::move(instance)),
      client_(endpoint_.url, client_options()),
      thread_([this] { loop(); }) {}

SpanExporter::~SpanExporter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    stop_until_ = std::chrono::steady_clock::now() + kCall;
  }
  changed_.notify_one();
  thread_.join();
}

void SpanExporter::add(TraceSpan span) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMostWaiting) {
    ++counters_.dropped_full;
    return;
  }
  waiting_.push_back(std::move(span));
  if (waiting_.size() == kMostAtOnce) changed_.notify_one();
}

SpanExporter::Counters SpanExporter::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.waiting = waiting_.size();
  return counters;
}

bool SpanExporter::pause(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, most, [this] { return stop_; });
}

// The next spans to send; none: it is to stop, and all are sent or there is no time for more.
std::vector<TraceSpan> SpanExporter::take() {
  std::unique_lock lock(mutex_);
  while (!stop_ && waiting_.empty()) {
    changed_.wait_for(lock, kEvery, [this] { return stop_ || waiting_.size() >= kMostAtOnce; });
  }
  if (stop_ && std::chrono::steady_clock::now() >= stop_until_) {
    counters_.dropped_failed += waiting_.size();
    return {};
  }
  const auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(waiting_.size(), kMostAtOnce));
  std::vector<TraceSpan> taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return taken;
}

SpanExporter::Outcome SpanExporter::send(const std::string& body) {
  const net::HttpRequest request{"POST", endpoint_.target, {{"Content-Type", "application/json"}}, body};
  const auto answer = client_.call(request);
  if (!answer.ok()) return Outcome::kLater;
  const int status = answer->status;
  if (status >= 200 && status < 300) return Outcome::kSent;
  return status == 429 || status == 502 || status == 503 || status == 504 ? Outcome::kLater
                                                                          : Outcome::kRefused;
}

void SpanExporter::loop() {
  for (;;) {
    const auto spans = take();
    if (spans.empty()) return;
    const std::string body = to_otlp(spans, version_, instance_);
    Outcome outcome = Outcome::kLater;
    std::chrono::milliseconds wait{1'000};
    for (int tries = 1;; ++tries) {
      outcome = send(body);
      if (outcome != Outcome::kSent) {
        const std::lock_guard lock(mutex_);
        ++counters_.failures;
      }
      if (outcome != Outcome::kLater || tries == kMostTries || !pause(wait)) break;
      wait *= 2;
    }
    const std::lock_guard lock(mutex_);
    (outcome == Outcome::kSent ? counters_.sent : counters_.dropped_failed) += spans.size();
    if (outcome != Outcome::kSent && stop_) stop_until_ = {};  // what waits would fare no better
  }
}

}  // namespace millrace::node
