#include <fmt/format.h>

#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Op;

namespace {

bool is_number(Type type) {
  return type == Type::kBigint || type == Type::kDouble;
}

bool is_null_literal(const Expr& expr) {
  return expr.op == Op::kLiteral && std::holds_alternative<std::monostate>(expr.literal);
}

std::string type_word(const Bound& value) {
  return value.unknown ? "unknown" : std::string(to_string(value.type()));
}

std::string operator_hint(std::string_view symbol, const Bound& left, const Bound& right) {
  const auto either = [&](Type type) { return left.type() == type || right.type() == type; };
  const bool typed = !left.unknown && !right.unknown;
  if (symbol == "||") return "|| needs text on one side: CAST(… AS TEXT)";
  if (symbol == "%") return "% needs two bigints: CAST(… AS BIGINT)";
  if (typed && either(Type::kText) && left.type() != right.type()) {
    const Type other = left.type() == Type::kText ? right.type() : left.type();
    return fmt::format("cast the text: CAST(… AS {})", to_string(other));
  }
  if (either(Type::kTimestamptz) && (symbol == "+" || symbol == "-"))
    return "a time takes an interval: INTERVAL '5 minutes'";
  if (either(Type::kTimestamptz)) return "compare it with a time: TIMESTAMPTZ '2001-01-01T00:00:00Z'";
  if (!typed) return "say what it is, for example CAST('5' AS BIGINT)";
  return "the two sides do not go together: cast one of them";
}

Error no_operator(std::string_view symbol, const Bound& left, const Bound& right, const SourceSpan& span) {
  return invalid_at(
      kNoOperator, span,
      fmt::format("operator does not exist: {} {} {}", type_word(left), symbol, type_word(right)),
      operator_hint(symbol, left, right));
}

// What an untyped operand becomes beside a typed one.
Type partner_type(const std::string& op, Type other) {
  if (op == "+" && other == Type::kTimestamptz) return Type::kInterval;
  if ((op == "*" || op == "/") && other == Type::kInterval) return Type::kDouble;
  return other;
}

struct ArithmeticRule {
  char op;
  Type left, right;
  Op make;
  Type result;
};
constexpr Type B = Type::kBigint, D = Type::kDouble, T = Type::kTimestamptz, I = Type::kInterval;
constexpr ArithmeticRule kRules[] = {
    {'+', B, B, Op::kAdd, B},
    {'-', B, B, Op::kSubtract, B},
    {'*', B, B, Op::kMultiply, B},
    {'/', B, B, Op::kDivide, B},
    {'%', B, B, Op::kModulo, B},
    {'+', D, D, Op::kAdd, D},
    {'-', D, D, Op::kSubtract, D},
    {'*', D, D, Op::kMultiply, D},
    {'/', D, D, Op::kDivide, D},
    {'+', T, I, Op::kTimestampPlusInterval, T},
    {'-', T, I, Op::kTimestampMinusInterval, T},
    {'-', T, T, Op::kTimestampMinusTimestamp, I},
    {'+', I, I, Op::kIntervalPlus, I},
    {'-', I, I, Op::kIntervalMinus, I},
    {'*', I, D, Op::kIntervalTimes, I},
    {'/', I, D, Op::kIntervalDivide, I},
};

const ArithmeticRule* find_rule(char op, Type left, Type right) {
  for (const ArithmeticRule& rule : kRules) {
    if (rule.op == op && rule.left == left && rule.right == right) return &rule;
  }
  return nullptr;
}

Result<Bound> concat(Bound left, Bound right, const ast::Expr& at) {
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
  if (type == Type::kBigint) return "bigint ends at 9223372036854775807: use double precision";
  if (type == Type::kTimestamptz) return "timestamps lie in the years 0001 to 9999";
  return "use one within its range";
}

// Binding is quick, whatever was written: a slow match is left to the reader's thread.
bool worth_folding(const Expr& expr) {
  if (expr.op != Op::kLike) return true;
  const auto* text = std::get_if<std::string>(&expr.args[0]->literal);
  return text == nullptr || text->size() <= kMaxFoldedTextBytes;
}

}  // namespace

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
    constant = constant && arg.expr->op == Op::kLiteral;
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
    if (type == Type::kInterval) hint = "write it like '1 hour 30 minutes'";
    return invalid_at(kBadLiteral, span,
                      fmt::format("invalid input syntax for type {}: \"{:.60}\"", to_string(type), text),
                      hint);
  };
  const auto wrap = [&](auto parsed) -> Result<Scalar> {
    if (!parsed.ok()) return fail(parsed.error());
    return Scalar(std::move(parsed).value());
  };
  switch (type) {
    case Type::kBoolean:
      return wrap(parse_boolean(text));
    case Type::kBigint:
      return wrap(parse_bigint(text));
    case Type::kDouble:
      return wrap(parse_double(text));
    case Type::kTimestamptz:
      return wrap(parse_timestamp(text));
    case Type::kInterval:
      return wrap(parse_interval(text));
    case Type::kText:
    case Type::kNull:
      break;
  }
  return Scalar(text);
}

