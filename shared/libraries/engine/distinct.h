// DistinctSets: which values each group has seen, for aggregates over DISTINCT values. Private to engine/.
//
// Why:    a value counts for a group once, however often and through whichever partition it comes.
// Sets:   one for each argument, whatever FILTERs stand behind it: count(DISTINCT x) and count(DISTINCT x)
//         FILTER (…) share x's values, and a bit for each call says which of them have counted the value.
// Rows:   of the table kDistinctSlot of the group's window. Key: the set, the group's bytes and their length,
//         the value as a group key's bytes; value: the bits. The hash is the group's: they live and move
//         together.
// Use:    of_row() or decode(), then take_known() takes out of the contributions what was counted before, and
//         insert() keeps the rest; undo() takes the last insert() back.
// Threads: the worker's.
#pragma once

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
  explicit DistinctSets(const QueryPlan& plan);
  bool empty() const { return sets_.empty(); }

  // The values of one row, or of one entry of a repartition topic.
  void of_row(const std::vector<const Column*>& arguments, const std::vector<Contribution>& contributions,
              size_t row);
  void encode(std::string& out) const;
  bool decode(ByteReader& in);

  void take_known(state::StateStore& store, int64_t window, std::string_view group, uint64_t hash,
                  std::vector<Contribution>& contributions);
  bool insert(state::StateStore& store);  // false: the state's bound, nothing is kept
  void undo(state::StateStore& store);

 private:
  struct Set {
    std::string argument;            // as text: what makes two arguments one
    std::vector<size_t> aggregates;  // at most kMostCalls
    std::string value;               // of the current row
    uint64_t calls = 0;              // those that the value is for: a bit each
    uint64_t known = 0;              // those that have counted it
    std::string key;                 // of its row in the table
    bool inserted = false;
  };
  static constexpr size_t kMostCalls = 64;

  state::Table& table(state::StateStore& store);

  QueryId query_;
  std::vector<Set> sets_;
  int64_t window_ = 0;  // of the current group
  uint64_t hash_ = 0;
};

}  // namespace millrace::engine
