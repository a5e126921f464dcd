#include <fmt/format.h>

#include <algorithm>

#include "event/row_type.h"
#include "formats/array_text.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Op;

namespace {

bool is_null_literal(const Expr& expr) {
  return expr.op == Op::kLiteral && std::holds_alternative<std::monostate>(expr.literal);
}

std::string type_word(const Bound& value) {
  return value.unknown ? "unknown" : std::string(to_string(value.type()));
}

std::string operator_hint(std::string_view symbol, const Bound& left, const Bound& right) {
  const auto either = [&](Type type) { return left.type() == type || right.type() == type; };
  const bool typed = !left.unknown && !right.unknown;
  if (is_array(left.type()) || is_array(right.type()))
    return "compare x = ANY (array), or two arrays of one type";
  if (either(Type::kJsonb)) return "take a value out of it and cast it: (j ->> 'name')::bigint";
  if (symbol == "||") return "|| needs text on one side: CAST(… AS TEXT)";
  if (symbol == "%") return "% needs two exact numbers: CAST(… AS NUMERIC)";
  if (typed && either(Type::kText) && left.type() != right.type()) {
    const Type other = left.type() == Type::kText ? right.type() : left.type();
    return fmt::format("cast the text: CAST(… AS {})", to_string(other));
  }
  if ((either(Type::kTimestamptz) || either(Type::kTimestamp)) && (symbol == "+" || symbol == "-"))
    return "a time takes an interval: INTERVAL '5 minutes'";
  if (either(Type::kTimestamptz)) return "compare it with a time: TIMESTAMPTZ '2001-01-01T00:00:00Z'";
  if (!typed) return "say what it is, for example CAST('5' AS BIGINT)";
  return "the two sides do not go together: cast one of them";
}

// What an untyped operand becomes beside a typed one.
Type partner_type(const std::string& op, Type other) {
  if (op == "+" && (is_timestamp(other) || other == Type::kTime)) return Type::kInterval;
  if (op == "+" && other == Type::kDate) return Type::kInteger;
  if ((op == "*" || op == "/") && other == Type::kInterval) return Type::kDouble;
  return other;
}

struct ArithmeticRule {
  char op;
  Type left, right;
  Op make;
  Type result;
};
constexpr Type B = Type::kBigint, D = Type::kDouble, T = Type::kTimestamptz, I = Type::kInterval,
               L = Type::kTimestamp, Day = Type::kDate, Clock = Type::kTime;
constexpr ArithmeticRule kRules[] = {
    {'+', T, I, Op::kTimestampPlusInterval, T},
    {'-', T, I, Op::kTimestampMinusInterval, T},
    {'-', T, T, Op::kTimestampMinusTimestamp, I},
    {'+', L, I, Op::kTimestampPlusInterval, L},
    {'-', L, I, Op::kTimestampMinusInterval, L},
    {'-', L, L, Op::kTimestampMinusTimestamp, I},
    {'+', Clock, I, Op::kTimestampPlusInterval, Clock},
    {'-', Clock, I, Op::kTimestampMinusInterval, Clock},
    {'-', Clock, Clock, Op::kTimestampMinusTimestamp, I},
    {'+', I, I, Op::kIntervalPlus, I},
    {'-', I, I, Op::kIntervalMinus, I},
    {'*', I, D, Op::kIntervalTimes, I},
    {'/', I, D, Op::kIntervalDivide, I},
    // Of days and microseconds, which are kept as integers.
    {'+', Day, B, Op::kAdd, Day},
    {'-', Day, B, Op::kSubtract, Day},
    {'-', Day, Day, Op::kSubtract, Type::kInteger},
    {'+', L, Clock, Op::kAdd, L},
    {'-', L, Clock, Op::kSubtract, L},
    {'+', T, Clock, Op::kAdd, T},
    {'-', T, Clock, Op::kSubtract, T},
};

const ArithmeticRule* find_rule(char op, Type left, Type right) {
  for (const ArithmeticRule& rule : kRules) {
    if (rule.op == op && rule.left == left && rule.right == right) return &rule;
  }
  return nullptr;
}

Op number_op(char op) {
  switch (op) {
    case '+':
      return Op::kAdd;
    case '-':
      return Op::kSubtract;
    case '*':
      return Op::kMultiply;
    default:
      return op == '/' ? Op::kDivide : Op::kModulo;
  }
}

// Two exact numbers meet in the wider type, two reals in real, all others in double precision.
Type number_type(Type left, Type right) {
  if (left == right) return left;
  const auto exact = [](Type type) { return is_integer(type) || type == Type::kNumeric; };
  return exact(left) && exact(right) ? std::max(left, right, is_narrower) : Type::kDouble;
}

// The order of the operands and the types that the rules are written for.
Status prepare_operands(const std::string& op, Bound& left, Bound& right) {
  const bool number_first = op == "*" && is_number(left.type()) && right.type() == I;
  const bool shift_first =
      op == "+" && (left.type() == I || left.type() == Clock || is_integer(left.type())) &&
      (is_timestamp(right.type()) || right.type() == Day || (right.type() == Clock && left.type() == I));
  if (number_first || shift_first) std::swap(left, right);
  if (left.type() == I && is_number(right.type())) {
    TRY_ASSIGN(right, convert(right, D));
  }
  if (left.type() == Day && is_integer(right.type())) {
    TRY_ASSIGN(right, convert(right, B));
  }
  if (left.type() == Day && (right.type() == I || right.type() == Clock)) {
    TRY_ASSIGN(left, convert(left, L));
  }
  const auto is_time = [](Type type) { return is_timestamp(type) || type == Day; };
  if (!is_time(left.type()) || !is_time(right.type())) return {};
  const Type type = *common_type(left.type(), right.type());
  TRY_ASSIGN(left, convert(left, type));
  TRY_ASSIGN(right, convert(right, type));
  return {};
}

Result<Bound> concat(Bound left, Bound right, const ast::Expr& at) {
  if (left.type() == Type::kBytea || right.type() == Type::kBytea) {
    TRY_ASSIGN(std::optional<Bound> a, coerce(left, Type::kBytea));
    TRY_ASSIGN(std::optional<Bound> b, coerce(right, Type::kBytea));
    if (a && b) return make(Op::kConcat, Type::kBytea, {std::move(*a), std::move(*b)}, at.span);
  }
  if (left.type() != Type::kText && right.type() != Type::kText && !left.unknown && !right.unknown) {
    return no_operator("||", left, right, at.operator_span);
  }
  for (Bound* side : {&left, &right}) {
    TRY_ASSIGN(std::optional<Bound> text, coerce(*side, Type::kText));
    if (text) {
      *side = std::move(*text);
    } else {
      const SourceSpan span = side->expr->span;
      TRY_ASSIGN(*side, make(Op::kCast, Type::kText, {std::move(*side)}, span));
    }
  }
  return make(Op::kConcat, Type::kText, {std::move(left), std::move(right)}, at.span);
}

Status settle_unknown(const std::string& op, Bound& left, Bound& right, const SourceSpan& span) {
  if (left.unknown && right.unknown) return no_operator(op, left, right, span);
  Bound& open = left.unknown ? left : right;
  if (!open.unknown) return {};
  const Type wanted = partner_type(op, (left.unknown ? right : left).type());
  TRY_ASSIGN(open, convert(open, wanted));
  return {};
}

constexpr std::string_view kTextOutOfRange = "MR-EVT-0102";  // what event/ says of a value that is too large

std::string range_hint(Type type) {
  if (type == Type::kSmallint) return "smallint ends at 32767: use integer";
  if (type == Type::kInteger) return "integer ends at 2147483647: use bigint";
  if (type == Type::kBigint) return "bigint ends at 9223372036854775807: use numeric";
  if (is_timestamp(type)) return "timestamps lie in the years 0001 to 9999";
  return "use one within its range";
}

// Binding is quick, whatever was written: a slow match is left to the reader's thread.
bool worth_folding(const Expr& expr) {
  if (expr.op != Op::kLike) return true;
  const auto* text = std::get_if<std::string>(&expr.args[0]->literal);
  return text == nullptr || text->size() <= kMaxFoldedTextBytes;
}

// What a bare string or NULL is, now that its type is known.
Bound literal_for(const Bound& written, Scalar value, Type type) {
  Bound out = make_literal(std::move(value), type, written.expr->span);
  out.folds = written.folds;
  return out;
}

Result<Bound> power(Bound left, Bound right, const ast::Expr& at) {
  const auto fits = [](const Bound& value) { return value.unknown || is_number(value.type()); };
  if (!fits(left) || !fits(right)) return no_operator("^", left, right, at.operator_span);
  return make_call("power", {std::move(left), std::move(right)}, at.span);
}

}  // namespace

