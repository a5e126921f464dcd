// Calls of aggregates: what they take, and what FILTER, DISTINCT and ORDER BY make of it.
#include <fmt/format.h>

#include <algorithm>

#include "engine/aggregates.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::AggregateCall;
using engine::AggregateFunction;
using engine::AggregateKind;
using engine::Op;
using engine::Takes;

namespace {

size_t arguments_of(const ast::Expr& call) {
  return call.args.size() - call.order_by.size() - (call.has_filter ? 1 : 0);
}

// As in PostgreSQL 15.
bool has_extremes(Type type) {
  return type != Type::kBoolean && type != Type::kBytea && type != Type::kUuid && type != Type::kJsonb;
}

Type result_type(AggregateKind kind, Type argument) {
  switch (kind) {
    case AggregateKind::kCountStar:
    case AggregateKind::kCount:
      return Type::kBigint;
    case AggregateKind::kAvg:
      return argument == Type::kNumeric ? argument : Type::kDouble;
    default:
      break;
  }
  if (engine::is_variance(kind)) return argument == Type::kDouble ? Type::kDouble : Type::kNumeric;
  return argument;
}

// The answer is the same over the distinct values alone.
bool ignores_copies(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kAnyValue:
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
    case AggregateKind::kBitAnd:
    case AggregateKind::kBitOr:
      return true;
    default:
      return false;
  }
}

Result<bool> keeps_distinct(const ast::Expr& expr, AggregateKind kind, Type argument) {
  if (!expr.distinct || ignores_copies(kind)) return false;
  if (kind == AggregateKind::kCount || physical(argument) != Physical::kDouble) return true;
  return unsupported_at(
      expr.span, fmt::format("{}(DISTINCT …) of {} is not supported", expr.text, to_string(argument)),
      "its last digits would depend on the order of the events: cast the argument to bigint");
}

Error does_not_exist(const ast::Expr& expr, Type type, std::string hint) {
  return invalid_at(kBadArguments, expr.span,
                    fmt::format("{}({}) does not exist", expr.text, to_string(type)), std::move(hint));
}

// What sums exactly: bigint, numeric of a bounded precision, double precision.
Result<Bound> as_summand(const ast::Expr& expr, Bound argument) {
  const Type type = argument.type();
  if (!is_number(type)) return does_not_exist(expr, type, fmt::format("{} takes numbers", expr.text));
  if (type == Type::kNumeric)
    return to_precision(argument, engine::kNumericSumPrecision, engine::kNumericSumScale);
  return convert(argument, is_integer(type) ? Type::kBigint : Type::kDouble);
}

}  // namespace

Result<Bound> ExpressionBinder::aggregate(const ast::Expr& expr, const AggregateFunction& function) {
  if (in_aggregate_) {
    return invalid_at(kMisplacedAggregate, expr.span, "aggregate function calls cannot be nested",
                      "an aggregate takes columns of the stream");
  }
  if (!place_.empty()) {
    return invalid_at(kMisplacedAggregate, expr.span,
                      fmt::format("aggregate functions are not allowed in {}", place_),
                      "they stand in the SELECT list of a view");
  }
  AggregateCall call{.kind = function.kind};
  if (expr.star) {
    if (call.kind != AggregateKind::kCount) return bad_arguments(expr, "one expression; only count takes *");
    call.kind = AggregateKind::kCountStar;
    if (!expr.has_filter) return aggregate_call(expr, std::move(call), 1);
    call.kind = AggregateKind::kCount;
  } else if (arguments_of(expr) != 1) {
    return bad_arguments(expr, call.kind == AggregateKind::kCount ? "* or one expression" : "one expression");
  }
  TRY_ASSIGN(Bound argument, expr.star ? Result<Bound>(make_literal(int64_t{1}, Type::kBigint, expr.span))
                                       : aggregate_argument(expr, function));
  TRY(aggregate_order(expr, argument, call));
  TRY_ASSIGN(argument, filtered(expr, std::move(argument)));
  call.type = result_type(call.kind, argument.type());
  TRY_ASSIGN(call.distinct, keeps_distinct(expr, call.kind, argument.type()));
  call.argument = std::move(argument.expr);
  return aggregate_call(expr, std::move(call), argument.size);
}

Result<Bound> ExpressionBinder::bind_in_aggregate(const ast::Expr& expr) {
  in_aggregate_ = true;
  auto bound = bind(expr);
  in_aggregate_ = false;
  return bound;
}

