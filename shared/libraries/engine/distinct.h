// DistinctSets: which values each group has seen, for aggregates over DISTINCT values. Private to engine/.
//
// Why:    a value counts for a group once, however often and through whichever partition it comes.
// Panes:  of windows that are made of several, the values are the accumulators' (kDistinct): there is no set here.
// Sets:   one for each argument, whatever FILTERs stand behind it: count(DISTINCT x) and count(DISTINCT x)
//         FILTER (…) share x's values, and a bit for each call says which of them have counted the value.
// Rows:   of the table kDistinctSlot of the group's window. Key: the set, the group's bytes and their length,
//         the value as a group key's bytes; value: the bits. The hash is the group's: they live and move
//         together. Of an updating source: in place of the bits a count for each call, of the rows that have the
//         value, and count() in place of take_known(), insert() and undo().
// Use:    of_row() or decode() says which values a row brings, locate() where they would be. Then take_known()
//         takes out of the contributions what was counted before, and insert() keeps the rest; undo() takes that
//         back.
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
    uint64_t hash = 0;
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

  void locate(state::StateStore& store, int64_t window, std::string_view group, uint64_t hash,
              Row& row) const;
  void prefetch(const Row& row) const;
  void take_known(Row& row, std::vector<Contribution>& contributions) const;
  bool insert(Row& row) const;  // false: the state's bound, nothing is kept
  void undo(Row& row) const;
  // A row comes (1) or goes (-1): keeps the contributions of those values that turn up, or that were the last of theirs.
  // False: the state's bound.
  bool count(Row& row, int weight, std::vector<Contribution>& contributions) const;
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
  bool count_set(const Set& set, Value& value, const Row& row, int weight,
                 std::vector<Contribution>& contributions) const;

  QueryId query_;
  std::vector<Set> sets_;
  size_t value_bytes_;
  size_t left_ = 0;  // by the last sweep
};

}  // namespace millrace::engine