Error no_operator(std::string_view symbol, const Bound& left, const Bound& right, const SourceSpan& span) {
  return invalid_at(
      kNoOperator, span,
      fmt::format("operator does not exist: {} {} {}", type_word(left), symbol, type_word(right)),
      operator_hint(symbol, left, right));
}

Bound make_literal(Scalar value, Type type, const SourceSpan& span) {
  auto expr = std::make_shared<Expr>();
  expr->op = Op::kLiteral;
  expr->type = type;
  expr->literal = std::move(value);
  expr->span = span;
  return Bound{std::move(expr)};
}

Result<Bound> make(Op op, Type type, std::vector<Bound> args, const SourceSpan& span) {
  auto expr = std::make_shared<Expr>();
  expr->op = op;
  expr->type = type;
  expr->span = span;
  size_t size = 1;
  bool constant = true;
  for (Bound& arg : args) {
    size += arg.size;
    constant = constant && arg.folds && arg.expr->op == Op::kLiteral;
    expr->args.push_back(std::move(arg.expr));
  }
  if (size > kMaxExpressionNodes) {
    return invalid_at(kTooComplex, span,
                      fmt::format("the expression has more than {} parts", kMaxExpressionNodes),
                      "BETWEEN and CASE x WHEN repeat their operand: compute it once in a derived stream");
  }
  if (constant && worth_folding(*expr)) {
    auto value = engine::evaluate_constant(*expr);
    if (value.ok()) return make_literal(std::move(value).value(), type, span);
  }
  return Bound{std::move(expr), false, size};
}

