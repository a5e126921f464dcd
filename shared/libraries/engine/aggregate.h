// GroupTable: one query's groups, in the state store: what a keyed aggregation keeps and how it is read.
//
// Rows:       key = the group key columns, encoded so that byte order is value order (nulls last); value =
//             one fixed-size accumulator an aggregate. One table a pane (TableName::window = the pane's start;
//             TUMBLE: the window's), one for all else.
// Float sums: kept per source partition and added up in partition order at the read, so that the answer is a
//             function of the log alone, whatever the interleaving of a repartition topic.
// Weights:    a row of weight -1, of an updating source, takes out what the same row once brought. A group whose
//             last row is gone is gone.
// Partial:    count, integer sums, min and max may be combined before the repartition; float sums and
//             averages may not, nor what is DISTINCT: then rows travel one by one, in their partition's order.
// Threads:    the worker's, but for read_groups(), which runs over an epoch on any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "state/state_store.h"

namespace millrace::engine {

// The slot numbers of a query's tables in the state store.
inline constexpr uint16_t kGroupsSlot = 0;
inline constexpr uint16_t kRowsSlot = 1;
// The groups of rows that came too late for the first windows of their pane.
inline constexpr uint16_t kLateSlot = 2;
// Beside kGroupsSlot: the values that DISTINCT has seen, and the last numbers of its groups.
inline constexpr uint16_t kDistinctSlot = 3;
inline constexpr uint16_t kDistinctNumbersSlot = 9;
// A store is settled after so many rows: what they have brought back from the disk may go.
inline constexpr size_t kRowsASettling = 1024;
inline constexpr uint16_t kNumbersSlot = 4;   // of windows of rows: how many rows each group has had
inline constexpr uint16_t kLastRowsSlot = 8;  // of an updating source: what has to be retracted

// Order-preserving encoding of one value; decode takes it off the front.
void encode_key(std::string& out, const Column& column, size_t row);
Status decode_key(std::string_view& in, Type type, Column& out, Arena& arena);

class Aggregation {
 public:
  // With `shared`: its expressions are evaluated together with others (shared_values.h).
  explicit Aggregation(PlanPtr plan, SharedValues* shared = nullptr);
  ~Aggregation();

  // Rows that passed late check and filter. `ended`, by row (empty: nothing had ended): a window that ends up to
  // there does not take the row any more; only windows that share panes ask. `changed`, if not null, collects
  // (window, key) of the groups touched (of panes), each once per collection. Answers kExhausted if the state's
  // bound is reached (nothing of the failing row is kept).
  struct Changed {
    int64_t window;
    std::string key;
    std::optional<SessionTimes> before = {};  // SESSION: what the pane had before the collection
  };
  Status add(const Batch& batch, Selection& selection, state::StateStore& store,
             std::vector<RowError>& errors, std::vector<Changed>* changed,
             std::span<const int64_t> ended = {});

  // The repartition's two ends. partial() encodes rows (or partial groups) for each partition of the topic;
  // merge() takes one record's value.
  struct Payloads {
    size_t partitions = 1;
    size_t full_bytes = SIZE_MAX;  // a record that has as many is written, and another one begins
    std::function<void(size_t partition, std::string_view value)> write;
  };
  Status partial(const Batch& batch, Selection& selection, const Payloads& to, std::vector<RowError>& errors,
                 std::span<const int64_t> ended = {});
  Status merge(std::string_view payload, state::StateStore& store, std::vector<Changed>* changed);

  // Groups as rows (group keys…, aggregates…), appended to `out`, by (window, key). `wanted`: only such windows.
  static Status read_groups(const QueryPlan& plan,
                            const std::vector<std::shared_ptr<const state::Epoch>>& epochs,
                            const std::function<bool(const Window&)>& wanted, Batch& out);
  // The same for given groups of the live store, for changes to subscribers. `gone`, if not null: the keys of those
  // that are not there.
  Status read_changed(const std::vector<Changed>& changed, state::StateStore& store,
                      const std::function<bool(const Window&)>& wanted, Batch& out, Batch* gone = nullptr);

  // Windows of rows, both once after add(). The windows that its rows have closed, in the order of those rows, which
  // `rows` names; then lets go what no window needs any more.
  Status read_closed_counts(state::StateStore& store, Batch& out, std::vector<uint32_t>& rows);
  void drop_closed_counts(state::StateStore& store);

  // SESSION. The sessions that hold what changed; `gone`: the keys of those that are there no longer, as the
  // view's columns name them.
  Status read_changed_sessions(const std::vector<Changed>& changed, state::StateStore& store, Batch& out,
                               Batch& gone);
  // Those that ended after `before` and up to `closed`, by their ends. Neither watermark goes back.
  Status read_ended_sessions(int64_t before, int64_t closed, state::StateStore& store, Batch& out);
  // Takes those that ended up to there out of the store; other groups of their panes stay.
  Status drop_ended_sessions(int64_t upto, state::StateStore& store);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A view without groups: each row under (partition, offset), or that of its primary key. Of a derived stream with a
// primary key: which keys it has told of.
class RowsView {
 public:
  explicit RowsView(PlanPtr plan);
  ~RowsView();
  // `outputs` holds the view's output columns, with origins.
  Status add(const Batch& outputs, const Selection& selection, state::StateStore& store);
  // Of an updating source: the row that is the key's from now on, or that there is none (false: there was none).
  Status replace(const Batch& outputs, uint32_t row, std::string_view key, state::StateStore& store);
  bool remove(PartitionId partition, std::string_view key, state::StateStore& store);
  static Status read_rows(const QueryPlan& plan,
                          const std::vector<std::shared_ptr<const state::Epoch>>& epochs, Batch& out);

 private:
  PlanPtr plan_;
  std::string bytes_;  // scratch
};

// Copies every row of a query's tables into the store of its key group (a change of the number of workers).
Status split_state(const QueryPlan& plan, const state::Epoch& from,
                   const std::function<state::StateStore&(uint32_t key_group)>& target);

}  // namespace millrace::engine
