// The naive evaluator: what every view, derived stream and dead letter has to be, computed row at a time from
// the final log.
//
// Why:               the node's answers come out of batches, steps, snapshots, repartition topics and
//                    recoveries. This is the same answer by the shortest way there is: walk the events in the
//                    log's order, keep maps, no engine code.
// Input:             the log as it is after everything (FinalLog), and the definitions' SQL.
// Meaning:           docs/adr/0001. A row is late if its window had ended by its own partition's watermark
//                    before it; a view that emits on close shows the windows that ended by the highest
//                    minimum over the active partitions, and one with a retention no longer shows those that
//                    ended so long before it. A window over PROCTIME() closes with the first frame
//                    that is appended at its end or later.
// Bounded knowledge: a task learns the watermarks of partitions that it does not read from reports in the
//                    journal, so when exactly a window closed to a partition that was silent until then is
//                    not a function of the events alone. Query::strict tells whether it is; if not,
//                    NaiveAnswer gives a range (closed_low, closed_high).
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/types.h"
#include "tests/sim/naive_expr.h"

namespace millrace::sim {

struct LogEvent {
  Cut cut;
  AppendTime time;
  PartitionId partition;
  Offset offset;
  std::string value;
};
struct FrameMark {
  Cut cut;
  AppendTime time;
  bool start = false;  // a process started here, or its clock took a jump
};
struct FinalLog {
  std::vector<FrameMark> frames;                      // all, ascending
  std::map<StreamId, std::vector<LogEvent>> streams;  // by frame, then as they stand in it
  std::map<StreamId, std::map<Cut, uint64_t>> bytes;  // of the stream's batches in the frame
  std::map<uint32_t, Cut> starts;  // by definition: the frames after it were kept when it was made

  const std::vector<LogEvent>& events(StreamId stream) const;
  Cut end() const { return frames.empty() ? Cut(0) : frames.back().cut; }
};

struct NaiveStream {
  std::string name;
  Schema columns;
  uint16_t partitions = 1;
  int watermark_column = -1;
  int64_t disorder_us = 0;
  int64_t idle_timeout_us = 60'000'000;
  std::string key;  // the column; empty: none
  // Then its rows are the last of each key, and the last column is what an event does.
  std::vector<int> primary_key;
  bool watermark_told = false;  // of closed windows, or follows from such a stream: its queries tell it
};

// One SELECT of those that stand one over the other.
struct NaiveLayer {
  const sql::ast::Query* select = nullptr;
  std::vector<std::string> names;  // of its first columns, where the one above has other ones
};
// Down to a stream: the outermost first.
struct NaiveArm {
  std::string source;
  std::vector<NaiveLayer> layers;
};

// One definition, read from its SQL text by the parser alone.
struct NaiveQuery {
  std::string name;
  bool is_view = true;
  std::vector<NaiveArm> arms;                                  // several: of a UNION ALL, or the two of …
  sql::ast::SetOperation set = sql::ast::SetOperation::kNone;  // … UNION, INTERSECT, EXCEPT
  std::vector<sql::StatementPtr>
      statements;  // own what the layers point to: this one's, and those of views below
  const sql::ast::Query* query = nullptr;   // the outermost SELECT
  size_t grouping = 0;                      // the layer that groups, or the outermost
  const sql::ast::Query* groups = nullptr;  // that layer's SELECT
  bool emit_on_close = false;
  bool null_on_error = false;
  int64_t lateness_us = 0;   // allowed
  int64_t retention_us = 0;  // of closed windows; 0: for ever
  std::string late_to;       // the stream that takes late events; empty: the dead letters
  bool changes = false;      // a stream of what changes in the groups: upserts …
  bool changelog = false;    // … or the rows before and after each change
  // Windows of rows: no time closes them.
  int64_t rows = 0;  // 0: it has none
  int64_t slide = 0;
  bool full_windows = false;   // EMIT ON WINDOW CLOSE
  int64_t retention_rows = 0;  // 0: for ever

