// EventTimes: how long events take from their arrival (their append time), by stage and stream.
//
// Stages:  stored: the disk has them. Stepped: and every query that had caught up has taken them in. Delivered:
//          a live subscriber of the stream, or of a view over it, got them.
// Unit:    a frame, which is a request: all its events arrive and are stored together.
// Threads: the core loop.
// Bound:   kMostStreams have histograms of their own, what is beyond counts in the totals alone; kMostWaiting
//          frames wait for a stage, and the oldest goes unmeasured when there are more.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "base/types.h"
#include "telemetry/power_histogram.h"

namespace millrace::node {

class EventTimes {
 public:
  enum Stage : uint8_t { kStored, kStepped, kDelivered, kStages };
  using Histograms = std::array<telemetry::PowerHistogram, kStages>;  // microseconds
  static constexpr size_t kMostStreams = 4096;
  static constexpr size_t kMostWaiting = 65'536;

  // The streams that queries read: the others have no steps.
  void set_read(std::unordered_set<StreamId> streams) { read_ = std::move(streams); }
  void appended(StreamId stream, Cut cut, AppendTime arrived);
  bool waits() const { return !waiting_.empty(); }
  // Everything up to the cuts is stored and stepped over; `stepped` never runs ahead of `durable`.
  void reached(Cut durable, Cut stepped, AppendTime now);
  void delivered(StreamId stream, AppendTime arrived, AppendTime now);

  const Histograms& totals() const { return totals_; }
  const Histograms* of(StreamId stream) const;  // null: nothing was measured
  // Forgets the streams that are gone.
  template <typename IsGone>
  void forget(IsGone&& is_gone) {
    std::erase_if(streams_, [&](const auto& known) { return is_gone(known.first); });
  }

 private:
  struct Frame {
    StreamId stream;
    Cut cut;
    AppendTime arrived;
    bool read;
  };
  void record(Stage stage, StreamId stream, AppendTime arrived, AppendTime now);

  std::unordered_set<StreamId> read_;
  std::deque<Frame> waiting_;
  size_t stored_ = 0;  // of waiting_, its first ones
  Histograms totals_;
  std::unordered_map<StreamId, Histograms> streams_;
};

}  // namespace millrace::node
