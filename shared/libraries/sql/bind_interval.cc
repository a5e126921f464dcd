// sum and avg of intervals: of their months, days and microseconds, each a sum of whole numbers. So they are exact, can be
// taken back, and need no state of their own.
#include <fmt/format.h>

#include "engine/aggregates.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::AggregateCall;
using engine::AggregateKind;

Result<Bound> ExpressionBinder::interval_aggregate(const ast::Expr& expr,
                                                   const engine::AggregateFunction& function,
                                                   const Bound& argument) {
  const bool mean = function.kind == AggregateKind::kAvg;
  if (!mean && function.kind != AggregateKind::kSum)
    return does_not_exist(expr, Type::kInterval, fmt::format("{} takes numbers", expr.text));
  if (expr.distinct) {
    return unsupported_at(expr.span, fmt::format("{}(DISTINCT …) of interval is not supported", expr.text),
                          "leave DISTINCT out: equal intervals may have different parts");
  }
  TRY_ASSIGN(const Bound value, filtered(expr, argument));
  std::vector<Bound> sums;
  for (const char* part : {"interval_months", "interval_days", "interval_microseconds"}) {
    TRY_ASSIGN(Bound of, make_call(part, {value}, expr.span));
    AggregateCall sum{.kind = AggregateKind::kSum, .type = Type::kBigint};
    sum.argument = std::move(of.expr);
    sums.push_back(aggregate_call(expr, std::move(sum), of.size));
  }
  TRY_ASSIGN(Bound total, make_call("interval_of", std::move(sums), expr.span));
  if (!mean) return total;
  AggregateCall count{.kind = AggregateKind::kCount, .type = Type::kBigint};
  count.argument = value.expr;
  TRY_ASSIGN(Bound values, convert(aggregate_call(expr, std::move(count), value.size), Type::kDouble));
  return make(engine::Op::kIntervalDivide, Type::kInterval, {std::move(total), std::move(values)}, expr.span);
}

}  // namespace millrace::sql
