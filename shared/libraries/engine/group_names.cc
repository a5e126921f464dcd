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

// Of windows of one size, the start is a key, and the end that and the size; also where no watermark closes them.
bool is_window_end(const QueryPlan& plan, const Expr& expr) {
  if (expr.op != Op::kTimestampPlusInterval || expr.args[0]->op != Op::kColumn ||
      expr.args[1]->op != Op::kLiteral)
    return false;
  const auto key = static_cast<size_t>(expr.args[0]->column);
  return key < plan.group_keys.size() &&
         (expr.args[0]->column == plan.window_key || plan.group_keys[key].expr->op == Op::kTumbleStart);
}

// Of windows of rows, the start is the end less the size, but not below 0.
bool is_count_start(const QueryPlan& plan, const Expr& expr) {
  if (!plan.count_window.any()) return false;
  if (expr.op == Op::kCase) return expr.args.size() == 3 && is_count_start(plan, *expr.args[1]);
  return expr.op == Op::kSubtract && expr.args[0]->op == Op::kColumn &&
         expr.args[0]->column == plan.count_key && expr.args[1]->op == Op::kLiteral &&
         expr.args[1]->literal == Scalar(plan.count_window.size);
}

}  // namespace

bool names_group(const QueryPlan& plan, const Expr& output) {
  const bool key = output.op == Op::kColumn && static_cast<size_t>(output.column) < plan.group_keys.size();
  return key || is_window_end(plan, output) || is_count_start(plan, output) ||
         (!plan.grouping_sets.empty() && tells_set(output, plan));
}

std::vector<NamedExpr> naming_outputs(const QueryPlan& plan) {
  std::vector<NamedExpr> names;
  for (const auto& output : plan.outputs) {
    if (names_group(plan, *output.expr)) names.push_back(output);
  }
  return names;
}

}  // namespace millrace::engine
