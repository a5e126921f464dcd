#include "sql/bind_expression.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/aggregates.h"
#include "event/row_type.h"
#include "sql/errors.h"

namespace millrace::sql {

using ast::ExprKind;
using engine::ExprPtr;
using engine::Op;

Result<Bound> balanced(Op op, std::vector<Bound>& args, size_t from, size_t to) {
  if (to - from == 1) return std::move(args[from]);
  const size_t middle = from + (to - from + 1) / 2;
  TRY_ASSIGN(Bound left, balanced(op, args, from, middle));
  TRY_ASSIGN(Bound right, balanced(op, args, middle, to));
  const SourceSpan span = join(left.expr->span, right.expr->span);
  return make(op, Type::kBoolean, {std::move(left), std::move(right)}, span);
}

Result<Bound> negated_if(bool negated, Bound value, const SourceSpan& span) {
  if (!negated) return value;
  return make(Op::kNot, Type::kBoolean, {std::move(value)}, span);
}

std::optional<Op> comparison_of(std::string_view op) {
  if (op == "=") return Op::kEqual;
  if (op == "<>" || op == "!=") return Op::kNotEqual;
  if (op == "<") return Op::kLess;
  if (op == "<=") return Op::kLessEqual;
  if (op == ">") return Op::kGreater;
  if (op == ">=") return Op::kGreaterEqual;
  return std::nullopt;
}

namespace {

Result<Bound> in_range(const Bound& value, const Bound& low, const Bound& high, const SourceSpan& span) {
  TRY_ASSIGN(Bound above, make_comparison(Op::kGreaterEqual, ">=", value, low, span, span));
  TRY_ASSIGN(Bound below, make_comparison(Op::kLessEqual, "<=", value, high, span, span));
  return make(Op::kAnd, Type::kBoolean, {std::move(above), std::move(below)}, span);
}

bool can_cast(Type from, Type to) {
  if (is_row(element_of(from)) && is_row(element_of(to)))
    return is_row(from) == is_row(to) && (is_row(from) || same_fields(from, to));
  if (is_array(from) && is_array(to)) return can_cast(element_of(from), element_of(to));
  if (from == to || from == Type::kText || to == Type::kText || becomes(from, to)) return true;
  if ((is_number(from) || from == Type::kJsonb) && is_number(to)) return true;
  if (from == Type::kJsonb) return to == Type::kBoolean;
  if (from == Type::kBoolean || to == Type::kBoolean) return from == Type::kInteger || to == Type::kInteger;
  if (is_timestamp(from)) return is_timestamp(to) || to == Type::kDate || to == Type::kTime;
  return from == Type::kInterval && to == Type::kTime;
}

std::string internal_type_name(Type type) {
  type = element_of(type);  // so PostgreSQL names a cast to an array
  if (is_row(type)) return "row";
  switch (type) {
    case Type::kBoolean:
      return "bool";
    case Type::kSmallint:
      return "int2";
    case Type::kInteger:
      return "int4";
    case Type::kBigint:
      return "int8";
    case Type::kReal:
      return "float4";
    case Type::kDouble:
      return "float8";
    case Type::kTime:
      return "time";
    case Type::kTimestamp:
      return "timestamp";
    case Type::kTimestamptz:
      return "timestamptz";
    default:
      return std::string(to_string(type));
  }
}

Error unknown_function(const ast::Expr& expr) {
  if (expr.text == "random" || expr.text == "clock_timestamp" || expr.text == "statement_timestamp" ||
      expr.text == "transaction_timestamp") {
    return unsupported_at(expr.span, fmt::format("{}() is not supported", expr.text),
                          "an answer depends on the events alone: use a timestamp column");
  }
  std::string hint = did_you_mean(expr.text, function_names());
  if (hint.empty()) hint = "the functions stand in docs/sql/functions.md";
  return invalid_at(
      kUnknownFunction,
      SourceSpan{expr.span.line, expr.span.column, expr.span.offset, static_cast<uint32_t>(expr.text.size())},
      fmt::format("function \"{}\" does not exist", expr.text), hint);
}

// What only an aggregate may have; empty: nothing.
std::string_view aggregate_clause(const ast::Expr& call) {
  if (call.has_filter) return "FILTER";
  if (!call.within_group.empty()) return "WITHIN GROUP";
  if (call.distinct) return "DISTINCT";
  return call.order_by.empty() ? "" : "ORDER BY";
}

}  // namespace

Result<Bound> ExpressionBinder::bind(const ast::Expr& expr) {
  auto bound = bind_kind(expr);
  if (bound.ok() && !scope_.options().optimize) bound->folds = false;
  return bound;
}

Result<Bound> ExpressionBinder::bind_kind(const ast::Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber:
      return number(expr, false);
    case ExprKind::kString: {
      Bound text = make_literal(expr.text, Type::kText, expr.span);
      text.unknown = true;
      return text;
    }
    case ExprKind::kBoolean:
      return make_literal(expr.text == "true", Type::kBoolean, expr.span);
    case ExprKind::kNull: {
      Bound null = make_literal({}, Type::kNull, expr.span);
      null.unknown = true;
      return null;
    }
    case ExprKind::kTypedString: {
      TRY_ASSIGN(Scalar value, parse_literal(expr.text, expr.type.type, expr.span));
      return make_literal(std::move(value), expr.type.type, expr.span);
    }
    case ExprKind::kColumn:
      return column(expr);
    case ExprKind::kStar:
      return invalid_at(kSyntaxError, expr.span, "* stands only in a SELECT list", "name the columns");
    case ExprKind::kUnary:
      return unary(expr);
    case ExprKind::kBinary:
      return binary(expr);
    case ExprKind::kAnd:
    case ExprKind::kOr:
      return logical(expr);
    case ExprKind::kNot:
      return negation(expr);
    case ExprKind::kIs:
      return is_test(expr);
    case ExprKind::kIsDistinct:
      return is_distinct(expr);
    case ExprKind::kBetween:
      return between(expr);
    case ExprKind::kIn:
      return in_list(expr);
    case ExprKind::kLike:
      return like(expr);
    case ExprKind::kCase:
      return case_of(expr);
    case ExprKind::kCast:
      return cast(expr);
    case ExprKind::kCall:
      return call(expr);
    case ExprKind::kArray:
      return array(expr);
    case ExprKind::kSubscript:
      return subscript(expr);
    case ExprKind::kSlice:
      return slice(expr);
    case ExprKind::kQuantified:
      return quantified(expr);
    case ExprKind::kRow:
      return row(expr);
    case ExprKind::kField:
      return field(expr);
  }
  return error_at(Code::kInternal, kSyntaxError, expr.span,
                  "an expression of a kind that the binder does not know");
}

