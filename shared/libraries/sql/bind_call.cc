// Calls of table functions: which signature is meant, by PostgreSQL's rules, and what is said if none is.
#include <fmt/format.h>

#include <algorithm>

#include "engine/aggregates.h"
#include "engine/regex.h"
#include "engine/time_zone.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Expr;
using engine::ExprPtr;
using engine::Function;
using engine::Op;
using engine::Signature;

namespace {

constexpr size_t kMaxFoldedCallBytes = 1'000;  // a text that a call makes: repeat(…) is not written out

std::string call_types(std::string_view name, const std::vector<Bound>& args) {
  std::string out(name);
  out += '(';
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out += ", ";
    out += args[i].unknown ? "unknown" : to_string(args[i].type());
  }
  return out + ")";
}

std::string candidates(const Function& function) {
  std::string out = "there is ";
  if (!function.form.empty()) return out.append(function.form);
  for (size_t i = 0; i < function.signatures.size(); ++i) {
    if (i > 0) out += "; ";
    out += to_string(function.signatures[i]);
  }
  return out;
}

// The row type that a signature's "record" stands for: that of the first row, or array of rows.
Type row_among(const std::vector<Bound>& args) {
  for (const Bound& arg : args) {
    if (is_row(element_of(arg.type()))) return element_of(arg.type());
  }
  return Type::kRecord;
}
Type with_row(Type type, Type row) {
  if (element_of(type) != Type::kRecord) return type;
  return is_array(type) ? array_of(row) : row;
}

Type wanted_type(const Signature& signature, size_t i, Type row) {
  return with_row(signature.args[std::min(i, signature.args.size() - 1)], row);
}

bool takes(const Signature& signature, const std::vector<Bound>& args, Type row) {
  const size_t wanted = signature.args.size();
  if (signature.variadic ? args.size() < wanted : args.size() != wanted) return false;
  for (size_t i = 0; i < args.size(); ++i) {
    const Type to = wanted_type(signature, i, row);
    if (element_of(to) == Type::kRecord) return false;
    if (!args[i].unknown && args[i].type() != to && !becomes(args[i].type(), to)) return false;
  }
  return true;
}

// Keeps those for which `score` is greatest.
template <typename Score>
void keep_best(std::vector<const Signature*>& of, Score score) {
  int best = 0;
  for (const Signature* s : of) best = std::max(best, score(*s));
  std::erase_if(of, [&](const Signature* s) { return score(*s) < best; });
}

// Of what a type becomes by itself, the one that is taken where there is a choice.
bool is_preferred(Type to) {
  return to == Type::kDouble || to == Type::kTimestamptz || to == Type::kInterval;
}

// The rules of "Function Type Resolution": most exact arguments; then preferred types; then text for a bare
// string; then the type that all others have; then double precision. An integer takes bigint first: PostgreSQL has a
// signature for each whole number where one of bigint stands here.
std::vector<const Signature*> resolve(const Function& function, const std::vector<Bound>& args, Type row) {
  std::vector<const Signature*> left;
  for (const Signature& s : function.signatures) {
    if (takes(s, args, row)) left.push_back(&s);
  }
  const auto count = [&](const Signature& s, auto matches) {
    int n = 0;
    for (size_t i = 0; i < args.size(); ++i) n += matches(args[i], wanted_type(s, i, row));
    return n;
  };
  const auto keep_most = [&](auto matches) {
    keep_best(left, [&](const Signature& s) { return count(s, matches); });
  };
  keep_most([](const Bound& arg, Type to) { return !arg.unknown && arg.type() == to; });
  keep_most([](const Bound& arg, Type to) {
    return !arg.unknown && (arg.type() == to || (is_integer(arg.type()) && to == Type::kBigint));
  });
  keep_most([](const Bound& arg, Type to) { return !arg.unknown && (arg.type() == to || is_preferred(to)); });
  keep_most([](const Bound& arg, Type to) { return arg.unknown && to == Type::kText; });
  const auto other = std::find_if(args.begin(), args.end(), [](const Bound& a) { return !a.unknown; });
  if (other != args.end() && left.size() > 1) {
    const Type type = other->type();
    keep_most([&](const Bound& arg, Type to) { return arg.unknown && to == type; });
  }
  const bool numbers = std::all_of(left.begin(), left.end(), [&](const Signature* s) {
    return count(*s, [](const Bound& arg, Type to) { return arg.unknown && !is_number(to); }) == 0;
  });
  if (numbers) keep_most([](const Bound& arg, Type to) { return arg.unknown && to == Type::kDouble; });
  return left;
}

// concat's arguments are of any type; PostgreSQL's output functions write booleans as t and f.
Result<Bound> as_output_text(Bound value) {
  const SourceSpan span = value.expr->span;
  TRY_ASSIGN(std::optional<Bound> text, coerce(value, Type::kText));
  if (text) return std::move(*text);
  const bool boolean = value.type() == Type::kBoolean;
  TRY_ASSIGN(Bound cast, make(Op::kCast, Type::kText, {std::move(value)}, span));
  if (!boolean) return cast;
  return make_call("left", {std::move(cast), make_literal(int64_t{1}, Type::kBigint, span)}, span);
}

