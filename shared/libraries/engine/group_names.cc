#include "engine/group_names.h"

#include <algorithm>

namespace millrace::engine {
namespace {

// Of nothing but the number of the group's set: grouping(…).
bool tells_set(const Expr& expr, const QueryPlan& plan) {
  if (expr.op == Op::kColumn) return expr.column == plan.set_key;
  return !expr.args.empty() && std::ranges::all_of(expr.args, [&](const auto& arg) {
    return arg->op == Op::kLiteral || tells_set(*arg, plan);
  });
}

// Of windows of one size, the start is the key, and the end that and the size.
bool is_window_end(const QueryPlan& plan, const Expr& expr) {
  return plan.window_key >= 0 && expr.op == Op::kTimestampPlusInterval && expr.args[0]->op == Op::kColumn &&
         expr.args[0]->column == plan.window_key && expr.args[1]->op == Op::kLiteral;
}

}  // namespace

bool names_group(const QueryPlan& plan, const Expr& output) {
  const bool key = output.op == Op::kColumn && static_cast<size_t>(output.column) < plan.group_keys.size();
  return key || is_window_end(plan, output) || (!plan.grouping_sets.empty() && tells_set(output, plan));
}

std::vector<NamedExpr> naming_outputs(const QueryPlan& plan) {
  std::vector<NamedExpr> names;
  for (const auto& output : plan.outputs) {
    if (names_group(plan, *output.expr)) names.push_back(output);
  }
  return names;
}

}  // namespace millrace::engine