Result<ExprPtr> ExpressionBinder::bind_typed(const ast::Expr& expr) {
  TRY_ASSIGN(Bound bound, bind(expr));
  return with_default_type(std::move(bound)).expr;
}

Result<ExprPtr> ExpressionBinder::bind_boolean(const ast::Expr& expr, std::string_view what) {
  TRY_ASSIGN(Bound bound, bind(expr));
  TRY_ASSIGN(Bound typed, as_boolean(std::move(bound), what));
  return std::move(typed.expr);
}

Result<std::vector<Bound>> ExpressionBinder::bind_all(const std::vector<ast::ExprPtr>& args) {
  std::vector<Bound> out;
  out.reserve(args.size());
  for (const auto& arg : args) {
    TRY_ASSIGN(Bound bound, bind(*arg));
    out.push_back(std::move(bound));
  }
  return out;
}

// The first of integer, bigint and numeric that holds it.
Result<Bound> ExpressionBinder::number(const ast::Expr& expr, bool negative) {
  const std::string text = (negative ? "-" : "") + expr.text;
  if (text.find_first_of(".eE") == std::string::npos) {
    const auto integer = parse_bigint(text);
    const bool small = integer.ok() && *integer >= INT32_MIN && *integer <= INT32_MAX;
    if (integer.ok()) return make_literal(*integer, small ? Type::kInteger : Type::kBigint, expr.span);
  }
  TRY_ASSIGN(Scalar value, parse_literal(text, Type::kNumeric, expr.span));
  return make_literal(std::move(value), Type::kNumeric, expr.span);
}

