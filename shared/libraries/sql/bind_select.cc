// What every SELECT has in common, and the ad-hoc one over a view, a stream or the dead letters.
#include <fmt/format.h>

#include <unordered_set>

#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::ExprPtr;
using engine::SelectPlan;

namespace {

SourceSpan part(const ast::SelectItem& item) {
  return item.alias ? item.alias.span : item.expr->span;
}

Status add_star(const ast::Expr& star, const Scope& scope, std::vector<SelectColumn>& out) {
  TRY(scope.check_qualifier(star.qualifier));
  if (scope.columns().empty()) {
    return invalid_at(kUnknownColumn, star.span, "there are no columns for *",
                      "add FROM and the name of a stream or a view");
  }
  for (const auto& column : scope.columns()) out.push_back({nullptr, column.expr, column.name, star.span});
  return {};
}

Status check_output_names(const std::vector<SelectColumn>& columns) {
  std::unordered_set<std::string_view> seen;
  for (const auto& column : columns) {
    if (seen.insert(column.name).second) continue;
    return invalid_at(kDuplicateColumn, column.span,
                      fmt::format("two columns of the result are named \"{}\"", column.name),
                      "name one of them: expression AS name");
  }
  return {};
}

Status refuse_grouping(const ast::Query& tree, const ExpressionBinder& binder) {
  if (tree.group_span.length == 0 && !tree.having && binder.calls().empty()) return {};
  SourceSpan span = tree.group_span.length == 0 && tree.having ? tree.having->span : tree.group_span;
  if (!binder.calls().empty()) span = tree.items.front().expr->span;
  return unsupported_at(span, "GROUP BY, HAVING and aggregates are not supported in an ad-hoc SELECT yet",
                        "make a view that keeps them up to date: CREATE MATERIALIZED VIEW v AS SELECT …");
}

Result<int64_t> constant_count(const ast::Expr& expr, std::string_view what, std::optional<int64_t> if_null) {
  const Scope nothing;
  ExpressionBinder binder(nothing, what);
  TRY_ASSIGN(Bound bound, binder.bind(expr));
  TRY_ASSIGN(std::optional<Bound> typed, coerce(std::move(bound), Type::kBigint));
  const bool constant = typed && typed->expr->op == engine::Op::kLiteral;
  if (constant && typed->expr->literal.index() == 0 && if_null) return *if_null;
  const auto* value = constant ? std::get_if<int64_t>(&typed->expr->literal) : nullptr;
  if (value != nullptr && *value >= 0) return *value;
  return invalid_at(kBadLimit, expr.span, fmt::format("{} takes a whole number that is not negative", what),
                    fmt::format("for example {} 10", what));
}

// A bare name means an output column first, then one of the relation's, as in PostgreSQL.
Result<ExprPtr> bind_sort_expr(const ast::Expr& tree, const std::vector<SelectColumn>& outputs, size_t inputs,
                               ExpressionBinder& binder) {
  TRY_ASSIGN(std::optional<size_t> place, select_position(tree, outputs.size(), "ORDER BY"));
  for (size_t i = 0; !place && i < outputs.size(); ++i) {
    if (tree.kind == ast::ExprKind::kColumn && !tree.qualifier && outputs[i].name == tree.text) place = i;
  }
  if (!place) return binder.bind_typed(tree);
  return make_column(static_cast<int>(inputs + *place), outputs[*place].expr->type, tree.span);
}

Status bind_tail(const ast::Query& tree, const std::vector<SelectColumn>& outputs, size_t inputs,
                 const Scope& scope, SelectPlan& plan) {
  ExpressionBinder binder(scope, "ORDER BY");
  for (const auto& item : tree.order_by) {
    TRY_ASSIGN(ExprPtr expr, bind_sort_expr(*item.expr, outputs, inputs, binder));
    if (!has_order(expr->type)) {
      return invalid_at(kNoOperator, item.expr->span,
                        fmt::format("type {} has no order", to_string(expr->type)),
                        "order by a value in it, or by its text");
    }
    plan.order_by.push_back({std::move(expr), item.descending, item.nulls_first.value_or(item.descending)});
  }
  if (tree.limit && tree.limit->kind != ast::ExprKind::kNull) {
    TRY_ASSIGN(plan.limit, constant_count(*tree.limit, "LIMIT", std::nullopt));
  }
  if (tree.offset) {
    TRY_ASSIGN(plan.offset, constant_count(*tree.offset, "OFFSET", 0));
  }
  return {};
}

Result<Scope> bind_from(const ast::Query& tree, const BindContext& context, SelectPlan& plan,
                        size_t& inputs) {
  if (!tree.from) return Scope();
  TRY_ASSIGN(Relation from, resolve_relation(context, tree.from->name));
  if (tree.from->window != ast::WindowFunction::kNone &&
      (from.view || from.stream->kind == engine::StreamKind::kDeadLetters)) {
    return unsupported_at(tree.from->span, fmt::format("{} reads a stream", window_name(*tree.from)),
                          "a view's windows are in its columns: select from it as it is");
  }
  plan.view = from.view;
  if (from.stream && from.stream->kind == engine::StreamKind::kDeadLetters) {
    plan.dead_letters = from.stream;
  } else {
    plan.stream = from.stream;
  }
  const Schema schema = from.view ? from.view->output_schema() : from.stream->columns;
  inputs = schema.size();
  TRY_ASSIGN(Scope scope, make_scope(*tree.from, schema));
  if (!scope.has_many_windows()) return scope;
  return unsupported_at(tree.from->span,
                        fmt::format("{} is not supported in an ad-hoc SELECT", window_name(*tree.from)),
                        "make a view that groups by window_start, and select from it");
}

}  // namespace

