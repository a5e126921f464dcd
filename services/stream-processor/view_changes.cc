#include "stream-processor/view_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/aggregate.h"
#include "engine/select.h"
#include "formats/json.h"

namespace millrace::processor {

namespace {

std::string op_member(std::string_view op) {
  return fmt::format("\"{}\":\"{}\"", engine::kOpColumn, op);
}

void append_columns(const std::vector<std::string>& names, const std::vector<const Column*>& columns,
                    const Selection& selection, std::string_view op, JsonRows& out) {
  formats::JsonRowWriter writer(names, op.empty() ? "" : op_member(op));
  out.ends.reserve(out.ends.size() + selection.size());
  for (const uint32_t row : selection) {
    writer.append(out.text, columns, row);
    out.ends.push_back(out.text.size());
  }
}

// Rows for which an output fails, and is not NULL then, are taken out of the selection.
void append_selected(const std::vector<engine::NamedExpr>& outputs, engine::OnError on_error,
                     const Batch& groups, Selection& selection, std::string_view op, JsonRows& out) {
  if (selection.empty()) return;
  const std::vector<std::string> names = engine::names_of(outputs);
  std::vector<engine::Evaluator> evaluators;
  std::vector<const Column*> columns;
  std::vector<RowError> errors;
  for (const auto& output : outputs)
    columns.push_back(&evaluators.emplace_back(output.expr, on_error).evaluate(groups, selection, errors));
  append_columns(names, columns, selection, op, out);
}

// Of nothing but the number of the group's set: grouping(…).
bool tells_set(const engine::Expr& expr, const engine::QueryPlan& plan) {
  if (expr.op == engine::Op::kColumn) return expr.column == plan.set_key;
  return !expr.args.empty() && std::ranges::all_of(expr.args, [&](const auto& arg) {
    return arg->op == engine::Op::kLiteral || tells_set(*arg, plan);
  });
}

// Of windows of one size, the start is a key, and the end that and the size; also where no watermark closes them.
bool is_window_end(const engine::QueryPlan& plan, const engine::Expr& expr) {
  if (expr.op != engine::Op::kTimestampPlusInterval || expr.args[0]->op != engine::Op::kColumn ||
      expr.args[1]->op != engine::Op::kLiteral)
    return false;
  const auto key = static_cast<size_t>(expr.args[0]->column);
  return key < plan.group_keys.size() && (expr.args[0]->column == plan.window_key ||
                                          plan.group_keys[key].expr->op == engine::Op::kTumbleStart);
}

// Of windows of rows, the start is the end less the size, but not below 0.
bool is_count_start(const engine::QueryPlan& plan, const engine::Expr& expr) {
  if (!plan.count_window.any()) return false;
  if (expr.op == engine::Op::kCase) return expr.args.size() == 3 && is_count_start(plan, *expr.args[1]);
  return expr.op == engine::Op::kSubtract && expr.args[0]->op == engine::Op::kColumn &&
         expr.args[0]->column == plan.count_key && expr.args[1]->op == engine::Op::kLiteral &&
         expr.args[1]->literal == Scalar(plan.count_window.size);
}

// The outputs that name a row: group keys as they are, a window's end, grouping(…); computing them cannot fail.
std::vector<engine::NamedExpr> key_outputs(const engine::QueryPlan& plan) {
  std::vector<engine::NamedExpr> keys;
  for (const auto& output : plan.outputs) {
    const engine::Expr& expr = *output.expr;
    const bool key =
        expr.op == engine::Op::kColumn && static_cast<size_t>(expr.column) < plan.group_keys.size();
    if (key || is_window_end(plan, expr) || is_count_start(plan, expr) ||
        (!plan.grouping_sets.empty() && tells_set(expr, plan)))
      keys.push_back(output);
  }
  return keys;
}

}  // namespace

void append_rows(const engine::QueryPlan& plan, const Batch& rows, std::string_view op, JsonRows& out) {
  const std::vector<std::string> names = engine::names_of(plan.outputs);
  std::vector<const Column*> columns;
  for (const auto& column : rows.columns) columns.push_back(&column);
  append_columns(names, columns, engine::all_rows(rows), op, out);
}

void append_groups(const engine::QueryPlan& plan, const Batch& groups, std::string_view op, JsonRows& out) {
  Selection shown = engine::all_rows(groups);
  std::vector<RowError> errors;
  engine::filter_groups(plan, groups, shown, errors);
  append_selected(plan.outputs, plan.on_error, groups, shown, op, out);
}

void append_changes(const engine::QueryPlan& plan, const Batch& groups, JsonRows& out) {
  Selection shown = engine::all_rows(groups);
  std::vector<RowError> errors;
  engine::filter_groups(plan, groups, shown, errors);
  std::vector<bool> settled(groups.rows);
  for (const uint32_t row : shown) settled[row] = true;
  // A group whose HAVING fails is one that a SELECT reports: nothing is said of it here.
  for (const RowError& failed : errors) settled[failed.row] = settled[failed.row] || !failed.kept;
  Selection hidden = engine::all_rows(groups);
  std::erase_if(hidden, [&](uint32_t row) { return settled[row]; });
  append_selected(plan.outputs, plan.on_error, groups, shown, "upsert", out);
  append_selected(key_outputs(plan), plan.on_error, groups, hidden, "delete", out);
}

void append_gone(const engine::QueryPlan& plan, const Batch& groups, JsonRows& out) {
  Selection all = engine::all_rows(groups);
  append_selected(key_outputs(plan), plan.on_error, groups, all, "delete", out);
}

namespace {

std::vector<engine::NamedExpr> primary_key_outputs(const engine::QueryPlan& plan) {
  std::vector<engine::NamedExpr> keys;
  for (const auto& output : plan.outputs) {
    if (output.expr->op != engine::Op::kColumn) continue;
    const int column = plan.read_columns[static_cast<size_t>(output.expr->column)];
    if (std::ranges::find(plan.source->primary_key, column) != plan.source->primary_key.end())
      keys.push_back(output);
  }
  return keys;
}

}  // namespace

RowChanges::RowChanges(const engine::QueryPlan& plan)
    : upserts_(engine::names_of(plan.outputs), op_member("upsert")),
      deletes_(engine::names_of(primary_key_outputs(plan)), op_member("delete")) {
  for (const auto& key : primary_key_outputs(plan)) key_.push_back(static_cast<size_t>(key.expr->column));
}

void RowChanges::upsert(const Batch& rows, size_t row, JsonRows& out) {
  std::vector<const Column*> columns;
  for (const Column& column : rows.columns) columns.push_back(&column);
  upserts_.append(out.text, columns, row);
  out.ends.push_back(out.text.size());
}

void RowChanges::remove(const Batch& events, size_t event, JsonRows& out) {
  std::vector<const Column*> columns;
  for (const size_t place : key_) columns.push_back(&events.columns[place]);
  deletes_.append(out.text, columns, event);
  out.ends.push_back(out.text.size());
}

Result<JsonRows> render(const ClosedWindows& windows) {
  Batch groups;
  TRY(engine::Aggregation::read_groups(
      *windows.plan, {windows.epoch},
      [&](const engine::Window& window) {
        return window.end > windows.before && window.end <= windows.closed;
      },
      groups));
  JsonRows rows;
  append_groups(*windows.plan, groups, "", rows);
  return rows;
}

}  // namespace millrace::processor