Result<Bound> ExpressionBinder::unary(const ast::Expr& expr) {
  const ast::Expr& operand = *expr.args[0];
  if (expr.text != "-" && expr.text != "+" && expr.text != "~") {
    return unsupported_at(expr.operator_span, fmt::format("the operator {} is not supported", expr.text),
                          "the operators are + - * / % ^ & | # ~ << >> || = <> < <= > >=");
  }
  if (expr.text == "-" && operand.kind == ExprKind::kNumber) return number(operand, true);
  TRY_ASSIGN(Bound value, bind(operand));
  if (expr.text == "~") return make_bit_complement(std::move(value), expr);
  if (value.unknown) {
    TRY_ASSIGN(value, convert(value, Type::kDouble));
  }
  const Type type = value.type();
  if (!is_number(type) && type != Type::kInterval) {
    return invalid_at(kNoOperator, expr.operator_span,
                      fmt::format("operator does not exist: {} {}", expr.text, to_string(type)),
                      "a sign needs a number or an interval");
  }
  if (expr.text == "+") return value;
  return make(type == Type::kInterval ? Op::kIntervalNegate : Op::kNegate, type, {std::move(value)},
              expr.span);
}

Result<Bound> ExpressionBinder::binary(const ast::Expr& expr) {
  if (expr.text == "~" || expr.text == "~*" || expr.text == "!~" || expr.text == "!~*")
    return regex_match(expr);
  TRY_ASSIGN(Bound left, bind(*expr.args[0]));
  TRY_ASSIGN(Bound right, bind(*expr.args[1]));
  if (const auto op = comparison_of(expr.text)) {
    return make_comparison(*op, expr.text, std::move(left), std::move(right), expr.span, expr.operator_span);
  }
  return make_arithmetic(expr.text, std::move(left), std::move(right), expr);
}

Result<Bound> ExpressionBinder::logical(const ast::Expr& expr) {
  const bool is_and = expr.kind == ExprKind::kAnd;
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  for (Bound& arg : args) {
    TRY_ASSIGN(arg, as_boolean(std::move(arg), is_and ? "AND" : "OR"));
  }
  return balanced(is_and ? Op::kAnd : Op::kOr, args, 0, args.size());
}

Result<Bound> ExpressionBinder::negation(const ast::Expr& expr) {
  TRY_ASSIGN(Bound value, bind(*expr.args[0]));
  TRY_ASSIGN(value, as_boolean(std::move(value), "NOT"));
  return make(Op::kNot, Type::kBoolean, {std::move(value)}, expr.span);
}

Result<Bound> ExpressionBinder::is_test(const ast::Expr& expr) {
  TRY_ASSIGN(Bound value, bind(*expr.args[0]));
  const bool no = expr.negated;
  if (expr.text == "null") {
    value = with_default_type(std::move(value));
    if (is_row(value.type())) return make_row_test(!no, std::move(value), expr.span);
    return make(no ? Op::kIsNotNull : Op::kIsNull, Type::kBoolean, {std::move(value)}, expr.span);
  }
  TRY_ASSIGN(value, as_boolean(std::move(value), "IS"));
  Op op = no ? Op::kIsNotNull : Op::kIsNull;  // UNKNOWN is a boolean's NULL
  if (expr.text == "true") op = no ? Op::kIsNotTrue : Op::kIsTrue;
  if (expr.text == "false") op = no ? Op::kIsNotFalse : Op::kIsFalse;
  return make(op, Type::kBoolean, {std::move(value)}, expr.span);
}

Result<Bound> ExpressionBinder::is_distinct(const ast::Expr& expr) {
  TRY_ASSIGN(Bound left, bind(*expr.args[0]));
  TRY_ASSIGN(Bound right, bind(*expr.args[1]));
  return make_comparison(expr.negated ? Op::kIsNotDistinct : Op::kIsDistinct, "IS DISTINCT FROM",
                         std::move(left), std::move(right), expr.span, expr.span);
}

Result<Bound> ExpressionBinder::between(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  TRY_ASSIGN(Bound within, in_range(args[0], args[1], args[2], expr.span));
  if (expr.text == "symmetric") {
    TRY_ASSIGN(Bound other, in_range(args[0], args[2], args[1], expr.span));
    TRY_ASSIGN(within, make(Op::kOr, Type::kBoolean, {std::move(within), std::move(other)}, expr.span));
  }
  return negated_if(expr.negated, std::move(within), expr.span);
}

