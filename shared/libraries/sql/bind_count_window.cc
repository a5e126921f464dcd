// TUMBLE(stream, ROWS size) and HOP(stream, ROWS slide, ROWS size): windows of the rows of a group.
#include <fmt/format.h>

#include <algorithm>

#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::CountWindow;
using engine::Op;

namespace {

Result<int64_t> row_count(const ast::Expr& expr, std::string_view what) {
  const Scope nothing;
  ExpressionBinder binder(nothing, "ROWS");
  TRY_ASSIGN(Bound bound, binder.bind(expr));
  TRY_ASSIGN(std::optional<Bound> typed, coerce(std::move(bound), Type::kBigint));
  const bool constant = typed && typed->expr->op == Op::kLiteral;
  const auto* value = constant ? std::get_if<int64_t>(&typed->expr->literal) : nullptr;
  if (value != nullptr && *value > 0 && *value <= engine::kMaxWindowRows) return *value;
  return invalid_at(
      kBadWindow, expr.span,
      fmt::format("a window's {} is a whole number of rows, from 1 to {}", what, engine::kMaxWindowRows),
      "for example ROWS 100");
}

std::string order_hint(const engine::QueryPlan& plan, const engine::StreamDef& source) {
  if (!plan.arms.empty()) return "read one stream: several have no order among them";
  if (source.key_column < 0)
    return "declare the stream WITH (key = …), which is one of the group keys, or with one partition";
  return fmt::format("add the stream's key to GROUP BY: {}",
                     source.columns[static_cast<size_t>(source.key_column)].name);
}

}  // namespace

Result<CountWindow> bind_count_window(const ast::TableRef& from) {
  CountWindow window;
  TRY_ASSIGN(window.size, row_count(*from.size, "size"));
  window.slide = window.size;
  if (!from.step) return window;
  TRY_ASSIGN(window.slide, row_count(*from.step, "slide"));
  if (window.slide > window.size) {
    return invalid_at(kBadWindow, from.step->span,
                      "a HOP window's slide is larger than its size: events between windows would be lost",
                      "the order is slide, then size");
  }
  const int64_t panes = window.size / window.pane_rows();
  if (panes <= engine::kMaxPanes) return window;
  return invalid_at(
      kBadWindow, from.size->span,
      fmt::format("the windows would be made of {} panes, and the bound is {}", panes, engine::kMaxPanes),
      "a pane is the largest number of rows that divides both; choose a larger slide, or a smaller size");
}

// It becomes the last key, so that the panes of a group are neighbours.
void take_count_window(engine::QueryPlan& plan, const CountWindow& window) {
  auto& keys = plan.group_keys;
  const auto key = std::ranges::find_if(keys, [](const auto& k) { return k.expr->op == Op::kRowsEnd; });
  if (key == keys.end()) return;
  std::rotate(key, key + 1, keys.end());
  plan.count_window = window;
  plan.count_key = static_cast<int>(keys.size()) - 1;
}

Status check_count_window(const ast::Query& tree, engine::QueryPlan& plan, const engine::StreamDef& source,
                          bool spread) {
  if (plan.count_key < 0) return {};
  if (!tree.grouping_sets.empty())
    return unsupported_at(tree.group_span, "GROUPING SETS over a window of rows are not supported",
                          "make a view of each set");
  if (spread) {
    return invalid_at(
        kBadWindow, tree.from->span,
        fmt::format("the rows of a group have no order by which a window could count them: they "
                    "stand in several partitions of \"{}\"",
                    source.name),
        order_hint(plan, source));
  }
  plan.rows_aggregate = count_rows(plan.aggregates);
  return {};
}

}  // namespace millrace::sql
