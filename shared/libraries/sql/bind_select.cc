// What every SELECT has in common, and the ad-hoc one over a view, a stream or the dead letters.
#include <fmt/format.h>

#include <unordered_set>

#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"
#include "sql/grouping.h"

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

Status bind_limit(const ast::Query& tree, SelectPlan& plan) {
  if (tree.limit && tree.limit->kind != ast::ExprKind::kNull) {
    TRY_ASSIGN(plan.limit, constant_count(*tree.limit, "LIMIT", std::nullopt));
  }
  if (tree.offset) {
    TRY_ASSIGN(plan.offset, constant_count(*tree.offset, "OFFSET", 0));
  }
  return {};
}

Result<Scope> bind_from(const ast::Query& tree, const BindContext& context, SelectPlan& plan,
                        Schema& schema) {
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
  schema = from.view ? from.view->output_schema() : from.stream->columns;
  TRY_ASSIGN(Scope scope, make_scope(*tree.from, schema, from.stream != nullptr));
  if (!scope.has_many_windows()) return scope;
  return unsupported_at(tree.from->span,
                        fmt::format("{} is not supported in an ad-hoc SELECT", window_name(*tree.from)),
                        "make a view that groups by window_start, and select from it");
}

class SelectBinder {
 public:
  SelectBinder(const ast::Query& tree, const BindContext& context) : tree_(tree), context_(context) {}

  Result<Select> run() {
    TRY_ASSIGN(scope_, bind_from(tree_, context_, plan_, schema_));
    if (tree_.where) {
      TRY_ASSIGN(plan_.filter, ExpressionBinder(scope_, "WHERE").bind_boolean(*tree_.where, "WHERE"));
    }
    ExpressionBinder binder(scope_, "");
    TRY_ASSIGN(columns_, bind_select_list(tree_, scope_, binder));
    for (const auto& column : columns_) plan_.outputs.push_back({column.name, column.expr});
    if (tree_.having) {
      TRY_ASSIGN(having_, binder.bind_boolean(*tree_.having, "HAVING"));
    }
    grouped_ = tree_.group_span.length > 0 || tree_.having || !binder.calls().empty();
    plan_.distinct = tree_.distinct_span.length > 0;
    for (const auto& item : tree_.order_by) TRY(bind_sort_key(item, binder));
    size_t inputs = schema_.size();
    if (grouped_) {
      TRY(group(binder.calls()));
      inputs = plan_.grouping->group_keys.size() + plan_.grouping->aggregates.size();
    }
    for (const auto& sort : sorts_) plan_.order_by.push_back(sort.key(inputs, plan_));
    TRY(bind_limit(tree_, plan_));
    return Select{std::move(plan_)};
  }

 private:
  // An ORDER BY item: an output's place, or an expression of its own.
  struct Sort {
    std::optional<size_t> place;
    ExprPtr expr;
    const ast::OrderItem* item = nullptr;

    engine::SortKey key(size_t inputs, const SelectPlan& plan) const {
      const ExprPtr by = place ? make_column(static_cast<int>(inputs + *place),
                                             plan.outputs[*place].expr->type, item->expr->span)
                               : expr;
      return {by, item->descending, item->nulls_first.value_or(item->descending)};
    }
  };

  // A bare name means an output column first, then one of the relation's, as in PostgreSQL.
  Status bind_sort_key(const ast::OrderItem& item, ExpressionBinder& grouped) {
    const ast::Expr& tree = *item.expr;
    Sort sort{std::nullopt, nullptr, &item};
    TRY_ASSIGN(sort.place, select_position(tree, columns_.size(), "ORDER BY"));
    for (size_t i = 0; !sort.place && i < columns_.size(); ++i) {
      if (tree.kind == ast::ExprKind::kColumn && !tree.qualifier && columns_[i].name == tree.text)
        sort.place = i;
    }
    if (!sort.place) {
      ExpressionBinder plain(scope_, "ORDER BY");
      TRY_ASSIGN(sort.expr, (grouped_ ? grouped : plain).bind_typed(tree));
      if (plan_.distinct) TRY(find_distinct_output(sort));
    }
    const Type type = sort.place ? columns_[*sort.place].expr->type : sort.expr->type;
    if (!has_order(type)) {
      return invalid_at(kNoOperator, tree.span, fmt::format("type {} has no order", to_string(type)),
                        "order by a value in it, or by its text");
    }
    sorts_.push_back(std::move(sort));
    return {};
  }

  // Of rows that are one there is one value of an output only.
  Status find_distinct_output(Sort& sort) const {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!same_expr(*columns_[i].expr, *sort.expr)) continue;
      sort.place = i;
      return {};
    }
    return invalid_at(kBadPosition, sort.item->expr->span,
                      "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                      "add the expression to the SELECT list");
  }

  Status group(const std::vector<engine::AggregateCall>& calls) {
    auto grouping = std::make_shared<engine::QueryPlan>();
    grouping->shape = engine::QueryPlan::Shape::kAggregate;
    TRY_ASSIGN(grouping->group_keys, bind_group_keys(tree_, scope_, columns_, schema_));
    grouping->aggregates = calls;
    order_by_time(grouping->aggregates, plan_.stream.get());
    GroupedOutputs outputs(grouping->group_keys, schema_);
    for (auto& output : plan_.outputs) {
      TRY_ASSIGN(output.expr, outputs.apply(output.expr));
    }
    if (having_) {
      TRY_ASSIGN(grouping->having, outputs.apply(having_));
    }
    for (auto& sort : sorts_) {
      if (sort.place) continue;
      TRY_ASSIGN(sort.expr, outputs.apply(sort.expr));
    }
    plan_.grouping = std::move(grouping);
    return {};
  }

  const ast::Query& tree_;
  const BindContext& context_;
  Schema schema_;  // of what is read
  Scope scope_;
  std::vector<SelectColumn> columns_;
  ExprPtr having_;
  bool grouped_ = false;
  std::vector<Sort> sorts_;
  SelectPlan plan_;
};

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
  return SelectBinder(tree, context).run();
}

}  // namespace millrace::sql