namespace {

// (a, b) IN ((1, 2), (3, 4)): equal to one of them, field by field.
Result<Bound> row_in_list(const ast::Expr& expr, std::vector<Bound> args) {
  std::vector<Bound> equal;
  for (size_t i = 1; i < args.size(); ++i) {
    const SourceSpan& span = args[i].expr->span;
    TRY_ASSIGN(Bound one, make_row_comparison(Op::kEqual, "=", args[0], args[i], span, span));
    equal.push_back(std::move(one));
  }
  TRY_ASSIGN(Bound found, balanced(Op::kOr, equal, 0, equal.size()));
  return negated_if(expr.negated, std::move(found), expr.span);
}

}  // namespace

Result<Bound> ExpressionBinder::in_list(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  if (std::ranges::all_of(args, [](const Bound& arg) { return arg.fields != nullptr; }))
    return row_in_list(expr, std::move(args));
  std::vector<Bound*> all;
  for (Bound& arg : args) all.push_back(&arg);
  TRY(unify(std::move(all), "IN"));
  TRY_ASSIGN(Bound found, make(Op::kInList, Type::kBoolean, std::move(args), expr.span));
  return negated_if(expr.negated, std::move(found), expr.span);
}

// ~ !~ and, whatever the case, ~* !~*.
Result<Bound> ExpressionBinder::regex_match(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  for (Bound& arg : args) {
    arg = with_default_type(std::move(arg));
    if (arg.type() == Type::kText) continue;
    return invalid_at(kNoOperator, arg.expr->span,
                      fmt::format("{} needs text, not {}", expr.text, to_string(arg.type())),
                      "cast it: CAST(… AS TEXT)");
  }
  if (expr.text.ends_with('*')) args.push_back(make_literal(std::string("i"), Type::kText, expr.span));
  TRY_ASSIGN(Bound matched, make_call("regexp_like", std::move(args), expr.span));
  return negated_if(expr.text.starts_with('!'), std::move(matched), expr.span);
}

// args of the plan's CASE: when, then, …, else. CASE x WHEN y compares x = y in each branch.
Result<Bound> ExpressionBinder::case_of(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  std::optional<Bound> operand;
  if (expr.has_operand) {
    operand = std::move(args.front());
    args.erase(args.begin());
  }
  if (args.size() % 2 == 0) {  // there is no ELSE
    args.push_back(make_literal({}, Type::kNull, expr.span));
    args.back().unknown = true;
  }
  std::vector<Bound*> results{&args.back()};
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    const SourceSpan span = args[i].expr->span;
    if (operand) {
      TRY_ASSIGN(args[i], make_comparison(Op::kEqual, "=", *operand, std::move(args[i]), span, span));
    } else {
      TRY_ASSIGN(args[i], as_boolean(std::move(args[i]), "CASE/WHEN"));
    }
    results.push_back(&args[i + 1]);
  }
  std::rotate(results.begin(), results.begin() + 1, results.end());  // ELSE is judged last
  TRY(unify(std::move(results), "CASE"));
  const Type type = args.back().type();
  return make(Op::kCase, type, std::move(args), expr.span);
}

namespace {

Result<Bound> cast_as_written(Bound value, const ast::Expr& expr) {
  const ast::TypeName& to = expr.type;
  const ColumnDef column{.name = {}, .type = to.type, .length = to.length, .scale = to.scale};
  TRY_ASSIGN(Bound made, cast_to(std::move(value), column, expr.span));
  if (!to.precision) return made;
  return make_call("to_precision",
                   {std::move(made), make_literal(int64_t{*to.precision}, Type::kBigint, expr.span)},
                   expr.span);
}

}  // namespace

Result<Bound> ExpressionBinder::cast(const ast::Expr& expr) {
  const Type to = expr.type.type;
  if (is_array(to) && (expr.type.length != 0 || expr.type.precision)) {
    return unsupported_at(expr.type.span, "a cast to an array of elements with a length is not supported",
                          "cast to TEXT[] or NUMERIC[]; a column may have it");
  }
  // ARRAY[]::int[]: the one place where no element says what the array is of.
  const bool empty_array = expr.args[0]->kind == ExprKind::kArray && expr.args[0]->args.empty();
  if (empty_array && is_array(to)) return make_literal(std::string(), to, expr.span);
  if (expr.tries) return try_cast(expr);
  TRY_ASSIGN(Bound value, bind(*expr.args[0]));
  return cast_as_written(std::move(value), expr);
}

