#include "node/tracing.h"

#include <algorithm>
#include <cmath>

namespace millrace::node {
namespace {

using telemetry::TraceContext;

constexpr uint8_t kSampledAtRandom = 0x03;
constexpr int kServerErrors = 500;

template <typename Id>
void fill(Id& id, std::mt19937_64& random) {
  for (size_t i = 0; i < id.size(); i += 8) {
    uint64_t word = random();
    if (word == 0) word = 1;  // no id is zeros alone
    for (size_t j = 0; j < 8; ++j) id[i + j] = static_cast<uint8_t>(word >> (8 * j));
  }
}

std::mt19937_64 seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

// Of the random numbers, those below it are sampled.
uint64_t threshold_of(double ratio) {
  return ratio >= 1 ? UINT64_MAX : static_cast<uint64_t>(std::ldexp(std::max(ratio, 0.0), 64));
}

}  // namespace

Tracing::Tracing(double ratio, std::function<void(TraceSpan)> add)
    : threshold_(threshold_of(ratio)), add_(std::move(add)), random_(seeded()) {}

std::optional<gateway::RequestTrace> Tracing::begin(const std::optional<TraceContext>& parent) {
  const bool sampled = parent ? parent->sampled() : threshold_ > 0 && random_() <= threshold_;
  if (!sampled) return std::nullopt;
  gateway::RequestTrace trace;
  if (parent) {
    trace.context = *parent;
    trace.parent = parent->span;
  } else {
    fill(trace.context.trace, random_);
    trace.context.flags = kSampledAtRandom;
  }
  fill(trace.context.span, random_);
  trace.begun_us = source_.now_us();
  return trace;
}

void Tracing::end(gateway::RequestTrace trace, gateway::RequestEnd end) {
  TraceSpan span;
  span.context = std::move(trace.context);
  span.parent = trace.parent;
  span.kind = SpanKind::kServer;
  span.begun_us = trace.begun_us;
  span.ended_us = source_.now_us();
  if (end.route.empty()) {
    span.name = "publish";
  } else {
    span.name = "POST " + std::string(end.route);
    span.attributes = {{"http.request.method", "POST"},
                       {"http.route", std::string(end.route)},
                       {"http.response.status_code", int64_t{end.status}}};
  }
  span.attributes.emplace_back("messaging.system", "millrace");
  span.attributes.emplace_back("messaging.operation.type", "send");
  span.attributes.emplace_back("messaging.destination.name", std::move(end.stream));
  span.attributes.emplace_back("messaging.batch.message_count", static_cast<int64_t>(end.events));
  span.attributes.emplace_back("millrace.tenant", source_.tenant(end.tenant));
  if (!end.failure.empty()) span.attributes.emplace_back("error.type", end.failure);
  if (end.status >= kServerErrors) span.failure = std::move(end.failure);
  add_(std::move(span));
}

void Tracing::appended(const TraceContext& context, StreamId stream, Cut cut, AppendTime arrived, bool read) {
  if (frames_.size() >= kMostFrames) {
    frames_.pop_front();
    durable_ -= durable_ > 0 ? 1 : 0;
    stepped_ -= stepped_ > 0 ? 1 : 0;
  }
  frames_.push_back({context, stream, cut, arrived.value, read});
}

void Tracing::durable(Cut durable) {
  if (durable_ == frames_.size()) return;
  const int64_t now = source_.now_us();
  for (; durable_ < frames_.size() && frames_[durable_].cut <= durable; ++durable_) {
    Frame& frame = frames_[durable_];
    frame.durable_us = now;
    add_below(frame.context, "journal sync", frame.stream, frame.arrived_us);
  }
}

void Tracing::stepped(Cut stepped) {
  for (; stepped_ < durable_ && frames_[stepped_].cut <= stepped; ++stepped_) {
    const Frame& frame = frames_[stepped_];
    if (frame.read) add_below(frame.context, "step", frame.stream, frame.durable_us);
  }
}

void Tracing::delivered(const TraceContext& context, StreamId stream, AppendTime arrived) {
  const auto frame = std::find_if(frames_.rbegin(), frames_.rend(),
                                  [&](const Frame& one) { return one.context.span == context.span; });
  const bool known = frame != frames_.rend() && frame->durable_us > 0;
  add_below(context, "deliver", stream, known ? frame->durable_us : arrived.value);
}

void Tracing::add_below(const TraceContext& context, std::string_view name, StreamId stream,
                        int64_t begun_us) {
  TraceSpan span;
  span.context = context;
  span.parent = context.span;
  fill(span.context.span, random_);
  span.name = name;
  span.begun_us = begun_us;
  span.ended_us = source_.now_us();
  span.attributes.emplace_back("messaging.system", "millrace");
  span.attributes.emplace_back("messaging.destination.name", source_.stream(stream));
  add_(std::move(span));
}

}  // namespace millrace::node
