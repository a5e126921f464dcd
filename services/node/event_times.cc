#include "node/event_times.h"

#include <utility>

namespace millrace::node {

void EventTimes::appended(StreamId stream, Cut cut, AppendTime arrived) {
  if (waiting_.size() >= kMostWaiting) {
    waiting_.pop_front();
    if (stored_ > 0) --stored_;
  }
  waiting_.push_back({stream, cut, arrived, read_.contains(stream)});
}

void EventTimes::reached(Cut durable, Cut stepped, AppendTime now) {
  while (stored_ < waiting_.size() && waiting_[stored_].cut <= durable) {
    const Frame& frame = waiting_[stored_++];
    record(kStored, frame.stream, frame.arrived, now);
  }
  while (stored_ > 0) {
    const Frame& frame = waiting_.front();
    if (frame.read && frame.cut > stepped) break;
    if (frame.read) record(kStepped, frame.stream, frame.arrived, now);
    waiting_.pop_front();
    --stored_;
  }
}

void EventTimes::delivered(StreamId stream, AppendTime arrived, AppendTime now) {
  record(kDelivered, stream, arrived, now);
}

const EventTimes::Histograms* EventTimes::of(StreamId stream) const {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : &found->second;
}

void EventTimes::record(Stage stage, StreamId stream, AppendTime arrived, AppendTime now) {
  const int64_t us = now.value - arrived.value;
  totals_[stage].record(us);
  auto found = streams_.find(stream);
  if (found == streams_.end()) {
    if (streams_.size() >= kMostStreams) return;
    found = streams_.try_emplace(stream).first;
  }
  found->second[stage].record(us);
}

}  // namespace millrace::node
