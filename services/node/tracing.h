// Tracing: the spans of requests that are traced, from their arrival to their events' delivery.
//
//   POST /v1/streams/{stream}/events   the request, below the sender's span
//     journal sync                     from the append until the disk has the frame
//     step                             then, until every query that had caught up has taken it in
//     deliver                          then, until a live subscriber of the stream took it: one for each
//
// Sampled: as the sender's context says; of requests without one, a share of `ratio`.
// Threads: the core loop.
// Bound:   kMostFrames frames are followed; the oldest is let go when there are more, and its later spans begin at its
//          arrival, or are missing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "base/types.h"
#include "event-gateway/request_trace.h"
#include "node/otlp.h"

namespace millrace::node {

class Tracing final : public gateway::RequestTraces {
 public:
  static constexpr size_t kMostFrames = 1024;

  struct Source {
    std::function<int64_t()> now_us;  // of the clock that stamps frames
    std::function<std::string(StreamId)> stream;
    std::function<std::string(TenantId)> tenant;
  };

  Tracing(double ratio, std::function<void(TraceSpan)> add);
  void set_source(Source source) { source_ = std::move(source); }  // before any request

  std::optional<gateway::RequestTrace> begin(const std::optional<telemetry::TraceContext>& parent) override;
  void end(gateway::RequestTrace trace, gateway::RequestEnd end) override;

  void appended(const telemetry::TraceContext& context, StreamId stream, Cut cut, AppendTime arrived,
                bool read);
  void durable(Cut durable);
  void stepped(Cut stepped);
  void delivered(const telemetry::TraceContext& context, StreamId stream, AppendTime arrived);

 private:
  struct Frame {
    telemetry::TraceContext context;
    StreamId stream;
    Cut cut;
    int64_t arrived_us;
    bool read;               // by a query
    int64_t durable_us = 0;  // 0: it is not yet
  };
  void add_below(const telemetry::TraceContext& context, std::string_view name, StreamId stream,
                 int64_t begun_us);

  const uint64_t threshold_;
  const std::function<void(TraceSpan)> add_;
  Source source_;
  std::mt19937_64 random_;
  std::deque<Frame> frames_;  // by cut; the first durable_ of them are, of those the first stepped_ are
  size_t durable_ = 0, stepped_ = 0;
};

}  // namespace millrace::node
