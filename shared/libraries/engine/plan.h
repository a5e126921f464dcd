// The plan of a continuous query and of an ad-hoc SELECT: what the planner (sql/) decides and the engine
// runs.
//
// Immutable, shared by every worker. A continuous query reads one stream, or several put together by UNION ALL. Its row, before grouping, is the
// source's read columns; Expr::column counts in `read_columns`.
//
//   source -> [late check] -> filter -> shape
//   shape kStream:     outputs -> a derived stream
//         kRows:       outputs -> the view's rows
//         kAggregate:  group keys, aggregate arguments -> [partial -> repartition topic ->] groups -> outputs
//         at the read, or, into a derived stream, when a window closes or a group changes
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "engine/count_window.h"
#include "engine/expr.h"
#include "engine/window.h"

namespace millrace::engine {

enum class StreamKind : uint8_t { kDeclared, kDerived, kRepartition, kDeadLetters };

// The member of an event by which a stream with a primary key is told what the event does, and the column that shows
// it. Subscribers of a view are told the same.
inline constexpr std::string_view kOpColumn = "_op";
inline constexpr std::string_view kDeleteOp = "delete";
inline constexpr std::string_view kOps[] = {"insert", "upsert", kDeleteOp};
// What an ad-hoc SELECT may ask of a stored event besides its stream's columns, behind which these stand: its partition,
// its offset there, and when it was appended. No part of *.
enum class SystemColumn : uint8_t { kPartition, kOffset, kTime };
const Schema& system_columns();

// The column of a stream WITH (changelog = 'retract') that says what a row is.
inline constexpr std::string_view kChangelogColumn = "op";

// A schema of a registry. Its id never means another one; the number of a version may, once that is gone.
struct SchemaRef {
  std::string subject;  // empty: none
  int32_t version = 0;  // 0: not said, the latest
  int32_t id = 0;       // 0: not said
  auto operator<=>(const SchemaRef&) const = default;
};

// How a query's rows are handed out to those who want them so, beside JSON. It decides no answer.
enum class RowEncoding : uint8_t { kNone, kAvro, kProtobuf };
std::string_view to_string(RowEncoding encoding);  // as WITH (format = …) says it
struct EncodedOutput {
  RowEncoding encoding = RowEncoding::kNone;
  SchemaRef schema;  // that follows from the rows' columns
  bool operator==(const EncodedOutput&) const = default;
};

struct StreamDef {
  StreamId id;
  TenantId tenant;
  std::string name;
  StreamKind kind = StreamKind::kDeclared;
  Schema columns;
  int key_column = -1;  // -1: no key, events are spread over the partitions
  // Columns, key_column among them if there is one. Empty: an event is a row, and stays one.
  std::vector<int> primary_key;
  int op_column = -1;         // with a primary key: the last column, kOpColumn
  std::vector<int> required;  // columns that are NOT NULL: an event without one is refused
  uint16_t partitions = 1;
  int watermark_column = -1;             // -1: no watermark
  int64_t disorder_us = 0;               // watermark = running maximum - disorder
  int64_t idle_timeout_us = 60'000'000;  // 0: never idle
  int64_t retention_us = 0;              // 0: for ever
  int64_t retention_bytes = 0;           // 0: no bound
  // Derived: its query tells how far the watermark is, also where no event shows it, so no partition is ever idle.
  bool watermark_told = false;
  bool cloud_events = false;  // its events are CloudEvents in the JSON format: columns stand in `data`
  int64_t deduplicate_us =
      0;             // for how long an event with the source and id of an earlier one is none; 0: never
  SchemaRef schema;  // what its events have to be, as they come in
  bool keeps_invalid = false;  // events that do not fit are dead letters