Result<Scalar> parse_literal(const std::string& text, Type type, const SourceSpan& span) {
  const auto fail = [&](const Error& cause) {
    if (cause.id == kTextOutOfRange) {
      return invalid_at(kBadLiteral, span,
                        fmt::format("\"{:.60}\" is out of range for type {}", text, to_string(type)),
                        range_hint(type));
    }
    std::string hint = cause.hint;
    if (type == Type::kTimestamptz) hint = "write it like '2001-01-01T00:00:00Z'";
    if (type == Type::kTimestamp) hint = "write it like '2001-01-01 00:00:00'";
    if (type == Type::kInterval) hint = "write it like '1 hour 30 minutes'";
    return invalid_at(kBadLiteral, span,
                      fmt::format("invalid input syntax for type {}: \"{:.60}\"", to_string(type), text),
                      hint);
  };
  auto parsed = formats::parse_value(type, text);
  return parsed.ok() ? std::move(parsed) : Result<Scalar>(fail(parsed.error()));
}

bool is_narrower(Type left, Type right) {
  constexpr Type kOrder[] = {Type::kSmallint, Type::kInteger, Type::kBigint,
                             Type::kNumeric,  Type::kReal,    Type::kDouble};
  return std::ranges::find(kOrder, left) < std::ranges::find(kOrder, right);
}

std::optional<Type> common_type(Type left, Type right) {
  if (left == right || becomes(right, left)) return left;
  return becomes(left, right) ? std::optional(right) : std::nullopt;
}