Status check_pattern(const Expr& pattern) {
  const auto* text = std::get_if<std::string>(&pattern.literal);
  if (pattern.op != Op::kLiteral || text == nullptr) return {};
  const engine::Regex regex(*text, false);
  if (regex.error().empty()) return {};
  return invalid_at(kBadRegularExpression, pattern.span, regex.error(),
                    "the syntax is RE2's: no back references, no look-around");
}

Status check_zone(const Expr& zone) {
  const auto* name = std::get_if<std::string>(&zone.literal);
  if (zone.op != Op::kLiteral || name == nullptr || engine::is_time_zone(*name)) return {};
  return invalid_at(kBadLiteral, zone.span, fmt::format("time zone \"{:.60}\" not recognized", *name),
                    "write a name of tzdata like 'Europe/Berlin', or INTERVAL '2 hours'");
}

}  // namespace

Result<Bound> make_call(std::string_view name, std::vector<Bound> args, const SourceSpan& span) {
  const Function* function = engine::find_function(name);
  if (name == "concat" || name == "concat_ws" || name == "format") {
    for (Bound& arg : args) {
      TRY_ASSIGN(arg, as_output_text(std::move(arg)));
    }
  }
  if (name.starts_with("jsonb_build_")) {
    for (Bound& arg : args) {
      const SourceSpan at = arg.expr->span;
      TRY_ASSIGN(arg, make_call("to_jsonb", {with_default_type(std::move(arg))}, at));
    }
  }
  const Type row = row_among(args);
  const std::vector<const Signature*> found = resolve(*function, args, row);
  if (found.size() != 1) {
    return invalid_at(kBadArguments, span,
                      fmt::format("function {} {}", call_types(name, args),
                                  found.empty() ? "does not exist" : "is not unique"),
                      found.empty() ? candidates(*function) : "cast the bare strings: CAST(… AS …)");
  }
  const Signature& signature = *found.front();
  for (size_t i = 0; i < args.size(); ++i) {
    TRY_ASSIGN(args[i], convert(args[i], wanted_type(signature, i, row)));
  }
  if (function->pattern >= 0 && wanted_type(signature, 1, row) == Type::kText) {
    TRY(check_pattern(*args[static_cast<size_t>(function->pattern)].expr));
  }
  if (name == "timezone") TRY(check_zone(*args[0].expr));
  return folded(call_of(signature, with_row(signature.result, row), std::move(args), span));
}

Bound call_of(const Signature& signature, Type type, std::vector<Bound> args, const SourceSpan& span) {
  auto expr = std::make_shared<Expr>();
  expr->op = Op::kCall;
  expr->type = type;
  expr->function = &signature;
  expr->span = span;
  Bound out;
  for (Bound& arg : args) {
    out.size += arg.size;
    out.folds = out.folds && arg.folds;
    expr->args.push_back(std::move(arg.expr));
  }
  out.expr = std::move(expr);
  return out;
}

Error bad_arguments(const ast::Expr& call, std::string_view wants) {
  return invalid_at(kBadArguments, call.span, fmt::format("{}() takes {}", call.text, wants),
                    "write it as docs/sql/functions.md does");
}

Result<Bound> to_precision(const Bound& numeric, int64_t precision, int64_t scale) {
  const SourceSpan span = numeric.expr->span;
  return make_call(
      "to_precision",
      {numeric, make_literal(precision, Type::kBigint, span), make_literal(scale, Type::kBigint, span)},
      span);
}

// A call of constants is a constant, unless it fails, or it or an argument is long.
Result<Bound> folded(Bound call) {
  const Expr& expr = *call.expr;
  if (call.size > kMaxExpressionNodes) {
    return invalid_at(kTooComplex, expr.span,
                      fmt::format("the expression has more than {} parts", kMaxExpressionNodes),
                      "compute parts of it once in a derived stream");
  }
  const auto constant = [](const ExprPtr& arg) {
    const auto* text = std::get_if<std::string>(&arg->literal);
    return arg->op == Op::kLiteral && (text == nullptr || text->size() <= kMaxFoldedTextBytes);
  };
  if (!call.folds || !std::all_of(expr.args.begin(), expr.args.end(), constant)) return call;
  auto value = engine::evaluate_constant(expr);
  if (!value.ok()) return call;
  const auto* text = std::get_if<std::string>(&*value);
  const bool was_written_out = expr.function->name == "array" || expr.function->name == "row";
  if (text != nullptr && text->size() > kMaxFoldedCallBytes && !was_written_out) return call;
  return make_literal(std::move(value).value(), expr.type, expr.span);
}

std::vector<std::string> function_names() {
  std::vector<std::string> names{"proctime"};
  for (const auto& aggregate : engine::aggregate_table()) names.emplace_back(aggregate.name);
  for (const auto& family : engine::function_table()) {
    for (const Function& function : family.functions) names.emplace_back(function.name);
  }
  return names;
}

}  // namespace millrace::sql