namespace {

// A cast of the value, of one or several steps, NULL where a step fails.
Result<ExprPtr> trying(const ExprPtr& cast, const ExprPtr& value) {
  if (cast == value || cast->op == Op::kLiteral) return cast;
  auto tries = std::make_shared<engine::Expr>(*cast);
  tries->tries = true;
  TRY_ASSIGN(tries->args[0], trying(cast->args[0], value));
  return ExprPtr(std::move(tries));
}

}  // namespace

Result<Bound> ExpressionBinder::try_cast(const ast::Expr& expr) {
  TRY_ASSIGN(Bound value, bind(*expr.args[0]));
  value = with_default_type(std::move(value));
  if (is_row(element_of(value.type())) || is_row(element_of(expr.type.type))) {
    return unsupported_at(expr.span, "TRY_CAST of rows is not supported", "try the casts of their fields");
  }
  const ExprPtr from = value.expr;
  TRY_ASSIGN(Bound made, cast_as_written(std::move(value), expr));
  TRY_ASSIGN(made.expr, trying(made.expr, from));
  return made;
}

// num_nulls, num_nonnulls: the sum of what IS NULL answers for each.
Result<Bound> ExpressionBinder::null_count(const ast::Expr& expr) {
  if (expr.args.empty()) return bad_arguments(expr, "at least one expression");
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  const Op op = expr.text == "num_nulls" ? Op::kIsNull : Op::kIsNotNull;
  std::optional<Bound> sum;
  for (Bound& arg : args) {
    TRY_ASSIGN(Bound test, make(op, Type::kBoolean, {with_default_type(std::move(arg))}, expr.span));
    TRY_ASSIGN(Bound one, make(Op::kCast, Type::kInteger, {std::move(test)}, expr.span));
    if (!sum) {
      sum = std::move(one);
      continue;
    }
    TRY_ASSIGN(sum, make(Op::kAdd, Type::kInteger, {std::move(*sum), std::move(one)}, expr.span));
  }
  return std::move(*sum);
}

// pg_typeof: known before any row is.
Result<Bound> ExpressionBinder::type_name(const ast::Expr& expr) {
  if (expr.args.size() != 1) return bad_arguments(expr, "one expression");
  TRY_ASSIGN(const Bound value, bind(*expr.args[0]));
  return make_literal(std::string(value.unknown ? "unknown" : to_string(value.type())), Type::kText,
                      expr.span);
}

Result<Bound> cast_to(Bound value, const ColumnDef& column, const SourceSpan& span) {
  const Type to = without_lengths(column.type);
  if (!value.unknown && !can_cast(value.type(), to)) {
    return invalid_at(kNoCast, span,
                      fmt::format("cannot cast type {} to {}", to_string(value.type()), to_string(to)),
                      "cast it to text first, or use CASE");
  }
  if (is_row(to) && is_row(value.type())) return cast_row(std::move(value), column.type, span);
  TRY_ASSIGN(std::optional<Bound> made, coerce(value, to));
  if (!made) {
    TRY_ASSIGN(made, make(Op::kCast, to, {std::move(value)}, span));
  }
  // What a text says is cut like any other row.
  if (is_row(to)) return to == column.type ? std::move(*made) : cast_row(std::move(*made), column.type, span);
  if (column.length == 0) return std::move(*made);
  if (to == Type::kNumeric) return to_precision(*made, column.length, column.scale);
  // A cast to VARCHAR(n) cuts.
  return make_call("left", {std::move(*made), make_literal(int64_t{column.length}, Type::kBigint, span)},
                   span);
}