  // An event replaces the row of its primary key, or deletes it.
  bool updating() const { return !primary_key.empty(); }
  Schema row_columns() const;  // what a row has: not what its event does to it
};
using StreamPtr = std::shared_ptr<const StreamDef>;

// Numbers are part of plans' identity: a new one goes at the end.
enum class AggregateKind : uint8_t {
  kCountStar,
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kVarSamp,
  kVarPop,
  kStddevSamp,
  kStddevPop,
  kAnyValue,
  kFirst,
  kLast,
  kBitAnd,
  kBitOr,
  kBitXor,
  kApproxCountDistinct,
  kApproxPercentile,
  kStringAgg,
  kJsonbAgg,
  kJsonbObjectAgg,
  kArrayAgg,  // of arrays of one element
  // Of pairs: the argument is an array of two doubles, y and x.
  kCorr,
  kCovarPop,
  kCovarSamp,
  kRegrAvgx,
  kRegrAvgy,
  kRegrIntercept,
  kRegrR2,
  kRegrSlope,
  kRegrSxx,
  kRegrSxy,
  kRegrSyy,
  kRegrCount,  // in the table alone: a plan counts
  // Of values in order.
  kPercentileCont,
  kPercentileDisc,
  kMode,
  // In the table alone, too: a plan counts the rows before a constant.
  kRank,
  kDenseRank,
  kPercentRank,
  kCumeDist,
};
// What sum and avg take of a numeric: the binder sees to it. Then no order of additions can overflow 128 bits.
inline constexpr int kNumericSumPrecision = 27;
inline constexpr int kNumericSumScale = 12;

struct SortKey {
  ExprPtr expr;  // of a SELECT over the output row, of an aggregate over the source row
  bool descending = false;
  bool nulls_first = false;  // PostgreSQL: nulls are largest
};

struct AggregateCall {
  AggregateKind kind = AggregateKind::kCountStar;
  ExprPtr argument;           // null for count(*)
  Type type = Type::kBigint;  // of the result: count, sum(bigint) bigint; avg, sum(double) double; numeric;
                              // min, max as the argument
  bool distinct = false;      // each value of the argument counts once
  ExprPtr parameter =
      nullptr;  // a literal: string_agg's separator, a percentile's fraction or an array of them
  std::vector<SortKey> order_by = {};  // of ordered aggregates: before the row's partition and offset
  bool descending = false;             // of percentiles and mode: the greatest value is the first

  // What is over the source row; null for count(*).
  template <typename F>
  void each_expr(F&& f) {
    f(argument);
    for (SortKey& key : order_by) f(key.expr);
  }
  template <typename F>
  void each_expr(F&& f) const {
    f(argument);
    for (const SortKey& key : order_by) f(key.expr);
  }
};

struct NamedExpr {
  std::string name;
  ExprPtr expr;
};
std::vector<std::string> names_of(const std::vector<NamedExpr>& exprs);

// The bytes of everything that decides an expression's values: equal for equal ones.
std::string identity_of(const Expr& expr);
// One query of a UNION ALL. Its rows are rows of the plan's source, which stands for all arms together: partition p of
// the arm's stream is partition first_partition + p there, so that each has the order and the time of one log.
struct UnionArm {
  StreamPtr source;
  ExprPtr filter;                // over all columns of `source`; may be null
  std::vector<ExprPtr> outputs;  // likewise; one a column of the plan's source
  uint16_t first_partition = 0;
};

// The columns of its stream that the arm reads for these columns of the plan's source; ascending.
std::vector<int> read_columns(const UnionArm& arm, const std::vector<int>& outputs);

struct QueryPlan {
  enum class Shape : uint8_t { kStream, kRows, kAggregate };

  QueryId id;
  TenantId tenant;
  std::string name;  // the view's or the stream's
  std::string sql;   // as written, for spans and SHOW
  Shape shape = Shape::kStream;
  StreamPtr source;
  std::vector<UnionArm> arms;     // of UNION ALL, in partitions' order: `source` is no stream of the log then
  std::vector<int> read_columns;  // of source->columns, ascending
  ExprPtr filter;                 // may be null
  PlanOptions options = {};
  OnError on_error =
      OnError::kDeadLetter;  // of its expressions; what no NULL can mend is a dead letter always

  // kAggregate
  std::vector<NamedExpr> group_keys;  // over the source row; may be empty (one group for all)
  int window_key = -1;      // which group key is the window's start (kTumbleStart, of a pane); -1: no window
  int window_end_key = -1;  // CUMULATE, SESSION: which one is its end
  WindowSpec window;
  CountWindow count_window;
  int count_key = -1;  // which group key is the end of a window of rows (kRowsEnd): the last; -1: none
  // GROUPING SETS: a row counts in one group of each. The numbers of the sets are values of group key `set_key`: bit i
  // says that key i is not in the set. Equal sets differ above the keys' bits. Every set has the window's keys.
  std::vector<int64_t> grouping_sets;
  int set_key = -1;
  std::vector<AggregateCall> aggregates;  // SESSION: the last two are min and max of the time
  bool emit_on_close = false;             // the view shows a window's rows once it is closed
  bool repartition = false;  // the groups are not the source's key: go through `repartition_topic`
  StreamPtr repartition_topic;
  // Of an updating source: the count(*) of which a group without rows has none. Of windows of rows: that by which a
  // pane is full.
  int rows_aggregate = -1;
  int64_t emit_every_us = 0;        // subscribers hear of a group at most so often; 0: of every change
  int64_t allowed_lateness_us = 0;  // its windows stay open that much longer than the stream's watermark says
  StreamPtr late_stream;            // takes the events that come too late; null: they are dead letters
  int64_t view_retention_us = 0;    // windows that ended this long before the watermark are dropped; 0: kept
  int64_t retention_rows = 0;  // windows that ended this many rows before the last one closed go; 0: kept

  ExprPtr having;  // over (group keys…, aggregates…); may be null. Read, not kept: a group that
                   // does not pass today may tomorrow