Result<std::optional<Bound>> coerce(Bound value, Type type) {
  const Expr& expr = *value.expr;
  if (value.unknown && is_null_literal(expr)) return std::optional(make_literal({}, type, expr.span));
  if (value.unknown) {
    const std::string text = std::get<std::string>(expr.literal);
    TRY_ASSIGN(Scalar parsed, parse_literal(text, type, expr.span));
    return std::optional(make_literal(std::move(parsed), type, expr.span));
  }
  if (value.type() == type) return std::optional(std::move(value));
  if (value.type() == Type::kBigint && type == Type::kDouble) {
    const SourceSpan span = expr.span;
    TRY_ASSIGN(Bound made, make(Op::kCast, Type::kDouble, {std::move(value)}, span));
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
  return make_literal(value.expr->literal, Type::kText, value.expr->span);
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
  if (op == "||") return concat(std::move(left), std::move(right), at);
  if (op.size() != 1 || std::string_view("+-*/%").find(op[0]) == std::string_view::npos) {
    return unsupported_at(at.operator_span, fmt::format("the operator {} is not supported", op),
                          "the operators are + - * / % || = <> < <= > >=");
  }
  TRY(settle_unknown(op, left, right, at.operator_span));
  // The two orders that mean the same: interval + timestamptz, number * interval.
  if ((op == "+" && left.type() == I && right.type() == T) ||
      (op == "*" && is_number(left.type()) && right.type() == I)) {
    std::swap(left, right);
  }
  const bool to_double = (left.type() == D && right.type() == B) || (left.type() == B && right.type() == D) ||
                         ((op == "*" || op == "/") && left.type() == I && right.type() == B);
  if (to_double) {
    Bound& integer = right.type() == B ? right : left;
    TRY_ASSIGN(integer, convert(integer, D));
  }
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
  Type type = left.unknown ? right.type() : left.type();
  if (!left.unknown && !right.unknown && is_number(left.type()) && is_number(right.type()) &&
      left.type() != right.type()) {
    type = D;
  }
  TRY_ASSIGN(std::optional<Bound> a, coerce(left, type));
  TRY_ASSIGN(std::optional<Bound> b, coerce(right, type));
  if (!a || !b) return no_operator(symbol, left, right, operator_span);
  return make(op, Type::kBoolean, {std::move(*a), std::move(*b)}, span);
}

Status unify(std::vector<Bound*> values, std::string_view what) {
  Type type = Type::kNull;
  for (const Bound* value : values) {
    if (value->unknown) continue;
    const Type next = value->type();
    if (type == Type::kNull || type == next) {
      type = next;
    } else if (is_number(type) && is_number(next)) {
      type = D;
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
