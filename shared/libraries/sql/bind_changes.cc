// The changes of groups as a stream: upserts by the groups' keys, or a changelog.
#include <fmt/format.h>

#include <algorithm>

#include "engine/group_names.h"
#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Expr;
using engine::NamedExpr;
using engine::Op;
using engine::QueryPlan;
using engine::StreamDef;

namespace {

// A change reads and writes each of the windows that hold it, of each of their panes: the product is what it costs.
constexpr size_t kMostWindows = 100;

bool shows_key(const QueryPlan& plan, int key) {
  return std::ranges::any_of(plan.outputs, [&](const NamedExpr& output) {
    return output.expr->op == Op::kColumn && output.expr->column == key;
  });
}

// One end names a window of one size, and a session, of which a group has one at a time; CUMULATE's need both.
bool shows_window(const QueryPlan& plan) {
  const bool start = shows_key(plan, plan.window_key);
  if (plan.window_end_key < 0) {
    return start || std::ranges::any_of(plan.outputs, [&](const NamedExpr& output) {
             return output.expr->op != Op::kColumn && engine::names_group(plan, *output.expr);
           });
  }
  const bool end = shows_key(plan, plan.window_end_key);
  return plan.window.is_session() ? start || end : start && end;
}

Error key_not_shown(const ast::Query& tree, const std::string& name) {
  return invalid_at(
      kBadPrimaryKey, tree.span, fmt::format("the group key \"{}\" is not selected as it is", name),
      fmt::format("add {} to the SELECT list: the stream's primary key is what the query groups by", name));
}

Status check_keys(const QueryPlan& plan, const ast::Query& tree) {
  for (size_t i = 0; i < plan.group_keys.size(); ++i) {
    const int key = static_cast<int>(i);
    if (key == plan.window_key || key == plan.window_end_key || shows_key(plan, key)) continue;
    return key_not_shown(tree, plan.group_keys[i].name);
  }
  if (plan.window_key < 0 || shows_window(plan)) return {};
  return key_not_shown(tree, shows_key(plan, plan.window_key) ? "window_end" : "window_start");
}

// What names the group, each once.
std::vector<int> primary_key_of(const QueryPlan& plan) {
  std::vector<int> key;
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const Expr& expr = *plan.outputs[i].expr;
    const bool twice = std::ranges::any_of(
        key, [&](int before) { return same_expr(*plan.outputs[static_cast<size_t>(before)].expr, expr); });
    if (!twice && engine::names_group(plan, expr)) key.push_back(static_cast<int>(i));
  }
  return key;
}

Status add_changelog_column(StreamDef& stream, const SourceSpan& span) {
  const std::string name(engine::kChangelogColumn);
  if (std::ranges::any_of(stream.columns, [&](const ColumnDef& column) { return column.name == name; }))
    return invalid_at(kDuplicateColumn, span, fmt::format("a changelog has a column \"{}\" of its own", name),
                      "rename the other one");
  stream.columns.push_back(ColumnDef{name, Type::kText});
  return {};
}

}  // namespace

Status check_changes(const ast::CreateQuery& tree, const QueryPlan& plan) {
  if (tree.emit == ast::CreateQuery::Emit::kEvery) {
    return unsupported_at(tree.emit_span, "EMIT EVERY in CREATE STREAM … AS is not supported",
                          "EMIT CHANGES writes a group once a step, however often it changed");
  }
  if (!plan.grouping_sets.empty()) {
    return unsupported_at(tree.query.group_span, "the changes of GROUPING SETS as a stream are not supported",
                          "make a stream of each set");
  }
  if (plan.count_key >= 0) {
    return unsupported_at(tree.emit_span, "the changes of windows of rows as a stream are not supported",
                          "EMIT ON WINDOW CLOSE writes a window's row with its last one");
  }
  // Those that hold an event: most_windows() is one more.
  const size_t windows = plan.most_windows() - 1;
  if (windows > kMostWindows) {
    return unsupported_at(
        tree.emit_span,
        fmt::format("the changes of {} overlapping windows as a stream are not supported", windows),
        fmt::format(
            "each event would write a row of each of them: EMIT ON WINDOW CLOSE, a larger slide (at most "
            "{} windows may hold an event), or a view",
            kMostWindows));
  }
  if (!plan.group_keys.empty()) return {};
  return unsupported_at(tree.query.items.front().expr->span,
                        "the changes of one group of all rows as a stream are not supported",
                        "GROUP BY a column, or make a view and SUBSCRIBE to it");
}

Status bind_upserts(const ast::CreateQuery& tree, const QueryPlan& plan, StreamDef& out) {
  TRY(check_keys(plan, tree.query));
  out.primary_key = primary_key_of(plan);
  return add_op_column(out, tree.query.span);
}

Status bind_changelog(const ast::CreateQuery& tree, const QueryPlan& plan, StreamDef& out) {
  if (!plan.window.is_session() || plan.window_key < 0) return add_changelog_column(out, tree.query.span);
  return unsupported_at(tree.query.from->span, "a changelog of SESSION is not supported",
                        "leave the option changelog out: its sessions are upserts and deletes");
}

}  // namespace millrace::sql