bool becomes(Type from, Type to) {
  if (is_row(element_of(from)) && is_row(element_of(to))) return from != to && same_fields(from, to);
  if (is_array(from) && is_array(to)) return becomes(element_of(from), element_of(to));
  if (is_number(from) && is_number(to)) return is_narrower(from, to);
  if (from == Type::kDate) return is_timestamp(to);
  if (from == Type::kTimestamp) return to == Type::kTimestamptz;
  return from == Type::kTime && to == Type::kInterval;
}

Result<std::optional<Bound>> coerce(Bound value, Type type) {
  const Expr& expr = *value.expr;
  if (value.unknown && is_null_literal(expr)) return std::optional(literal_for(value, {}, type));
  if (value.unknown) {
    const std::string text = std::get<std::string>(expr.literal);
    TRY_ASSIGN(Scalar parsed, parse_literal(text, type, expr.span));
    return std::optional(literal_for(value, std::move(parsed), type));
  }
  if (value.type() == type) return std::optional(std::move(value));
  if (is_row(value.type()) && is_row(type)) return coerce_row(std::move(value), type);
  if (becomes(value.type(), type)) {
    const SourceSpan span = expr.span;
    TRY_ASSIGN(Bound made, make(Op::kCast, type, {std::move(value)}, span));
    return std::optional(std::move(made));
  }
  return std::optional<Bound>();
}

Result<Bound> convert(const Bound& value, Type type) {
  TRY_ASSIGN(std::optional<Bound> made, coerce(value, type));
  if (made) return std::move(*made);
  return invalid_at(kTypeMismatch, value.expr->span,
                    fmt::format("type {} is needed here, not {}", to_string(type), to_string(value.type())),
                    "cast it");
}

Bound with_default_type(Bound value) {
  if (!value.unknown) return value;
  return literal_for(value, value.expr->literal, Type::kText);
}

Result<Bound> as_boolean(Bound value, std::string_view what) {
  const SourceSpan span = value.expr->span;
  const std::string type = type_word(value);
  TRY_ASSIGN(std::optional<Bound> made, coerce(std::move(value), Type::kBoolean));
  if (made) return std::move(*made);
  return invalid_at(kTypeMismatch, span,
                    fmt::format("argument of {} must be type boolean, not type {}", what, type),
                    "compare it with something, for example … > 0");
}

Result<Bound> make_arithmetic(const std::string& op, Bound left, Bound right, const ast::Expr& at) {
  if (is_array_operator(op, left, right))
    return make_array_operation(op, std::move(left), std::move(right), at);
  if (is_jsonb_operator(op, left, right))
    return make_jsonb_operation(op, std::move(left), std::move(right), at);
  if (op == "||") return concat(std::move(left), std::move(right), at);
  if (op == "^") return power(std::move(left), std::move(right), at);
  if (is_bit_operator(op)) return make_bit_operation(op, std::move(left), std::move(right), at);
  if (op.size() != 1 || std::string_view("+-*/%").find(op[0]) == std::string_view::npos) {
    return unsupported_at(at.operator_span, fmt::format("the operator {} is not supported", op),
                          "the operators are + - * / % ^ & | # ~ << >> || = <> < <= > >=");
  }
  TRY(settle_unknown(op, left, right, at.operator_span));
  const Type number = is_number(left.type()) && is_number(right.type())
                          ? number_type(left.type(), right.type())
                          : Type::kNull;
  const bool has_remainder = is_integer(number) || number == Type::kNumeric;
  if (number != Type::kNull && (op != "%" || has_remainder)) {
    for (Bound* side : {&left, &right}) {
      if (number == Type::kNumeric && is_integer(side->type())) continue;  // is taken as it is
      TRY_ASSIGN(*side, convert(*side, number));
    }
    return make(number_op(op[0]), number, {std::move(left), std::move(right)}, at.span);
  }
  TRY(prepare_operands(op, left, right));
  const ArithmeticRule* rule = find_rule(op[0], left.type(), right.type());
  if (rule == nullptr) return no_operator(op, left, right, at.operator_span);
  return make(rule->make, rule->result, {std::move(left), std::move(right)}, at.span);
}

