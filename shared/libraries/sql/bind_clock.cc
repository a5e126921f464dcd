// What the clock says, in SELECT and INSERT alone; and OVERLAPS.
#include <fmt/format.h>

#include <algorithm>

#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Op;

namespace {

struct ClockWord {
  std::string_view word;
  Type type;
};
constexpr ClockWord kWords[] = {{"now", Type::kTimestamptz},
                                {"current_timestamp", Type::kTimestamptz},
                                {"localtimestamp", Type::kTimestamp},
                                {"current_date", Type::kDate},
                                {"localtime", Type::kTime}};

std::string shown(const ast::Expr& expr) {
  if (expr.text == "now" || expr.text == "unix_timestamp") return expr.text + "()";
  std::string word = expr.text;
  for (char& c : word) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return word;
}

}  // namespace

bool is_clock(const ast::Expr& call) {
  return (call.text == "unix_timestamp" && call.args.empty()) ||
         std::ranges::find(kWords, call.text, &ClockWord::word) != std::end(kWords);
}

Error no_clock(const ast::Expr& call) {
  return unsupported_at(call.span, fmt::format("{} is not supported", shown(call)),
                        "an answer depends on the events alone: use a timestamp column");
}

// All of them are one moment.
Result<Bound> ExpressionBinder::clock(const ast::Expr& expr) {
  if (!scope_.now()) return no_clock(expr);
  Bound now = make_literal(*scope_.now(), Type::kTimestamptz, expr.span);
  if (expr.text == "unix_timestamp") return make_call("unix_timestamp", {std::move(now)}, expr.span);
  if (expr.text == "now" && !expr.args.empty()) return bad_arguments(expr, "no arguments");
  const Type type = std::ranges::find(kWords, expr.text, &ClockWord::word)->type;
  if (type != Type::kTimestamptz) {
    TRY_ASSIGN(now, make(Op::kCast, type, {std::move(now)}, expr.span));
  }
  if (expr.args.empty()) return now;
  TRY_ASSIGN(Bound digits, bind(*expr.args[0]));
  return make_call("to_precision", {std::move(now), std::move(digits)}, expr.span);
}

namespace {

// From the earlier to the later of the two that were written.
struct Span {
  Bound start;  // the one that is there, if the other is NULL
  Bound end;    // NULL where one of them is
};

Result<Bound> comparison(Op op, const Bound& left, const Bound& right, const SourceSpan& span) {
  return make_comparison(op, op == Op::kLess ? "<" : ">", left, right, span, span);
}

Result<Span> span_of(const Bound& a, const Bound& b, const SourceSpan& at) {
  Span out;
  TRY_ASSIGN(out.start, make_call("least", {a, b}, at));
  TRY_ASSIGN(Bound after, comparison(Op::kGreater, a, b, at));
  TRY_ASSIGN(Bound before, make_comparison(Op::kLessEqual, "<=", a, b, at, at));
  TRY_ASSIGN(out.end, make(Op::kCase, a.type(),
                           {std::move(after), a, std::move(before), b, make_literal({}, a.type(), at)}, at));
  return out;
}

// Of the span that starts later: whether it starts in the other; unknown where an end is missing that might say so.
Result<Bound> starts_in(const Span& later, const Span& earlier, const SourceSpan& at) {
  TRY_ASSIGN(Bound inside, comparison(Op::kLess, later.start, earlier.end, at));
  TRY_ASSIGN(Bound unknown, comparison(Op::kLess, later.end, later.end, at));  // false, or NULL
  return make(Op::kOr, Type::kBoolean, {std::move(inside), std::move(unknown)}, at);
}

}  // namespace

// The standard's rule, with PostgreSQL's NULLs.
Result<Bound> ExpressionBinder::overlaps(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  const bool lengths[] = {!args[1].unknown && args[1].type() == Type::kInterval,
                          !args[3].unknown && args[3].type() == Type::kInterval};
  std::vector<Bound*> times{&args[0], &args[2]};
  if (!lengths[0]) times.push_back(&args[1]);
  if (!lengths[1]) times.push_back(&args[3]);
  TRY(unify(times, "OVERLAPS"));
  for (const size_t i : {0, 1}) {
    if (!lengths[i]) continue;
    TRY_ASSIGN(args[2 * i + 1], make_arithmetic("+", args[2 * i], args[2 * i + 1], expr));
  }
  TRY(unify({&args[0], &args[1], &args[2], &args[3]}, "OVERLAPS"));
  const Type type = args[0].type();
  if (!is_timestamp(type) && type != Type::kDate && type != Type::kTime)
    return bad_arguments(expr, "times: (start, end) OVERLAPS (start, end)");
  const SourceSpan& at = expr.span;
  TRY_ASSIGN(const Span a, span_of(args[0], args[1], at));
  TRY_ASSIGN(const Span b, span_of(args[2], args[3], at));
  TRY_ASSIGN(Bound a_is_later, comparison(Op::kGreater, a.start, b.start, at));
  TRY_ASSIGN(Bound a_in_b, starts_in(a, b, at));
  TRY_ASSIGN(Bound b_is_later, comparison(Op::kLess, a.start, b.start, at));
  TRY_ASSIGN(Bound b_in_a, starts_in(b, a, at));
  TRY_ASSIGN(Bound together, make_comparison(Op::kEqual, "=", a.start, b.start, at, at));
  TRY_ASSIGN(Bound has_a, make_comparison(Op::kEqual, "=", a.end, a.end, at, at));
  TRY_ASSIGN(Bound has_b, make_comparison(Op::kEqual, "=", b.end, b.end, at, at));
  TRY_ASSIGN(Bound has_both, make(Op::kAnd, Type::kBoolean, {std::move(has_a), std::move(has_b)}, at));
  return make(Op::kCase, Type::kBoolean,
              {std::move(a_is_later), std::move(a_in_b), std::move(b_is_later), std::move(b_in_a),
               std::move(together), std::move(has_both), make_literal({}, Type::kBoolean, at)},
              at);
}

}  // namespace millrace::sql
