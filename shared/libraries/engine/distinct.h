// DistinctSets: which values each group has seen, for aggregates over DISTINCT values. Private to engine/.
//
// Why:    a value counts for a group once, however often and through whichever partition it comes.
// Panes:  of windows that are made of several, the values are the accumulators' (kDistinct): there is no set here.
// Sets:   one for each argument, whatever FILTERs stand behind it: count(DISTINCT x) and count(DISTINCT x)
//         FILTER (…) share x's values, and a bit for each call says which of them have counted the value.
// Rows:   of the table kDistinctSlot of the group's window. Key: the set, the group's key group and number, the value
//         as a group key's bytes; value: the bits. The hash is the group's: they live and move together. Of an
//         updating source: in place of the bits a count for each call, of the rows that have the value, and
//         count() in place of take_known(), insert() and undo().
// Groups: each has a number, so that its bytes are not in each of its values' keys: table kDistinctGroupsSlot. It is
//         counted within the key group, whose last number is a row beside it: they move together, so no two groups
//         ever have the same one, whatever the number of workers becomes.
// Use:    of_row() or decode() says which values a row brings; find_group() and then locate(), or find(), say where they would be.
//         Then take_known() takes out of the contributions what was counted before, and insert() keeps the rest;
//         undo() takes that back. Of an updating source: forget() lets go of a group that has no rows any more.
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
    bool inserted = false;
  };
  struct Row {
    state::Table* table = nullptr;
    state::Table* groups = nullptr;
    uint64_t hash = 0;
    std::string group;  // its row's key in `groups`
    uint64_t group_place = 0;
    uint64_t number = 0;        // 0: the state's bound was reached
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

  void begin() { tables_ = {}; }  // before the first row of a batch: tables may have been dropped
  void find_group(state::StateStore& store, int64_t window, std::string_view group, uint64_t hash, Row& row);
  void find(state::StateStore& store, int64_t window, std::string_view group, uint64_t hash, Row& row) {
    find_group(store, window, group, hash, row);
    locate(row);
  }
  void prefetch_group(const Row& row) const { row.groups->prefetch(row.group_place); }
  void locate(Row& row) const;
  void prefetch(const Row& row) const;
  void take_known(Row& row, std::vector<Contribution>& contributions) const;
  bool insert(Row& row) const;  // false: the state's bound, nothing is kept
  void undo(Row& row) const;
  // A row comes (1) or goes (-1): keeps the contributions of those values that turn up, or that were the last of theirs.
  // False: the state's bound.
  bool count(Row& row, int weight, std::vector<Contribution>& contributions) const;
  // For a group that has its first row, since its last one may have gone after locate(); false: the state's bound.
  bool remember(const Row& row) const;
  void forget(const Row& row) const { row.groups->erase(row.group, row.hash); }
  // Where all groups have one table: lets go of the values of those that take no row any more. Looks at all values, once
  // they are twice those that the last look left.
  using Open = std::function<bool(std::string_view group, uint64_t hash)>;
  void sweep(state::StateStore& store, const Open& open);

 private:
  struct Set {
    std::string argument;            // as text: what makes two arguments one
    std::vector<size_t> aggregates;  // at most kMostCalls
  };
  static constexpr size_t kMostCalls = 64;
  static constexpr size_t kCountBytes = 8;
  // 0: the state's bound.
  static uint64_t number_of(const Row& row);
  bool count_set(const Set& set, Value& value, const Row& row, int weight,
                 std::vector<Contribution>& contributions) const;

  QueryId query_;
  std::vector<Set> sets_;
  size_t value_bytes_;
  struct {
    const state::StateStore* store = nullptr;
    int64_t window = 0;
    state::Table* values = nullptr;
    state::Table* groups = nullptr;
  } tables_;         // neighbouring rows are of one window most of the time
  size_t left_ = 0;  // by the last sweep
};

}  // namespace millrace::engine
