// The naive evaluator's aggregates: all values of a group are kept, and an answer is worked out from all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "tests/sim/naive_expr.h"

namespace millrace::sim {

// Where a row stands: its partition, and what ordered aggregates go by where ORDER BY says nothing more.
struct NaiveOrigin {
  PartitionId partition;
  Row order;
};
// What a sum of doubles is added up by: the pane, and how many windows of the row had ended.
using NaivePart = std::pair<int64_t, size_t>;

// What a row brings to an aggregate.
struct NaiveInput {
  Scalar value;
  Row order;  // by the aggregate's own ORDER BY
};
struct NaiveValue {
  NaiveInput input;
  NaiveOrigin origin;
  NaivePart part;
};

// Nothing: FILTER does not let the row pass, or the aggregate passes its NULL over.
using NaiveOutcome = Result<std::optional<NaiveInput>>;
NaiveOutcome naive_input(const sql::ast::Expr& call, const RowContext& context, bool null_on_error);
// Of values as they came.
Scalar naive_aggregate(const sql::ast::Expr& call, std::vector<NaiveValue> values);

}  // namespace millrace::sim
