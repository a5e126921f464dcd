// Calls of aggregates: what they take, and what FILTER, DISTINCT and ORDER BY make of it.
#include <fmt/format.h>

#include <algorithm>

#include "engine/aggregates.h"
#include "event/array.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::AggregateCall;
using engine::AggregateFunction;
using engine::AggregateKind;
using engine::Op;
using engine::Takes;

Error does_not_exist(const ast::Expr& aggregate, Type type, std::string hint) {
  return invalid_at(kBadArguments, aggregate.span,
                    fmt::format("{}({}) does not exist", aggregate.text, to_string(type)), std::move(hint));
}

namespace {

size_t arguments_of(const ast::Expr& call) {
  return call.args.size() - call.order_by.size() - (call.has_filter ? 1 : 0);
}

// As in PostgreSQL 15.
bool has_extremes(Type type) {
  if (is_array(type)) return has_order(type);
  if (is_row(type)) return false;
  return type != Type::kBoolean && type != Type::kBytea && type != Type::kUuid && type != Type::kJsonb;
}

Type result_type(AggregateKind kind, Type argument) {
  switch (kind) {
    case AggregateKind::kCountStar:
    case AggregateKind::kCount:
      return Type::kBigint;
    case AggregateKind::kAvg:
      return argument == Type::kDouble ? argument : Type::kNumeric;
    default:
      break;
  }
  if (kind == AggregateKind::kApproxCountDistinct) return Type::kBigint;
  if (engine::is_of_pairs(kind)) return Type::kDouble;
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
    case AggregateKind::kApproxCountDistinct:
      return true;
    default:
      return false;
  }
}

Result<bool> keeps_distinct(const ast::Expr& expr, AggregateKind kind, Type argument) {
  if (!expr.distinct || ignores_copies(kind)) return false;
  if (kind == AggregateKind::kJsonbObjectAgg)
    return unsupported_at(expr.span, "jsonb_object_agg(DISTINCT …) is not supported", "leave DISTINCT out");
  if (kind == AggregateKind::kCount || kind == AggregateKind::kApproxPercentile) return true;
  if (engine::is_of_pairs(kind)) argument = Type::kDouble;
  if (physical(argument) != Physical::kDouble) return true;
  return unsupported_at(
      expr.span, fmt::format("{}(DISTINCT …) of {} is not supported", expr.text, to_string(argument)),
      "its last digits would depend on the order of the events: cast the argument to bigint");
}

// What sums exactly: bigint, numeric of a bounded precision, double precision.
Result<Bound> as_summand(const ast::Expr& expr, Bound argument) {
  const Type type = argument.type();
  if (!is_number(type)) return does_not_exist(expr, type, fmt::format("{} takes numbers", expr.text));
  if (type == Type::kNumeric)
    return to_precision(argument, engine::kNumericSumPrecision, engine::kNumericSumScale);
  return convert(argument, is_integer(type) ? Type::kBigint : Type::kDouble);
}

constexpr size_t kMaxSeparatorBytes = 1'000;

Result<engine::ExprPtr> separator_of(Bound value, Type type, const ast::Expr& tree) {
  value.folds = true;
  TRY_ASSIGN(std::optional<Bound> text, coerce(std::move(value), type));
  const bool constant = text && text->expr->op == Op::kLiteral;
  const auto* literal = constant ? std::get_if<std::string>(&text->expr->literal) : nullptr;
  if (literal != nullptr && literal->size() <= kMaxSeparatorBytes) return text->expr;
  return invalid_at(
      kBadArguments, tree.span,
      fmt::format("the separator is a constant {} of at most {} bytes", to_string(type), kMaxSeparatorBytes),
      "write it in quotes: ', '");
}

Result<engine::ExprPtr> fraction_of(Bound value, const ast::Expr& tree) {
  value.folds = true;
  TRY_ASSIGN(std::optional<Bound> number, coerce(std::move(value), Type::kDouble));
  const bool constant = number && number->expr->op == Op::kLiteral;
  const auto* literal = constant ? std::get_if<double>(&number->expr->literal) : nullptr;
  if (literal != nullptr && *literal >= 0 && *literal <= 1) return number->expr;
  return invalid_at(kBadArguments, tree.span, "the fraction is a constant from 0 to 1", "for example 0.95");
}

// The constants of ARRAY[…], as an array of double precision.
Result<engine::ExprPtr> array_of_fractions(std::vector<Bound> values, const ast::Expr& tree) {
  ArrayMaker fractions(Type::kDouble);
  for (size_t i = 0; i < values.size(); ++i) {
    const ast::Expr& element = *tree.args[i];
    if (element.kind == ast::ExprKind::kNull) {
      fractions.add({});
      continue;
    }
    TRY_ASSIGN(const engine::ExprPtr fraction, fraction_of(std::move(values[i]), element));
    fractions.add(fraction->literal);
  }
  return make_literal(fractions.bytes(), array_of(Type::kDouble), tree.span).expr;
}