Result<std::optional<size_t>> select_position(const ast::Expr& expr, size_t columns,
                                              std::string_view clause) {
  if (expr.kind == ast::ExprKind::kString || expr.kind == ast::ExprKind::kNull) {
    return invalid_at(kBadPosition, expr.span, fmt::format("a constant in {} says nothing", clause),
                      "name a column, or its place");
  }
  if (expr.kind != ast::ExprKind::kNumber) return std::optional<size_t>();
  const auto place = parse_bigint(expr.text);
  if (place.ok() && *place >= 1 && static_cast<uint64_t>(*place) <= columns) {
    return std::optional(static_cast<size_t>(*place - 1));
  }
  return invalid_at(kBadPosition, expr.span,
                    fmt::format("{} position {:.30} is not in the select list", clause, expr.text),
                    fmt::format("the places are 1 to {}", columns));
}

Result<std::vector<SelectColumn>> bind_select_list(const ast::Query& query, const Scope& scope,
                                                   ExpressionBinder& binder) {
  std::vector<SelectColumn> out;
  size_t size = 0;
  for (const auto& item : query.items) {
    if (item.expr->kind == ast::ExprKind::kStar) {
      TRY(add_star(*item.expr, scope, out));
    } else {
      TRY_ASSIGN(Bound bound, binder.bind(*item.expr));
      bound = with_default_type(std::move(bound));
      size += bound.size;
      out.push_back({item.expr.get(), std::move(bound.expr),
                     item.alias ? item.alias.text : default_name(*item.expr), part(item)});
    }
    if (size <= kMaxExpressionNodes && out.size() <= ast::kMaxColumns) continue;
    return invalid_at(
        kTooComplex, item.expr->span, "the SELECT list is too large",
        fmt::format("the bounds are {} columns and {} parts", ast::kMaxColumns, kMaxExpressionNodes));
  }
  TRY(check_output_names(out));
  return out;
}

Result<Select> bind_select(const ast::Query& tree, const BindContext& context) {
  Select out;
  size_t inputs = 0;
  TRY_ASSIGN(const Scope scope, bind_from(tree, context, out.plan, inputs));
  if (tree.where) {
    TRY_ASSIGN(out.plan.filter, ExpressionBinder(scope, "WHERE").bind_boolean(*tree.where, "WHERE"));
  }
  ExpressionBinder binder(scope, "");
  TRY_ASSIGN(const std::vector<SelectColumn> columns, bind_select_list(tree, scope, binder));
  TRY(refuse_grouping(tree, binder));
  for (const auto& column : columns) out.plan.outputs.push_back({column.name, column.expr});
  TRY(bind_tail(tree, columns, inputs, scope, out.plan));
  return out;
}

}  // namespace millrace::sql