  bool closes() const {
    return emit_on_close || retention_us > 0 || changes;
  }                                                                  // a window's end in time has an effect
  bool final_rows() const { return emit_on_close || full_windows; }  // a view tells each row once
};
void find_aggregates(const sql::ast::Expr& e, std::vector<const sql::ast::Expr*>& out);
int64_t floor_to(int64_t t, int64_t size, int64_t offset);  // the last start of a window at or before it
bool groups_rows(const sql::ast::Query& select);            // or without keys: one group
bool is_grouped(const NaiveQuery& query);                   // or each row is there once
bool closes_by_arrival(const NaiveQuery& query);  // a window over PROCTIME(), shown once it is closed
Result<NaiveStream> naive_stream(const std::string& sql);
std::string item_name(const sql::ast::SelectItem& item);
using NaiveViews = std::map<std::string, const NaiveQuery*>;  // that a query may read, by name
Result<NaiveQuery> naive_query(const std::string& sql, const NaiveViews& views = {});
// Finds the query's arms, and what it has of views that it reads.
void naive_descend(const sql::ast::Query& query, const NaiveViews& views, NaiveQuery& out);
// What each of an arm's layers reads, the outermost first.
std::deque<NaiveReads> naive_reads(const NaiveArm& arm, const Schema& columns);
// The stream that CREATE STREAM … AS makes: columns, key and watermark as selected.
NaiveStream naive_output(const NaiveQuery& query, const NaiveStream& source);

using Place = std::pair<uint16_t, int64_t>;  // partition, offset
struct NaiveAnswer {
  struct ViewRow {
    Row row;
    int64_t window_end = INT64_MAX;  // of windows that close
  };
  std::vector<ViewRow> rows;  // a view's, or of a stream of changes, no order; emit on close: of all windows
  std::vector<Row> gone;      // of windows of rows that a retention took away, also those that HAVING hid
  std::map<uint16_t, std::vector<Row>> made;  // a derived stream's, by partition
  std::set<Place> late, closed_while_idle, no_event_time, failed;
  int64_t closed_high = INT64_MAX;   // windows that end up to here may be shown …
  int64_t closed_low = INT64_MAX;    // … and up to here must be
  int64_t dropped_high = INT64_MIN;  // retention: those that end up to here may be gone …
  int64_t dropped_low = INT64_MIN;   // … and up to here must be

  bool may_show(const ViewRow& row) const {
    return row.window_end <= closed_high && row.window_end > dropped_low;
  }
  bool must_show(const ViewRow& row) const {
    return row.window_end <= closed_low && row.window_end > dropped_high;
  }
};
// What a query tells who reads its stream of closed windows: no row to come is before these, by closed_low and
// closed_high.
struct NaiveTold {
  int64_t low = INT64_MIN;
  int64_t high = INT64_MIN;
};
NaiveTold naive_told(const NaiveQuery& query, const NaiveAnswer& answer);

struct NaiveScope {
  Cut after;             // frames up to here were gone when the query was made
  Cut upto{UINT64_MAX};  // frames after it do not count
  // Not strict: the rows that the node says it dropped as closed_while_idle; they are believed if they can be
  // true.
  const std::set<Place>* believed = nullptr;
  // Windows over PROCTIME(): when the view was asked, this time had passed; later frames may have closed more.
  AppendTime asked_after{INT64_MAX};
  std::optional<NaiveTold>
      told;  // of the source: what closes its windows, and no row of it comes too late for that
};
// What an arm of a query reads.
struct NaiveSource {
  const NaiveStream* stream = nullptr;
  const std::vector<LogEvent>* events = nullptr;
};
// One source an arm; their partitions stand side by side.
NaiveAnswer naive_answer(const NaiveQuery& query, const std::vector<NaiveSource>& sources,
                         const FinalLog& log, const NaiveScope& scope = {});
// The stream that a UNION ALL of streams is, but for its columns.
NaiveStream naive_union(const std::vector<NaiveSource>& sources);
// An event's declared columns; an Error if the event does not decode.
Result<Row> naive_decode(const Schema& columns, const std::string& value);

}  // namespace millrace::sim