// Aggregates pass NULLs over: the argument is NULL where FILTER's condition is not true.
Result<Bound> ExpressionBinder::filtered(const ast::Expr& call, Bound value) {
  if (!call.has_filter) return value;
  TRY_ASSIGN(Bound condition, bind_in_aggregate(*call.args.back()));
  TRY_ASSIGN(condition, as_boolean(std::move(condition), "FILTER"));
  const Type type = value.type();
  std::vector<Bound> args;
  args.push_back(std::move(condition));
  args.push_back(std::move(value));
  args.push_back(make_literal({}, type, call.span));
  return make(Op::kCase, type, std::move(args), call.span);
}

Result<Bound> ExpressionBinder::aggregate_argument(const ast::Expr& expr, const AggregateFunction& function) {
  TRY_ASSIGN(Bound bound, bind_in_aggregate(*expr.args[0]));
  if (function.takes == Takes::kBooleans) return as_boolean(std::move(bound), expr.text);
  Bound argument = with_default_type(std::move(bound));
  const Type type = argument.type();
  if (function.takes == Takes::kNumbers) return as_summand(expr, std::move(argument));
  if (function.takes == Takes::kIntegers && !is_integer(type))
    return does_not_exist(expr, type, fmt::format("{} takes whole numbers", expr.text));
  if (function.takes == Takes::kOrdered && !has_extremes(type)) {
    return does_not_exist(expr, type,
                          type == Type::kBoolean
                              ? "bool_and and bool_or are the least and the greatest of booleans"
                              : "cast it to text");
  }
  return argument;
}

Status ExpressionBinder::aggregate_order(const ast::Expr& expr, const Bound& argument, AggregateCall& call) {
  for (size_t i = 0; i < expr.order_by.size(); ++i) {
    const ast::Expr& tree = *expr.args[arguments_of(expr) + i];
    TRY_ASSIGN(Bound key, bind_in_aggregate(tree));
    key = with_default_type(std::move(key));
    if (!has_order(key.type())) {
      return invalid_at(kNoOperator, tree.span, fmt::format("type {} has no order", to_string(key.type())),
                        "order by a value in it, or by its text");
    }
    if (expr.distinct && !same_expr(*key.expr, *argument.expr)) {
      return invalid_at(kBadPosition, tree.span,
                        "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                        "order by the argument");
    }
    TRY_ASSIGN(key, filtered(expr, std::move(key)));
    const ast::Expr::Order& order = expr.order_by[i];
    if (engine::is_ordered(call.kind)) {
      call.order_by.push_back(
          {std::move(key.expr), order.descending, order.nulls_first.value_or(order.descending)});
    }
  }
  return {};
}

namespace {

bool same_call(const AggregateCall& a, const AggregateCall& b) {
  const auto same_key = [](const engine::SortKey& x, const engine::SortKey& y) {
    return x.descending == y.descending && x.nulls_first == y.nulls_first && same_expr(*x.expr, *y.expr);
  };
  return a.kind == b.kind && a.distinct == b.distinct &&
         (a.argument == nullptr || same_expr(*a.argument, *b.argument)) &&
         std::ranges::equal(a.order_by, b.order_by, same_key);
}

}  // namespace

// The same call twice is computed once.
Bound ExpressionBinder::aggregate_call(const ast::Expr& expr, AggregateCall call, size_t size) {
  const uint64_t hash = (call.argument ? expr_hash(*call.argument) : 0) * 64 +
                        static_cast<uint64_t>(call.kind) * 2 + call.distinct;
  const auto [from, to] = calls_by_hash_.equal_range(hash);
  const auto same =
      std::find_if(from, to, [&](const auto& entry) { return same_call(calls_[entry.second], call); });
  const size_t index = same == to ? calls_.size() : same->second;
  const Type type = call.type;
  if (same == to) {
    calls_by_hash_.emplace(hash, index);
    calls_.push_back(std::move(call));
  }
  return Bound{make_column(kAggregateBase + static_cast<int>(index), type, expr.span), false, size + 1};
}

void order_by_time(std::vector<AggregateCall>& calls, const engine::StreamDef* source) {
  if (source == nullptr || source->watermark_column < 0) return;
  const int column = source->watermark_column;
  const Type type = source->columns[static_cast<size_t>(column)].type;
  for (AggregateCall& call : calls) {
    if (engine::is_ordered(call.kind) && !call.distinct)
      call.order_by.push_back({make_column(column, type, call.argument->span)});
  }
}

}  // namespace millrace::sql
