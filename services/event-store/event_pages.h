// Event pages: frames of the journal as a stream's events, and as rows of text for subscribers.
//
// Owns:       a page keeps its frames and the text made from them; rows are views into either.
// Threads:    any one thread at a time.
// Invariants: an event's place comes from its frame alone: a reader of one partition and one of all agree.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/serving.h"
#include "formats/json.h"
#include "log/journal.h"
#include "log/record_batch.h"

namespace millrace::event_store {

// What to take from a frame.
struct EventFilter {
  StreamId stream;
  std::optional<PartitionId> partition;
  engine::EventRange range = {};
};

// The place after the `index`-th (from 0) of a frame's `total` records of the stream.
engine::StreamPlace place_after(Cut frame, uint32_t index, uint32_t total);

// Hands the frame's events from `skip` on to `visit` until it answers false. kCorrupt: a batch does not
// parse.
using EventVisit = std::function<bool(const engine::StoredEvent&)>;
Status visit_events(const log::Frame& frame, const EventFilter& filter, uint32_t skip,
                    const EventVisit& visit);

// The trace that the frame's events belong to; empty: none.
std::string_view trace_in(const log::Frame& frame);

// Rows ready to be sent: one line of JSON each, with the place after it, and that as a cursor.
struct RowPage {
  struct Row {
    std::string_view json;
    std::string_view cursor;
    engine::StreamPlace after;
  };
  std::vector<Row> rows;
  std::vector<engine::TracedRows> traces;  // of the rows, in their order
  size_t bytes = 0;
  std::vector<log::FramePtr> keep;
  Arena text;

  void add(std::string_view json, const engine::StreamPlace& after);  // `json` stays where it is
  std::string_view trace_of(size_t row) const;                        // empty: none
};

// Makes rows of events: the stored bytes, or the declared columns as SQL renders them.
class RowMaker {
 public:
  RowMaker(engine::StreamPtr stream, bool declared_columns);
  ~RowMaker();
  const engine::StreamDef& stream() const { return *stream_; }
  // Appends the frame's events from `skip` on. Events that do not decode are left out: the dead letters have
  // them.
  Status append(const log::FramePtr& frame, const EventFilter& filter, uint32_t skip, RowPage& page);

 private:
  void append_stored(const engine::StoredEvent& event, RowPage& page);
  void append_decoded(RowPage& page);

  engine::StreamPtr stream_;
  std::unique_ptr<formats::JsonDecoder> decoder_;  // null: stored bytes
  std::unique_ptr<formats::JsonRowWriter> writer_;
  std::vector<std::string_view> values_;
  std::vector<engine::StreamPlace> places_;
  Batch batch_;
  std::vector<RowError> errors_;
  std::string scratch_;
};

}  // namespace millrace::event_store
