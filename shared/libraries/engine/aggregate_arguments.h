// AggregateArguments: what a row brings to each aggregate of a plan: its argument, and whether FILTER lets it through.
// Private to engine/.
//
// Why:     FILTER is a CASE around the argument, for aggregates pass NULLs over. Many aggregates have a few conditions in
//          common: each is evaluated once a row, and an argument that is a column is not copied.
// Apart:   only where neither can fail: a condition of columns, literals and comparisons, around a column or around
//          what is counted. Any other FILTER stays the CASE that it is.
// Threads: the worker's.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace millrace::engine {

// One aggregate's, over a batch.
struct Argument {
  const Column* values = nullptr;   // nullptr: whatever the row is, it counts
  const uint8_t* passes = nullptr;  // by row; nullptr: every row does

  bool is_null(size_t row) const {
    if (passes != nullptr && passes[row] == 0) return true;
    return values != nullptr && (values->type == Type::kNull || values->is_null(row));
  }
};
using Arguments = std::vector<Argument>;

// The argument behind its FILTER, if there is one.
const Expr& unfiltered(const Expr& argument);

class AggregateArguments {
 public:
  AggregateArguments(const QueryPlan& plan, SharedValues* shared);

  // Valid until the next call or a change of the batch. Rows that fail leave the selection.
  const Arguments& evaluate(const Batch& batch, Selection& selection, std::vector<RowError>& errors);

 private:
  struct Condition {
    std::string identity;
    Evaluator evaluator;
    std::vector<uint8_t> passes = {};
  };
  struct Source {
    Condition* condition = nullptr;
    std::optional<Evaluator> values = {};
  };
  Condition* condition_of(const ExprPtr& filter);

  std::deque<Condition> conditions_;
  std::vector<Source> sources_;  // by aggregate
  Arguments arguments_;
};

}  // namespace millrace::engine