// NULLs stand in arrays and objects as null.
Result<Bound> as_json(Bound value) {
  const SourceSpan span = value.expr->span;
  TRY_ASSIGN(Bound json, make_call("to_jsonb", {std::move(value)}, span));
  std::vector<Bound> args;
  args.push_back(std::move(json));
  args.push_back(make_literal(std::string("null"), Type::kJsonb, span));
  return make(Op::kCoalesce, Type::kJsonb, std::move(args), span);
}

std::string wanted_arguments(const AggregateFunction& function) {
  if (function.kind == AggregateKind::kCount) return "* or one expression";
  if (function.least_arguments != function.most_arguments) return "one or two expressions";
  return function.most_arguments == 1 ? "one expression" : "two expressions";
}

}  // namespace

// GROUPING(key, …): which keys the row's grouping set is without. Whoever plans the groups puts in what it is of one.
Result<Bound> ExpressionBinder::grouping(const ast::Expr& expr) {
  constexpr size_t kMost = 31;  // bits of an integer
  if (in_aggregate_ || !place_.empty()) {
    return invalid_at(kMisplacedAggregate, expr.span,
                      fmt::format("grouping operations are not allowed in {}",
                                  in_aggregate_ ? "aggregate functions" : place_),
                      "they stand in the SELECT list and in HAVING");
  }
  if (expr.star || expr.args.empty() || expr.args.size() > kMost)
    return bad_arguments(expr, fmt::format("1 to {} keys of GROUP BY", kMost));
  uses_grouping_ = true;
  auto out = std::make_shared<engine::Expr>();
  out->op = engine::Op::kGrouping;
  out->type = Type::kInteger;
  out->span = expr.span;
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  Bound bound;
  for (Bound& arg : args) {
    bound.size += arg.size;
    out->args.push_back(std::move(arg.expr));
  }
  bound.expr = std::move(out);
  return bound;
}

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
  if (function.within_group == expr.within_group.empty()) {
    return bad_arguments(expr, function.within_group ? "WITHIN GROUP (ORDER BY …) behind it"
                                                     : "its arguments alone, without WITHIN GROUP");
  }
  if (engine::is_rank(function.kind)) return rank_of(expr, function.kind);
  if (expr.within_group.size() > 1) return bad_arguments(expr, "one key in WITHIN GROUP (ORDER BY …)");
  AggregateCall call{.kind = function.kind};
  call.descending = function.within_group && expr.within_group.front().descending;
  if (expr.star) {
    if (call.kind != AggregateKind::kCount) return bad_arguments(expr, "one expression; only count takes *");
    call.kind = AggregateKind::kCountStar;
    if (!expr.has_filter) return aggregate_call(expr, std::move(call), 1);
    call.kind = AggregateKind::kCount;
  } else if (arguments_of(expr) < function.least_arguments || arguments_of(expr) > function.most_arguments) {
    return bad_arguments(expr, wanted_arguments(function));
  }
  TRY_ASSIGN(const Bound plain, expr.star ? Result<Bound>(make_literal(int64_t{1}, Type::kBigint, expr.span))
                                          : aggregate_input(expr, function));
  if (function.takes == Takes::kNumbers && plain.type() == Type::kInterval)
    return interval_aggregate(expr, function, plain);
  TRY_ASSIGN(Bound argument, aggregate_argument(expr, function, plain));
  if (call.kind == AggregateKind::kRegrCount) call.kind = AggregateKind::kCount;
  TRY(aggregate_parameter(expr, plain.type(), call));
  TRY(aggregate_order(expr, plain, call));
  TRY_ASSIGN(argument, filtered(expr, std::move(argument)));
  call.type = result_type(call.kind, argument.type());
  if (engine::is_of_order(call.kind) && call.parameter && is_array(call.parameter->type)) {
    if (is_array(call.type))
      return does_not_exist(expr, call.type, "there are no arrays of arrays: one fraction a call");
    call.type = array_of(call.type);
  }
  TRY_ASSIGN(call.distinct, keeps_distinct(expr, call.kind, argument.type()));
  call.argument = std::move(argument.expr);
  return aggregate_call(expr, std::move(call), argument.size);
}

