// INSERT: a query's rows in the types of a stream's columns.
#include <fmt/format.h>

#include <algorithm>

#include "event/row_type.h"
#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::SelectPlan;

namespace {

using Columns = std::vector<const ColumnDef*>;

Result<engine::StreamPtr> target_of(const ast::Insert& tree, const BindContext& context) {
  TRY_ASSIGN(const Relation relation, resolve_relation(context, tree.stream));
  if (relation.stream && relation.stream->kind == engine::StreamKind::kDeclared) return relation.stream;
  return invalid_at(kWrongKind, tree.stream.span, fmt::format("\"{}\" takes no events", tree.stream.text),
                    "insert into a stream made by CREATE STREAM with columns");
}

Result<Columns> columns_of(const ast::Insert& tree, const engine::StreamDef& stream) {
  if (stream.cloud_events) {
    return unsupported_at(tree.stream.span, "INSERT into a stream of CloudEvents is not supported",
                          "POST the event: its source and id are its producer's");
  }
  Columns out;
  for (const auto& column : stream.columns) {
    const auto named = [&](const ast::Name& name) { return name.text == column.name; };
    if (!column.path.empty() && (tree.columns.empty() || std::ranges::any_of(tree.columns, named))) {
      return unsupported_at(
          tree.stream.span,
          fmt::format("INSERT of column \"{}\", which has a PATH, is not supported", column.name),
          "POST the event as JSON");
    }
    if (tree.columns.empty()) out.push_back(&column);
  }
  for (const ast::Name& name : tree.columns) {
    const auto found = std::ranges::find(stream.columns, name.text, &ColumnDef::name);
    if (found == stream.columns.end()) {
      return invalid_at(kUnknownColumn, name.span,
                        fmt::format("stream \"{}\" has no column \"{}\"", stream.name, name.text),
                        "DESCRIBE lists its columns");
    }
    if (std::ranges::find(out, &*found) != out.end()) {
      return invalid_at(kDuplicateColumn, name.span, fmt::format("column \"{}\" is named twice", name.text),
                        "name it once");
    }
    out.push_back(&*found);
  }
  return out;
}

// Without names, as in PostgreSQL, fewer values are those of the first columns.
void take_first(const ast::Insert& tree, size_t values, Columns& columns) {
  if (tree.columns.empty() && values < columns.size()) columns.resize(values);
}

Status check_width(size_t values, size_t columns, const SourceSpan& span) {
  if (values == columns) return {};
  return invalid_at(kTypeMismatch, span, fmt::format("there are {} values for {} columns", values, columns),
                    "name the columns: INSERT INTO stream (a, b) …");
}

}  // namespace

// As PostgreSQL does on assignment: numbers become one another, too.
Result<Bound> assigned(Bound value, const ColumnDef& column) {
  const Type to = without_lengths(column.type);
  if (value.type() == to && !value.unknown) return value;
  if (value.fields && is_row(to)) return assign_row(value, column);
  const SourceSpan span = value.expr->span;
  const Type from = value.type();
  if (!value.unknown && is_number(from) && is_number(column.type)) {
    return make(engine::Op::kCast, to, {std::move(value)}, span);
  }
  TRY_ASSIGN(std::optional<Bound> made, coerce(std::move(value), to));
  if (made) return std::move(*made);
  return invalid_at(kTypeMismatch, span,
                    fmt::format("column \"{}\" is of type {} but the value is of type {}", column.name,
                                to_string(column.type), to_string(from)),
                    "cast it: CAST(value AS type)");
}

namespace {

// Each value takes the type of its column, not of the values above it.
Result<SelectPlan> bind_rows(const ast::Insert& insert, Columns columns, const BindContext& context) {
  const ast::Query& tree = insert.query;
  take_first(insert, tree.values.front().size(), columns);
  Scope nothing;
  nothing.set_now(context.now);
  SelectPlan out;
  for (const auto& row : tree.values) {
    TRY(check_width(row.size(), columns.size(), row.front()->span));
    out.values.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      TRY_ASSIGN(Bound value, ExpressionBinder(nothing, "VALUES").bind(*row[i]));
      TRY_ASSIGN(Bound made, assigned(std::move(value), *columns[i]));
      out.values.back().push_back(std::move(made.expr));
    }
  }
  for (size_t i = 0; i < columns.size(); ++i)
    out.outputs.push_back(
        {columns[i]->name, make_column(static_cast<int>(i), without_lengths(columns[i]->type), tree.span)});
  return out;
}

Result<SelectPlan> bind_query_rows(const ast::Insert& insert, Columns columns, const BindContext& context) {
  const ast::Query& tree = insert.query;
  TRY_ASSIGN(BoundSelect inner, bind_nested(tree, context, false));
  TRY(check_reads(inner.plan, tree.span));
  take_first(insert, inner.plan.outputs.size(), columns);
  TRY(check_width(inner.plan.outputs.size(), columns.size(), tree.span));
  SelectPlan out;
  out.height = inner.plan.height + 1;
  for (size_t i = 0; i < columns.size(); ++i) {
    const engine::ExprPtr& from = inner.plan.outputs[i].expr;
    Bound value{make_column(static_cast<int>(i), from->type, from->span)};
    if (inner.unknown[i]) value = {from, true};
    TRY_ASSIGN(Bound made, assigned(std::move(value), *columns[i]));
    out.outputs.push_back({columns[i]->name, std::move(made.expr)});
  }
  out.input = std::make_shared<const SelectPlan>(std::move(inner.plan));
  return out;
}

}  // namespace

Result<Insert> bind_insert(const ast::Insert& tree, const BindContext& context) {
  TRY_ASSIGN(engine::StreamPtr stream, target_of(tree, context));
  TRY_ASSIGN(Columns columns, columns_of(tree, *stream));
  const bool rows = !tree.query.values.empty() && tree.query.with.empty() && tree.query.tail_span.length == 0;
  TRY_ASSIGN(SelectPlan plan, rows ? bind_rows(tree, std::move(columns), context)
                                   : bind_query_rows(tree, std::move(columns), context));
  return Insert{std::move(stream), std::move(plan)};
}

}  // namespace millrace::sql