  // kStream, kRows: over the source row. kAggregate: over (group keys…, aggregates…).
  std::vector<NamedExpr> outputs;
  // kStream. kAggregate: takes a window's rows once it is closed, or what changes in the groups; null for a view.
  StreamPtr output_stream;
  std::vector<QueryId>
      views;  // by the numbers of their definitions: what stands between the source and this query, or is named
              // in its text beside the source; it decides no answer, and stays while this query is there

  EncodedOutput encoded;

  // Start: the oldest kept event, the cut of the activation ('now'), or a time.
  enum class Start : uint8_t { kOldest, kNow, kTime };
  Start start = Start::kOldest;
  AppendTime start_time;

  std::vector<StreamPtr> sources() const;  // the streams of the log that it reads
  bool reads(StreamId stream) const;
  const UnionArm* arm_of(PartitionId partition) const;  // of `source`; null: it is a stream of the log
  // The partitions of `source` whose rows stand in a partition of the log.
  template <typename F>
  void each_partition(StreamPartition where, F&& visit) const {
    if (arms.empty() && where.stream == source->id) visit(where.partition);
    for (const UnionArm& arm : arms) {
      if (where.stream != arm.source->id) continue;
      visit(PartitionId(static_cast<uint16_t>(arm.first_partition + where.partition.value)));
    }
  }
  int64_t disorder_us() const { return source->disorder_us + allowed_lateness_us; }
  bool updating() const { return source && source->updating(); }
  // Its groups' changes are a stream: upserts by their keys, or, where that has no primary key, a changelog.
  bool writes_changes() const { return shape == Shape::kAggregate && output_stream && !emit_on_close; }
  bool in_every_set(size_t key) const;  // a group key is part of every group
  // A window of which a group's rows are not all there is not shown.
  bool hides_open_counts() const { return emit_on_close && count_window.any(); }
  size_t most_windows() const { return std::max(window.most_windows(), count_window.most_windows()); }
  bool closes_windows() const;   // the window is over the watermark's column
  bool processing_time() const;  // the window is over PROCTIME()
  // An output that is the window's end or, where those are in the same order, its start: by which the rows of closed
  // windows are in order.
  bool orders_windows(const Expr& output) const;
  Schema output_schema() const;  // names and types of `outputs`
  Schema row_columns() const;    // of its rows, wherever they go: without what says of them what they do
  std::string explain() const;   // the tree, one node a line
  // A view of groups: its outputs and HAVING are computed by who reads it, and decide nothing that a step does.
  bool shows_groups() const { return shape == Shape::kAggregate && !output_stream; }
  uint64_t identity()
      const;  // a hash of everything that decides what its steps do: part of every step record
  uint64_t shown_identity() const;  // of the outputs and HAVING
};
using PlanPtr = std::shared_ptr<const QueryPlan>;

struct SelectPlan;
using SelectPtr = std::shared_ptr<const SelectPlan>;

enum class SetOperation : uint8_t { kUnion, kIntersect, kExcept };

// The rows of two SELECTs of the same types put together. all: rows count as often as they are there.
struct SetPlan {
  SetOperation operation = SetOperation::kUnion;
  bool all = false;
  SelectPtr left, right;
};

// Ad-hoc: SELECT … FROM … WHERE … ORDER BY … LIMIT …. A tree; what stands in it twice (a CTE) is computed once.
struct SelectPlan {
  // What is read: one of these, or else (SELECT without FROM) one row.
  PlanPtr view;
  StreamPtr dead_letters;       // the rows of the tenant's dead-letter stream (bounded read)
  StreamPtr stream;             // the rows of a stored stream (bounded read)
  bool system_columns = false;  // a stored event's row has these, too
  SelectPtr input;              // another SELECT's rows
  std::shared_ptr<const SetPlan> set;
  std::vector<std::vector<ExprPtr>> values;  // rows of expressions without columns

  ExprPtr filter;                  // over the row that is read
  PlanPtr grouping;                // null: none; its group_keys, aggregates and having count over that row
  std::vector<NamedExpr> outputs;  // over the row that is read; with grouping over (group keys…, aggregates…)
  bool distinct = false;           // rows with the same outputs are one
  std::vector<SortKey> order_by;  // over what the outputs are over, followed by the outputs
  std::optional<int64_t> limit;
  int64_t offset = 0;
  uint32_t height = 1;  // of the tree
  PlanOptions options = {};

  Schema output_schema() const;
  Schema read_schema() const;  // of the row that is read
  bool needs_origins() const;  // where a row stands and when it came decide the answer
  bool reads_from(
      int column) const;  // its expressions, but for ORDER BY, name this column of that row, or one behind it
  std::string explain() const;
};
bool names_column_from(const ExprPtr& expr, int column);

}  // namespace millrace::engine