// The first argument as it was written.
Result<Bound> ExpressionBinder::aggregate_input(const ast::Expr& expr, const AggregateFunction& function) {
  TRY_ASSIGN(Bound bound, bind_in_aggregate(*expr.args[0]));
  if (function.takes == Takes::kBooleans) return as_boolean(std::move(bound), expr.text);
  return with_default_type(std::move(bound));
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

// What the engine is given of it.
Result<Bound> ExpressionBinder::aggregate_argument(const ast::Expr& expr, const AggregateFunction& function,
                                                   Bound argument) {
  const Type type = argument.type();
  if (function.kind == AggregateKind::kApproxPercentile && type == Type::kNumeric)
    return make(Op::kCast, Type::kDouble, {std::move(argument)}, expr.span);
  if (function.takes == Takes::kNumbers) {
    TRY_ASSIGN(argument, as_summand(expr, std::move(argument)));
    if (function.kind == AggregateKind::kApproxPercentile) return convert(argument, Type::kDouble);
    return argument;
  }
  if (engine::is_of_pairs(function.kind)) return pair_of(expr, std::move(argument));
  if (engine::is_of_order(function.kind)) return ordered(expr, function.kind, std::move(argument));
  const bool bytes = type == Type::kBytea && function.least_arguments == 2;
  if (function.takes == Takes::kTexts && type != Type::kText && !bytes)
    return does_not_exist(expr, type, "cast it to text");
  if (function.kind == AggregateKind::kArrayAgg) {
    if (is_array(type))
      return does_not_exist(expr, type, "there are no arrays of arrays: jsonb_agg makes one");
    return make_call("array", {std::move(argument)}, expr.span);
  }
  if (function.kind == AggregateKind::kJsonbAgg) return as_json(std::move(argument));
  if (function.kind == AggregateKind::kJsonbObjectAgg) {
    TRY_ASSIGN(Bound value, bind_in_aggregate(*expr.args[1]));
    return make_call("jsonb_build_object", {std::move(argument), std::move(value)}, expr.span);
  }
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

// Both as one value; NULL where one of them is.
Result<Bound> ExpressionBinder::pair_of(const ast::Expr& expr, Bound y) {
  TRY_ASSIGN(Bound x, bind_in_aggregate(*expr.args[1]));
  x = with_default_type(std::move(x));
  for (Bound* side : {&y, &x}) {
    if (!is_number(side->type()))
      return does_not_exist(expr, side->type(), fmt::format("{} takes numbers", expr.text));
    TRY_ASSIGN(*side, convert(*side, Type::kDouble));
  }
  TRY_ASSIGN(Bound has_y, make(Op::kIsNotNull, Type::kBoolean, {y}, expr.span));
  TRY_ASSIGN(Bound has_x, make(Op::kIsNotNull, Type::kBoolean, {x}, expr.span));
  TRY_ASSIGN(Bound has_both, make(Op::kAnd, Type::kBoolean, {std::move(has_y), std::move(has_x)}, expr.span));
  TRY_ASSIGN(Bound pair, make_call("array", {std::move(y), std::move(x)}, expr.span));
  const Type type = pair.type();
  return make(Op::kCase, type, {std::move(has_both), std::move(pair), make_literal({}, type, expr.span)},
              expr.span);
}

Result<Bound> ExpressionBinder::ordered(const ast::Expr& expr, AggregateKind kind, Bound argument) {
  const Type type = argument.type();
  if (!has_order(type)) return does_not_exist(expr, type, "order by a value in it, or by its text");
  if (kind != AggregateKind::kPercentileCont || type == Type::kInterval) return argument;
  if (!is_number(type)) {
    return does_not_exist(expr, type,
                          "percentile_cont takes numbers and intervals; percentile_disc any value");
  }
  return convert(argument, Type::kDouble);
}

Status ExpressionBinder::aggregate_parameter(const ast::Expr& expr, Type argument, AggregateCall& call) {
  const bool list = call.kind == AggregateKind::kStringAgg;
  const bool percentile = call.kind == AggregateKind::kApproxPercentile ||
                          call.kind == AggregateKind::kPercentileCont ||
                          call.kind == AggregateKind::kPercentileDisc;
  if (!list && !percentile) return {};
  if (arguments_of(expr) < 2) {
    call.parameter = make_literal(std::string(","), Type::kText, expr.span).expr;
    return {};
  }
  const ast::Expr& tree = *expr.args[1];
  if (engine::is_of_order(call.kind) && tree.kind == ast::ExprKind::kArray) {
    TRY_ASSIGN(std::vector<Bound> values, bind_all(tree.args));
    TRY_ASSIGN(call.parameter, array_of_fractions(std::move(values), tree));
    return {};
  }
  TRY_ASSIGN(Bound value, bind_in_aggregate(tree));
  TRY_ASSIGN(call.parameter,
             list ? separator_of(std::move(value), argument, tree) : fraction_of(std::move(value), tree));
  return {};
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
  // Which of a value's rows came first must not show.
  if (expr.distinct && expr.order_by.empty() && engine::gathers(call.kind)) {
    TRY_ASSIGN(Bound key, filtered(expr, argument));
    call.order_by.push_back({std::move(key.expr)});
  }
  return {};
}

namespace {

bool same_call(const AggregateCall& a, const AggregateCall& b) {
  const auto same_key = [](const engine::SortKey& x, const engine::SortKey& y) {
    return x.descending == y.descending && x.nulls_first == y.nulls_first && same_expr(*x.expr, *y.expr);
  };
  return a.kind == b.kind && a.distinct == b.distinct && a.descending == b.descending &&
         (a.argument == nullptr || same_expr(*a.argument, *b.argument)) &&
         (a.parameter == nullptr || same_expr(*a.parameter, *b.parameter)) &&
         std::ranges::equal(a.order_by, b.order_by, same_key);
}

}  // namespace

// The same call twice is one: what a view may be replaced by and what ORDER BY means follow from it.
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
