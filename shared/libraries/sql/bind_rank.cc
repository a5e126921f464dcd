// rank, dense_rank, percent_rank and cume_dist WITHIN GROUP: where a row of constants would stand among the rows of a
// group. Each is made of counts of the rows before it, so it is exact, can be taken back, and needs no state of its own.
#include <fmt/format.h>

#include <utility>

#include "engine/aggregates.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::AggregateCall;
using engine::AggregateKind;
using engine::Op;

namespace {

bool is_null(const Bound& constant) {
  return std::holds_alternative<std::monostate>(constant.expr->literal);
}

// Not true where a row's value is the constant, or behind it.
Result<Bound> stands_before(const RankKey& key, const SourceSpan& span) {
  const bool null = is_null(key.constant);
  if (null && key.nulls_first) return make_literal(false, Type::kBoolean, span);
  if (null) return make(Op::kIsNotNull, Type::kBoolean, {key.value}, span);
  TRY_ASSIGN(Bound before, make_comparison(key.descending ? Op::kGreater : Op::kLess,
                                           key.descending ? ">" : "<", key.value, key.constant, span, span));
  if (!key.nulls_first) return before;
  TRY_ASSIGN(Bound nulls, make(Op::kIsNull, Type::kBoolean, {key.value}, span));
  return make(Op::kOr, Type::kBoolean, {std::move(nulls), std::move(before)}, span);
}

Result<Bound> stands_beside(const RankKey& key, const SourceSpan& span) {
  return make_comparison(Op::kIsNotDistinct, "=", key.value, key.constant, span, span);
}

// By the first key that is not the same. `or_beside`: also of a row that is the same in all keys.
Result<Bound> before_all(const std::vector<RankKey>& keys, size_t place, bool or_beside,
                         const SourceSpan& span) {
  TRY_ASSIGN(Bound before, stands_before(keys[place], span));
  const bool last = place + 1 == keys.size();
  if (last && !or_beside) return before;
  TRY_ASSIGN(Bound rest, stands_beside(keys[place], span));
  if (!last) {
    TRY_ASSIGN(Bound others, before_all(keys, place + 1, or_beside, span));
    TRY_ASSIGN(rest, make(Op::kAnd, Type::kBoolean, {std::move(rest), std::move(others)}, span));
  }
  return make(Op::kOr, Type::kBoolean, {std::move(before), std::move(rest)}, span);
}

Result<Bound> where(Bound condition, Bound value, const SourceSpan& span) {
  const Type type = value.type();
  return make(Op::kCase, type, {std::move(condition), std::move(value), make_literal({}, type, span)}, span);
}

// What dense_rank counts once each. Where NULL stands before the constant it is one of the values.
Result<Bound> peers_of(const std::vector<RankKey>& keys, const SourceSpan& span) {
  if (keys.size() == 1 && !keys[0].nulls_first) return keys[0].value;
  std::vector<Bound> fields;
  for (const RankKey& key : keys) fields.push_back(key.value);
  return unnamed_row(std::move(fields), span);
}

Bound one(const SourceSpan& span) {
  return make_literal(int64_t{1}, Type::kBigint, span);
}

}  // namespace

Result<std::vector<RankKey>> ExpressionBinder::rank_keys(const ast::Expr& expr) {
  const size_t count = expr.within_group.size();
  if (expr.args.size() - (expr.has_filter ? 1 : 0) != 2 * count)
    return bad_arguments(expr, "as many constants as WITHIN GROUP has keys");
  std::vector<RankKey> keys;
  for (size_t i = 0; i < count; ++i) {
    const ast::Expr::Order& order = expr.within_group[i];
    const ast::Expr& constant = *expr.args[count + i];
    RankKey key{.descending = order.descending, .nulls_first = order.nulls_first.value_or(order.descending)};
    TRY_ASSIGN(key.value, bind_in_aggregate(*expr.args[i]));
    TRY_ASSIGN(key.constant, bind_in_aggregate(constant));
    key.constant.folds = true;
    TRY(unify({&key.value, &key.constant}, "WITHIN GROUP"));
    key.value.fields = key.constant.fields = nullptr;  // a row is compared as a value
    if (!has_order(key.value.type())) {
      return invalid_at(kNoOperator, expr.args[i]->span,
                        fmt::format("type {} has no order", to_string(key.value.type())),
                        "order by a value in it, or by its text");
    }
    if (key.constant.expr->op != Op::kLiteral) {
      return invalid_at(kBadArguments, constant.span, fmt::format("{} takes constants", expr.text),
                        "write the value itself: rank(42)");
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

// How many rows have a value, or how many values they have.
Result<Bound> ExpressionBinder::counted(const ast::Expr& expr, Bound value, bool distinct) {
  TRY_ASSIGN(value, filtered(expr, std::move(value)));
  AggregateCall call{.kind = AggregateKind::kCount, .distinct = distinct};
  call.argument = value.expr;
  return aggregate_call(expr, std::move(call), value.size);
}

// Of all rows, `before` of which stand before the constants.
Result<Bound> ExpressionBinder::share_of(const ast::Expr& expr, AggregateKind kind, Bound before) {
  const SourceSpan& span = expr.span;
  TRY_ASSIGN(Bound rows, counted(expr, one(span), false));
  TRY_ASSIGN(const Bound some, make(Op::kNotEqual, Type::kBoolean,
                                    {rows, make_literal(int64_t{0}, Type::kBigint, span)}, span));
  for (Bound* count : {&before, &rows}) {
    if (kind == AggregateKind::kCumeDist) {
      TRY_ASSIGN(*count, make_arithmetic("+", std::move(*count), one(span), expr));
    }
    TRY_ASSIGN(*count, convert(*count, Type::kDouble));
  }
  TRY_ASSIGN(Bound share, make_arithmetic("/", std::move(before), std::move(rows), expr));
  if (kind == AggregateKind::kCumeDist) return share;
  return make(Op::kCase, Type::kDouble, {some, std::move(share), make_literal(0.0, Type::kDouble, span)},
              span);
}

Result<Bound> ExpressionBinder::rank_of(const ast::Expr& expr, AggregateKind kind) {
  const SourceSpan& span = expr.span;
  TRY_ASSIGN(const std::vector<RankKey> keys, rank_keys(expr));
  TRY_ASSIGN(Bound before, before_all(keys, 0, kind == AggregateKind::kCumeDist, span));
  const bool dense = kind == AggregateKind::kDenseRank;
  TRY_ASSIGN(Bound value, dense ? peers_of(keys, span) : Result<Bound>(one(span)));
  TRY_ASSIGN(value, where(std::move(before), std::move(value), span));
  TRY_ASSIGN(Bound count, counted(expr, std::move(value), dense));
  if (dense || kind == AggregateKind::kRank) return make_arithmetic("+", std::move(count), one(span), expr);
  return share_of(expr, kind, std::move(count));
}

}  // namespace millrace::sql
