// The operator kit: one line of a test runs an aggregation, or an expression, under hidden schedules; one
// answer is allowed.
//
// Schedules: batches of 1, 7 and 1,024 rows; the state saved (frozen, copied key group by key group) and
//            loaded after every batch or never; groups kept where the rows are, or sent through a repartition
//            topic whose partitions' records arrive interleaved; one store or three.
#pragma once

#include <string>
#include <vector>

#include "engine/aggregate.h"

namespace millrace::engine::kit {

struct Schedule {
  size_t batch = 1024;
  bool reload = false;
  bool repartition = false;
  uint32_t stores = 1;
};
std::string to_string(const Schedule& schedule);
std::vector<Schedule> schedules();

// Rows [from, from + count) as a batch of their own, origins included.
Batch slice(const Batch& rows, size_t from, size_t count);
Selection all_rows(const Batch& batch);
// Every row as a line of JSON, columns numbered.
std::string printed(const Batch& batch);

// The groups that `plan` makes of `rows` under the schedule, printed; what failed is printed behind them.
std::string run_aggregation(const QueryPlan& plan, const Batch& rows, const Schedule& schedule);
// A boolean, numeric or text expression's values and failures under the schedule, printed.
std::string run_expression(const ExprPtr& expr, const Batch& rows, const Schedule& schedule);

// Expressions, briefly.
ExprPtr column(int index, Type type);
ExprPtr literal(Scalar value);
ExprPtr null_of(Type type);
ExprPtr call(Op op, Type type, std::vector<ExprPtr> args);

}  // namespace millrace::engine::kit
