#include "stream-processor/view_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/aggregate.h"
#include "engine/group_names.h"
#include "engine/select.h"
#include "formats/json.h"

namespace millrace::processor {

namespace {

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
void append_selected(const engine::QueryPlan& plan, const std::vector<engine::NamedExpr>& outputs,
                     const Batch& groups, Selection& selection, std::string_view op, JsonRows& out) {
  if (selection.empty()) return;
  const std::vector<std::string> names = engine::names_of(outputs);
  std::vector<engine::Evaluator> evaluators;
  std::vector<const Column*> columns;
  std::vector<RowError> errors;
  for (const auto& output : outputs) {
    auto& evaluator = evaluators.emplace_back(output.expr, plan.on_error, plan.options);
    columns.push_back(&evaluator.evaluate(groups, selection, errors));
  }
  append_columns(names, columns, selection, op, out);
}

}  // namespace

std::string op_member(std::string_view op) {
  return fmt::format("\"{}\":\"{}\"", engine::kOpColumn, op);
}

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
  append_selected(plan, plan.outputs, groups, shown, op, out);
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
  append_selected(plan, plan.outputs, groups, shown, "upsert", out);
  append_selected(plan, engine::naming_outputs(plan), groups, hidden, "delete", out);
}

void append_gone(const engine::QueryPlan& plan, const Batch& groups, JsonRows& out) {
  Selection all = engine::all_rows(groups);
  append_selected(plan, engine::naming_outputs(plan), groups, all, "delete", out);
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

Result<JsonRows> first_rows(const engine::ViewAtCut& view) {
  const bool closing = view.plan->emit_on_close;
  TRY_ASSIGN(const auto batch, engine::view_rows(view));
  JsonRows rows;
  append_rows(*view.plan, batch, closing ? "" : "upsert", rows);
  for (size_t w = 0; closing && w < view.epochs.size(); ++w) {
    if (view.closed_by[w] == view.closed) continue;
    TRY_ASSIGN(const auto ahead, render({view.plan, view.epochs[w], view.closed, view.closed_by[w]}));
    rows.append(ahead);
  }
  return rows;
}

}  // namespace millrace::processor
