#include "node/span_exporter.h"

#include <algorithm>
#include <utility>

namespace millrace::node {
namespace {

net::HttpClient::Options client_options(std::chrono::milliseconds call) {
  net::HttpClient::Options options;
  options.connect = options.answer = options.whole = call;
  return options;
}

}  // namespace

SpanExporter::SpanExporter(OtlpEndpoint endpoint, std::string version, std::string instance)
    : endpoint_(std::move(endpoint)),
      version_(std::move(version)),
      instance_(std::move(instance)),
      client_(std::in_place, endpoint_.url, client_options(kCall)),
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

std::chrono::milliseconds SpanExporter::time_for_call() const {
  const std::lock_guard lock(mutex_);
  if (!stop_) return kCall;
  const auto left = stop_until_ - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
}

SpanExporter::Sent SpanExporter::send(const std::string& body) {
  if (const auto time = time_for_call(); time < kCall) client_.emplace(endpoint_.url, client_options(time));
  const net::HttpRequest request{"POST", endpoint_.target, {{"Content-Type", "application/json"}}, body};
  const auto answer = client_->call(request);
  if (!answer.ok()) return {};
  const int status = answer->status;
  if (status >= 200 && status < 300) return {Outcome::kSent, rejected_spans(answer->body)};
  const bool later = status == 429 || status == 502 || status == 503 || status == 504;
  return {later ? Outcome::kLater : Outcome::kRefused};
}

void SpanExporter::loop() {
  for (;;) {
    const auto spans = take();
    if (spans.empty()) return;
    const std::string body = to_otlp(spans, version_, instance_);
    Sent sent;
    std::chrono::milliseconds wait{1'000};
    for (int tries = 1;; ++tries) {
      sent = send(body);
      if (sent.outcome != Outcome::kSent) {
        const std::lock_guard lock(mutex_);
        ++counters_.failures;
      }
      if (sent.outcome != Outcome::kLater || tries == kMostTries || !pause(wait)) break;
      wait *= 2;
    }
    const std::lock_guard lock(mutex_);
    const uint64_t lost =
        sent.outcome == Outcome::kSent ? std::min<uint64_t>(sent.rejected, spans.size()) : spans.size();
    counters_.sent += spans.size() - lost;
    counters_.dropped_failed += lost;
    if (sent.outcome != Outcome::kSent && stop_) stop_until_ = {};  // what waits would fare no better
  }
}

}  // namespace millrace::node
