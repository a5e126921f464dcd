// StreamStore serves the events of a stream out of the journal: a page at a time, or live for ever.
//
// Why:         a reader names a place by cursor, offset or time; the journal knows frames. This is the map.
// Live:        on_durable() brings the frames that became safe; those of a followed stream are queued with
//              its followers, by an index from stream to followers, so an idle follower costs nothing. The
//              record that a stream was dropped ends its followers.
// Catching up: pages from the journal's files, read by Background; at the end the follower goes on from its
//              queue.
// Places:      a cursor is always the shortest one: after a frame's last record of the stream it names the
//              next frame.
// Threads:     the core loop; pages are read on Background's threads. A subscription must not be destroyed
//              inside its own ready callback.
// Rule:        nothing is handed out that is not durable.
// Bound:       a follower holds one page (kPageBytes) and kQueueFrames frames; past that it falls back to the
//              files.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/serving.h"
#include "log/journal.h"

namespace millrace::event_store {

class StreamStore final : public engine::StreamReads {
 public:
  static constexpr size_t kPageBytes = 1u << 20;
  static constexpr size_t kQueueFrames = 256;
  static constexpr size_t kQueueBytes = 4u << 20;
  static constexpr size_t kMaxFollowers = 100'000;

  StreamStore(log::Journal& journal, engine::Background& background);
  ~StreamStore() override;

  engine::StreamPlace start_of(const engine::StreamDef& stream) override;
  engine::StreamPlace end_of() override;
  void read(engine::StreamReadRequest request,
            std::function<void(Result<engine::StreamReadAnswer>)> done) override;
  Result<std::unique_ptr<engine::Subscription>> follow(engine::StreamReadRequest request,
                                                       bool as_rows) override;

  // Call as the durable cut advances. `frames`: all frames since the last call, up to `durable`.
  void on_durable(Cut durable, const std::vector<log::FramePtr>& frames);
  // The same for a caller that has no frames at hand: they come from the journal's memory, and only if
  // somebody follows.
  void on_durable(Cut durable);
  size_t followers() const;
  // Told of each frame of a stream that a live follower takes; not of pages of what is older.
  void on_delivered(std::function<void(StreamId, AppendTime arrived)> delivered);

  struct Impl;  // the source's own

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::event_store