Result<Bound> ExpressionBinder::call(const ast::Expr& expr) {
  if (const auto* function = engine::find_aggregate(expr.text)) return aggregate(expr, *function);
  if (expr.text == "grouping") return grouping(expr);
  const bool is_proctime = expr.text == "proctime";
  const engine::Function* function = engine::find_function(expr.text);
  if (function == nullptr && !is_proctime) return unknown_function(expr);
  if (const std::string_view clause = aggregate_clause(expr); !clause.empty()) {
    return invalid_at(kMisplacedAggregate, expr.span,
                      fmt::format("{} specified, but {} is not an aggregate function", clause, expr.text),
                      expr.has_filter ? "use CASE WHEN … THEN … END" : "take it away");
  }
  if (expr.star) return bad_arguments(expr, "expressions, not *");
  if (is_proctime) return proctime(expr);
  if (is_clock(expr)) return clock(expr);
  if (expr.text == "overlaps") return overlaps(expr);
  if (expr.text == "coalesce") return coalesce(expr);
  if (expr.text == "nullif") return null_if(expr);
  if (expr.text == "ifnull") return if_null(expr);
  if (expr.text == "if") return either(expr);
  if (expr.text == "num_nulls" || expr.text == "num_nonnulls") return null_count(expr);
  if (expr.text == "pg_typeof") return type_name(expr);
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  return make_call(expr.text, std::move(args), expr.span);
}

// When the row's frame was appended to the journal: the same whenever, and by whomever, it is read.
Result<Bound> ExpressionBinder::proctime(const ast::Expr& expr) {
  if (!expr.args.empty())
    return invalid_at(kBadArguments, expr.span, "PROCTIME() takes no arguments", "write PROCTIME()");
  if (!scope_.updating().empty())
    return unsupported_at(
        expr.span,
        fmt::format("PROCTIME() over \"{}\", which has a primary key, is not supported", scope_.updating()),
        "a row has a time if one of its columns is one");
  if (!scope_.has_append_time()) {
    return invalid_at(kBadArguments, expr.span, "PROCTIME() needs a row of a stream",
                      "it is the time at which an event was appended: use it in a query over a stream, and "
                      "name it there (PROCTIME() AS arrived) where a view's rows are to show it");
  }
  auto time = std::make_shared<engine::Expr>();
  time->op = Op::kProctime;
  time->type = Type::kTimestamptz;
  time->span = expr.span;
  return Bound{std::move(time)};
}

Result<Bound> ExpressionBinder::coalesce(const ast::Expr& expr) {
  if (expr.args.empty()) return bad_arguments(expr, "at least one expression");
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  std::vector<Bound*> all;
  for (Bound& arg : args) all.push_back(&arg);
  TRY(unify(std::move(all), "COALESCE"));
  const Type type = args.front().type();
  return make(Op::kCoalesce, type, std::move(args), expr.span);
}

Result<Bound> ExpressionBinder::null_if(const ast::Expr& expr) {
  if (expr.args.size() != 2) return bad_arguments(expr, "two expressions");
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  TRY(unify({&args[0], &args[1]}, "NULLIF"));
  const Type type = args.front().type();
  return make(Op::kNullIf, type, std::move(args), expr.span);
}

Result<Bound> ExpressionBinder::if_null(const ast::Expr& expr) {
  if (expr.args.size() != 2) return bad_arguments(expr, "two expressions");
  return coalesce(expr);
}

Result<Bound> ExpressionBinder::either(const ast::Expr& expr) {
  if (expr.args.size() != 3) return bad_arguments(expr, "a condition and two expressions");
  return case_of(expr);
}

std::string default_name(const ast::Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kColumn:
    case ExprKind::kCall:
    case ExprKind::kField:
      return expr.text;
    case ExprKind::kCase: {
      const std::string inner = expr.has_else ? default_name(*expr.args.back()) : "?column?";
      return expr.has_else && expr.args.back()->kind == ExprKind::kColumn ? inner : "case";
    }
    case ExprKind::kCast: {
      const std::string inner = default_name(*expr.args[0]);
      return inner == "?column?" ? internal_type_name(expr.type.type) : inner;
    }
    case ExprKind::kTypedString:
      return internal_type_name(expr.type.type);
    case ExprKind::kBoolean:
      return "bool";
    case ExprKind::kArray:
      return "array";
    case ExprKind::kRow:
      return "row";
    case ExprKind::kSubscript:
    case ExprKind::kSlice:
      return default_name(*expr.args[0]);
    default:
      return "?column?";
  }
}

}  // namespace millrace::sql
