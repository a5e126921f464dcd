// DistinctSets: which values each group has seen, for aggregates over DISTINCT values. Private to engine/.
//
// Why:    a value counts for a group once, however often and through whichever partition it comes.
// Panes:  of windows that are made of several, the values are the accumulators' (kDistinct): there is no set here.
// Sets:   one for each argument, whatever FILTERs stand behind it: count(DISTINCT x) and count(DISTINCT x)
//         FILTER (…) share x's values, and a bit for each call says which of them have counted the value.
// Rows:   of the table kDistinctSlot of the group's window. Key: the set, the group's key group and number, the value
//         as a group key's bytes; value: the bits. The hash is the group's: they live and move together. Of an
//         updating source: in place of the bits a count for each call, of the rows that have the value, and
//         count() in place of take() and undo().
// Groups: each has a number, so that its bytes are not in each of its values' keys; it stands in the group's row
//         (accumulator.h). It is counted within the key group, whose last one is a row of kDistinctNumbersSlot: they
//         move together, so no two groups ever have the same one, whatever the number of workers becomes.
// Use:    of_row() or decode() says which values a row brings, use_window() where; locate() where they would be. Then
//         take() keeps those that are new, and takes out of the contributions what was counted before; undo() takes
//         that back.
// Threads: the worker's.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/accumulator.h"
#include "engine/plan.h"
#include "engine/value_codec.h"
#include "state/state_store.h"

namespace millrace::engine {

class DistinctSets {
 public:
  // What one row, or one entry of a repartition topic, brings to one set.
  struct Value {
    std::string bytes;
    uint64_t calls = 0;  // those that the value is for: a bit each
    uint64_t known = 0;  // those that have counted it
    std::string key;     // of its row in the table
    uint64_t place = 0;
    bool taken = false;  // by some that had not
  };
  struct Row {
    state::Table* table = nullptr;
    uint64_t hash = 0;
    uint64_t number = 0;        // of the group; 0: not located
    std::vector<Value> values;  // one a set
  };

  explicit DistinctSets(const QueryPlan& plan);
  bool empty() const { return sets_.empty(); }

  // With a group's key, a value is part of one key of the state, which has a bound.
  static constexpr size_t kMaxValueBytes = 32'000;

  void of_row(const Arguments& arguments, size_t row, Row& out) const;
  // The first aggregate whose value is longer than the bound; -1: none.
  int too_long(const Row& row) const;
  void encode(const Row& row, std::string& out) const;
  bool decode(ByteReader& in, Row& out) const;

  void begin() { table_ = {}; }  // before the first row of a batch: tables may have been dropped
  void use_window(state::StateStore& store, int64_t window, uint64_t hash, Row& row);
  // For a new group; 0: the state's bound.
  uint64_t next_number(state::StateStore& store, int64_t window, uint64_t hash) const;
  void locate(Row& row, uint64_t number) const;
  void prefetch_index(const Row& row) const;
  void prefetch(const Row& row) const;
  bool take(Row& row,
            std::vector<Contribution>& contributions) const;  // false: the state's bound, nothing is kept
  void undo(Row& row) const;
  // A row comes (1) or goes (-1): keeps the contributions of those values that turn up, or that were the last of theirs.
  // False: the state's bound.
  bool count(Row& row, int weight, std::vector<Contribution>& contributions) const;
  // Where all groups have one table: lets go of the values of those that take no row any more. Looks at all values, once
  // they are twice those that the last look left. `number`: that of a group by its row's value; 0: it is not open.
  using NumberOf = std::function<uint64_t(const char* value)>;
  void sweep(state::StateStore& store, const NumberOf& number);

 private:
  struct Set {
    std::string argument;            // as text: what makes two arguments one
    std::vector<size_t> aggregates;  // at most kMostCalls
  };
  static constexpr size_t kMostCalls = 64;
  static constexpr size_t kCountBytes = 8;
  bool count_set(const Set& set, Value& value, const Row& row, int weight,
                 std::vector<Contribution>& contributions) const;

  QueryId query_;
  std::vector<Set> sets_;
  size_t value_bytes_;
  struct {
    const state::StateStore* store = nullptr;
    int64_t window = 0;
    state::Table* values = nullptr;
  } table_;          // neighbouring rows are of one window most of the time
  size_t left_ = 0;  // by the last sweep
};

}  // namespace millrace::engine
