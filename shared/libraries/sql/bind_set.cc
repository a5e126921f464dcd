// UNION, INTERSECT and EXCEPT in a view or a derived stream: the rows of UNION ALL, grouped by all their columns. A row is in
// INTERSECT if the rows of its group come from both sides, in EXCEPT if all are of the left.
#include "sql/errors.h"
#include "sql/flatten.h"

namespace millrace::sql {

using engine::AggregateKind;
using engine::ExprPtr;
using engine::Op;
using engine::QueryPlan;

namespace {

// What the least and the greatest side of a group's rows have to be; of EXCEPT the greatest says it.
Result<ExprPtr> sides_condition(const ast::Query& tree, QueryPlan& plan) {
  const int side = static_cast<int>(plan.source->columns.size()) - 1;
  const int first = static_cast<int>(plan.group_keys.size());
  const auto end = [&](AggregateKind kind) {
    const int place = first + static_cast<int>(plan.aggregates.size());
    plan.aggregates.push_back({kind, make_column(side, Type::kBigint, tree.set_span), Type::kBigint});
    return Bound{make_column(place, Type::kBigint, tree.set_span)};
  };
  const bool except = tree.set == ast::SetOperation::kExcept;
  Bound least = except ? make_literal(kLeftSide, Type::kBigint, tree.set_span) : end(AggregateKind::kMin);
  Bound greatest = end(AggregateKind::kMax);
  TRY_ASSIGN(Bound condition, make(except ? Op::kEqual : Op::kNotEqual, Type::kBoolean,
                                   {std::move(least), std::move(greatest)}, tree.set_span));
  return std::move(condition.expr);
}

}  // namespace

Result<FlatQuery> flatten_set(const ast::Query& tree, const BindContext& context) {
  TRY_ASSIGN(FlatQuery flat, flatten_union(tree, context));
  if (tree.set_all) return flat;
  QueryPlan& plan = flat.plan;
  plan.shape = QueryPlan::Shape::kAggregate;
  plan.group_keys = plan.outputs;
  plan.repartition = plan.source->partitions > 1;
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const auto& expr = *plan.outputs[i].expr;
    plan.outputs[i].expr = make_column(static_cast<int>(i), expr.type, expr.span);
  }
  if (tree.set == ast::SetOperation::kUnion) return flat;
  TRY_ASSIGN(plan.having, sides_condition(tree, plan));
  return flat;
}

}  // namespace millrace::sql