Result<Bound> make_comparison(Op op, std::string_view symbol, Bound left, Bound right, const SourceSpan& span,
                              const SourceSpan& operator_span) {
  if (left.unknown && right.unknown) {
    left = with_default_type(std::move(left));
    right = with_default_type(std::move(right));
  }
  const bool written_rows = left.fields && right.fields;
  if (written_rows && op != Op::kIsDistinct && op != Op::kIsNotDistinct)
    return make_row_comparison(op, symbol, left, right, span, operator_span);
  Type type = left.unknown || (left.fields && !right.unknown) ? right.type() : left.type();
  if (!left.unknown && !right.unknown && !is_row(type)) {
    const bool numbers = is_number(type) && is_number(right.type());
    type = numbers ? number_type(type, right.type()) : common_type(type, right.type()).value_or(type);
  }
  TRY_ASSIGN(std::optional<Bound> a, coerce(left, type));
  TRY_ASSIGN(std::optional<Bound> b, coerce(right, type));
  const bool ordering = op >= Op::kLess && op <= Op::kGreaterEqual;
  if (!a || !b || (ordering && !has_order(type))) return no_operator(symbol, left, right, operator_span);
  return make(op, Type::kBoolean, {std::move(*a), std::move(*b)}, span);
}

namespace {

// Rows as they were written take the type of one that is not: true. Where there is none, they get one of their own.
Result<bool> unify_written_rows(const std::vector<Bound*>& values, std::string_view what) {
  std::vector<Bound*> written;
  for (Bound* value : values) {
    if (value->fields)
      written.push_back(value);
    else if (is_row(value->type()))
      return true;
  }
  const auto alike = [&](const Bound* row) { return row->fields->size() == written[0]->fields->size(); };
  if (written.empty() || !std::ranges::all_of(written, alike)) return false;
  TRY(unify_rows(written, what));
  return false;
}

}  // namespace

Status unify(std::vector<Bound*> values, std::string_view what) {
  Type type = Type::kNull;
  TRY_ASSIGN(const bool typed_row, unify_written_rows(values, what));
  for (const Bound* value : values) {
    if (value->unknown || (typed_row && value->fields)) continue;
    const Type next = value->type();
    if (type == Type::kNull) {
      type = next;
    } else if (const auto common = common_type(type, next)) {
      type = *common;
    } else {
      return invalid_at(
          kTypeMismatch, value->expr->span,
          fmt::format("{} types {} and {} cannot be matched", what, to_string(type), to_string(next)),
          "cast them to one type");
    }
  }
  if (type == Type::kNull) type = Type::kText;
  for (Bound* value : values) {
    TRY_ASSIGN(*value, convert(*value, type));
  }
  return {};
}

Result<int64_t> interval_us(const Interval& value, const SourceSpan& span, std::string_view what) {
  constexpr int64_t kDay = 86'400'000'000;
  if (value.months != 0) {
    return invalid_at(kBadLiteral, span,
                      fmt::format("{} cannot be in months or years: they differ in length", what),
                      "write it in days");
  }
  int64_t total = 0;
  if (__builtin_mul_overflow(int64_t{value.days}, kDay, &total) ||
      __builtin_add_overflow(total, value.micros, &total) || total > kMaxLengthUs || total < -kMaxLengthUs) {
    return invalid_at(kBadLiteral, span, fmt::format("{} is too long", what),
                      fmt::format("the bound is {} days", kMaxLengthUs / kDay));
  }
  return total;
}

Result<int64_t> constant_interval_us(const ast::Expr& expr, std::string_view what) {
  const Scope nothing;
  ExpressionBinder binder(nothing, what);
  TRY_ASSIGN(Bound bound, binder.bind(expr));
  TRY_ASSIGN(std::optional<Bound> typed, coerce(std::move(bound), Type::kInterval));
  const auto* value = typed ? std::get_if<Interval>(&typed->expr->literal) : nullptr;
  if (value == nullptr) {
    return invalid_at(kBadLiteral, expr.span, fmt::format("{} must be a constant interval", what),
                      "write INTERVAL '10 minutes'");
  }
  return interval_us(*value, expr.span, what);
}

}  // namespace millrace::sql
