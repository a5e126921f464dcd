// FrameStore's reads of one stream: by the segments' indexes, then from the tail.
#include <algorithm>
#include <span>

#include "log/internal/frame_run.h"
#include "log/internal/frame_store.h"

namespace millrace::log {

namespace {
bool is_of(StreamPartition where, StreamId stream, std::optional<PartitionId> partition) {
  return where.stream == stream && (!partition || where.partition == *partition);
}
bool holds(const Frame& frame, StreamId stream, std::optional<PartitionId> partition) {
  return std::any_of(frame.batches.begin(), frame.batches.end(),
                     [&](const FrameBatch& b) { return is_of(b.where, stream, partition); });
}

FramePtr with_own_bytes(const Frame& frame, StreamId stream, std::optional<PartitionId> partition) {
  auto own = std::make_shared<Frame>(Frame{frame.cut, frame.time, frame.bytes, {}, {}});
  own->batches.reserve(frame.batches.size());
  for (const FrameBatch& b : frame.batches) {
    own->batches.push_back({b.where, b.first, b.count,
                            is_of(b.where, stream, partition) ? Buffer::copy(b.bytes.view()) : Buffer()});
  }
  for (const FrameControl& c : frame.controls) {
    if (c.kind == ControlKind::kTrace || c.kind == ControlKind::kSchema)
      own->controls.push_back({c.kind, Buffer::copy(c.payload.view())});
  }
  return own;
}

// Frames of one read borrow from all that was read, `held` bytes. Where less than half of that is wanted, the batches get
// bytes of their own: a reader keeps many of such frames. Of their controls it is given the trace and the schemas.
void let_go(std::span<FramePtr> frames, size_t held, StreamId stream, std::optional<PartitionId> partition) {
  size_t wanted = 0;
  for (const FramePtr& frame : frames) {
    for (const FrameBatch& b : frame->batches) {
      if (is_of(b.where, stream, partition)) wanted += b.bytes.size();
    }
  }
  if (wanted >= held / 2) return;
  for (FramePtr& frame : frames) frame = with_own_bytes(*frame, stream, partition);
}
}  // namespace

// False: max_bytes is reached, or damage: out.scanned says where.
Result<bool> FrameStore::read_stream_segment(const SegmentPtr& segment, StreamId stream,
                                             std::optional<PartitionId> partition, Cut stop, size_t max_bytes,
                                             size_t& bytes, StreamFrames& out) {
  TRY_ASSIGN(const auto bad, unreadable_after(segment, out.scanned));
  if (bad && bad->first <= out.scanned.value + 1)
    return unreadable(*segment, Cut(out.scanned.value + 1), bad->position);
  if (bad) stop = std::min(stop, Cut(bad->first - 1));
  TRY_ASSIGN(const auto windows, windows_of(segment, stream, partition, out.scanned));
  for (const auto& window : windows) {
    if (window.cut > stop) break;
    Run run{.at = {window.cut, window.from},
            .from = Cut(out.scanned.value + 1),
            .stop = stop,
            .end_position = window.to,
            .max_bytes = max_bytes,
            .wanted = [&](const Frame& f) { return holds(f, stream, partition); },
            .out = &out.frames,
            .bytes = bytes};
    while (!run.done) {
      const size_t before = out.frames.size();
      TRY(read_run(segment, run));
      let_go(std::span(out.frames).subspan(before), run.held, stream, partition);
    }
    bytes = run.bytes;
    out.scanned = std::max(out.scanned, Cut(run.at.cut.value - 1));
    if (!out.frames.empty() && bytes >= max_bytes) return false;
    if (run.at.cut <= stop && run.at.position < window.to) return false;  // stopped before damage
  }
  out.scanned = std::max(out.scanned, stop);
  return true;
}

void FrameStore::read_stream_tail(StreamId stream, std::optional<PartitionId> partition, Cut upto,
                                  size_t max_bytes, size_t& bytes, StreamFrames& out) {
  constexpr size_t kFramesAtOnce = 4096;  // bounds the time under the lock
  std::vector<FramePtr> frames;
  {
    const std::lock_guard lock(mutex_);
    if (out.scanned.value + 1 < tail_first_.value) return;  // evicted meanwhile: the caller reads the file
    for (size_t i = tail_from(out.scanned); i < tail_.size() && frames.size() < kFramesAtOnce; ++i) {
      if (tail_[i]->cut > upto) break;
      frames.push_back(tail_[i]);
    }
  }
  for (auto& frame : frames) {
    if (!out.frames.empty() && bytes >= max_bytes) return;
    out.scanned = frame->cut;
    if (!holds(*frame, stream, partition)) continue;
    bytes += frame->bytes;
    out.frames.push_back(std::move(frame));
  }
}

Result<StreamFrames> FrameStore::read_stream(StreamId stream, std::optional<PartitionId> partition, Cut after,
                                             Cut upto, size_t max_bytes) {
  StreamFrames out;
  out.scanned = after;
  size_t bytes = 0;
  while (out.frames.empty() || bytes < max_bytes) {
    SegmentPtr segment;
    Cut stop;
    {
      const std::lock_guard lock(mutex_);
      upto = std::min(upto, end_);
      if (out.scanned >= upto) return out;
      if (out.scanned.value + 1 < segments_.front()->first.value) {
        if (!out.frames.empty()) return out;
        return gone(out.scanned);
      }
      if (out.scanned.value + 1 < tail_first_.value) {
        segment = segment_of(Cut(out.scanned.value + 1));
        stop = std::min({upto, segment->last, Cut(tail_first_.value - 1)});
      }
    }
    if (segment == nullptr) {
      read_stream_tail(stream, partition, upto, max_bytes, bytes, out);
      continue;
    }
    if (stop <= out.scanned) {
      if (!out.frames.empty()) return out;
      return unreadable(*segment, Cut(out.scanned.value + 1), segment->frames_end);
    }
    auto more = read_stream_segment(segment, stream, partition, stop, max_bytes, bytes, out);
    if (!more.ok()) {
      if (out.scanned > after) return out;  // what is readable before it; the next read meets it
      return std::move(more).error();
    }
    if (!*more) return out;
  }
  return out;
}

}  // namespace millrace::log
