// Serving: the narrow interfaces by which one service reads what another keeps, without including it.
//
//   ViewReads     stream-processor: a view at a cut, a view's changes, a query's status
//   StreamReads   event-store: a stream's events by cursor, offset or time; live or bounded
//   Background    node: work that may block (files, sorting), off the core loop; inline in the simulation
//
// Threads: calls and callbacks are on the core loop, unless said otherwise. A callback may come before the
//          call returns.
// Rule (write-ahead): nothing is handed out before the cut it reflects is durable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/query_report.h"
#include "engine/read_range.h"
#include "state/state_store.h"

namespace millrace::engine {

// Reads are what somebody waits for; upkeep (snapshots, retention) writes and syncs files, and may take long.
enum class Lane : uint8_t { kReads, kUpkeep };
inline constexpr size_t kLanes = 2;

class Background {
 public:
  virtual ~Background() = default;
  // Runs `work` off the loop, then `done` on it; of one lane one piece at a time, in order. False: too much is
  // waiting (bound).
  virtual bool run(Lane lane, std::function<void()> work, std::function<void()> done) = 0;
  // Runs what waits, and its `done`; returns when nothing is left. Blocks: for a clean end.
  virtual void finish() = 0;
};

// A place between two events of a stream: everything in frames before `cut` was seen, and of frame `cut` the
// first `index` of the stream's records. As text, the cursor: "<cut>-<index>".
struct StreamPlace {
  Cut cut;
  uint32_t index = 0;
  friend bool operator==(const StreamPlace&, const StreamPlace&) = default;
};
std::string to_cursor(const StreamPlace& place);
Result<StreamPlace> parse_cursor(std::string_view text);  // MR-API-0010

// A JSON object on one line, and the cursor after it (empty: not resumable).
using RowVisit = std::function<void(std::string_view json, std::string_view cursor)>;

// Rows that go on coming. Pulled by whoever has room to send: a slow reader costs its own place, never
// memory.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Hands up to max_rows rows that are ready to `visit`. Answers how many. 0: nothing is ready now; `ready` will be
  // called. An error ends the subscription (kGone, kCancelled).
  virtual Result<size_t> pull(size_t max_rows, const RowVisit& visit) = 0;
  // Of the row that `visit` is given, meanwhile: the trace of its request (telemetry/trace_context.h), if it has one.
  virtual std::string_view trace() const { return {}; }
  void on_ready(std::function<void()> ready) { ready_ = std::move(ready); }

 protected:
  void notify() {
    if (ready_) ready_();
  }

 private:
  std::function<void()> ready_;
};

struct ViewAtCut {
  PlanPtr plan;
  Cut cut;
  std::vector<std::shared_ptr<const state::Epoch>> epochs;  // one a worker
  int64_t closed = INT64_MIN;   // emit_on_close: windows that end up to it are shown: all workers closed them
  int64_t dropped = INT64_MIN;  // retention: windows that end up to it are gone
  QueryReport report = {};      // inspect()'s; a read's is empty
  std::vector<int64_t> closed_by = {};  // emit_on_close: by each worker
};

// The view's output rows, any thread.
Result<Batch> view_rows(const ViewAtCut& view);

struct QueryStatus {
  std::optional<Error> failed;
  std::string state;       // "running", "paused", "building, 42 %", "…, complete from TIME", "failed: …"
  double lag_seconds = 0;  // how far behind the newest event its position is
  size_t state_bytes = 0;
  Cut position;
};

class ViewReads {
 public:
  virtual ~ViewReads() = default;
  // The view at a cut that covers everything appended before the call.
  virtual void read(QueryId view, std::function<void(Result<ViewAtCut>)> done) = 0;
  // Its rows at a cut, then the changes: {"_op":"upsert"|"delete", columns…}; for EMIT ON WINDOW CLOSE the
  // final rows only.
  virtual Result<std::unique_ptr<Subscription>> subscribe(QueryId view) = 0;
  virtual Result<QueryStatus> status(QueryId query) = 0;
  // Queries were paused or resumed: to be called before anything else is appended.
  virtual void pauses_changed() = 0;
  // A query that has failed goes on from what it has kept, as after a start. The answer: whether it could begin to.
  virtual void retry(QueryId query, std::function<void(Status)> done) = 0;
  // What the query, a view's or a derived stream's, says of itself where it stands now, wherever that is.
  virtual void inspect(QueryId query, std::function<void(Result<QueryReport>)> done) = 0;
};

struct StoredEvent {
  PartitionId partition;
  Offset offset;
  AppendTime time;
  std::string_view value;
  StreamPlace after;
  int32_t schema_id = 0;  // that it was checked against; 0: none
};

// Rows, by number, of a request that belongs to a trace (telemetry/trace_context.h).
struct TracedRows {
  size_t begin = 0, end = 0;
  std::string_view trace;
};

struct StreamReadRequest {
  StreamPtr stream;
  std::optional<PartitionId> partition;
  // One of: place (cursor, start, end), offset (with partition), time.
  std::optional<StreamPlace> place;
  std::optional<Offset> offset;
  std::optional<AppendTime> time;
  EventRange range = {};   // of a read: what is outside is not read, offsets only with a partition
  bool kept_only = false;  // what retention has removed meanwhile is not missed
  size_t limit = 1000;     // events
  size_t max_bytes = 4u << 20;
};
struct StreamReadAnswer {
  std::vector<StoredEvent> events;  // values live in `keep`
  std::vector<std::shared_ptr<const void>> keep;
  std::vector<TracedRows> traces;  // of the events, in their order; likewise in `keep`
  StreamPlace next;
  bool at_end = false;           // also of the range
  std::optional<Offset> oldest;  // that is kept, of the partition, if one was asked for
};

class StreamReads {
 public:
  virtual ~StreamReads() = default;
  virtual StreamPlace start_of(const StreamDef& stream) = 0;  // the oldest kept when the read begins
  virtual StreamPlace end_of() = 0;                           // the durable end
  virtual void read(StreamReadRequest request, std::function<void(Result<StreamReadAnswer>)> done) = 0;
  // From the request's place on, for ever. `as_rows`: declared columns as SQL renders them, else the original
  // bytes.
  virtual Result<std::unique_ptr<Subscription>> follow(StreamReadRequest request, bool as_rows) = 0;
};

}  // namespace millrace::engine
