// LIKE, ILIKE, SIMILAR TO, and LIKE ANY (ARRAY[…]).
#include <fmt/format.h>

#include "event/array.h"
#include "sql/bind_expression.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::Op;

namespace {

struct Pattern {
  std::string_view word;  // like, ilike, similar
  bool negated = false;
};

// A regular expression, but for how it is written.
Result<Bound> similar(const Pattern& how, std::vector<Bound> args, const SourceSpan& span) {
  const SourceSpan at = args[1].expr->span;
  std::vector<Bound> pattern(std::make_move_iterator(args.begin() + 1), std::make_move_iterator(args.end()));
  TRY_ASSIGN(args[1], make_call("similar_to_escape", std::move(pattern), at));
  args.resize(2);
  TRY_ASSIGN(Bound matched, make_call("regexp_like", std::move(args), span));
  return negated_if(how.negated, std::move(matched), span);
}

// args: text, pattern, and the escape if one was written. ILIKE compares in lower case.
Result<Bound> match(const Pattern& how, std::vector<Bound> args, const SourceSpan& span) {
  for (Bound& arg : args) {
    arg = with_default_type(std::move(arg));
    if (arg.type() == Type::kText) continue;
    return invalid_at(kNoOperator, arg.expr->span,
                      fmt::format("LIKE needs text, not {}", to_string(arg.type())),
                      "cast it: CAST(… AS TEXT)");
  }
  if (how.word == "similar") return similar(how, std::move(args), span);
  if (args.size() == 3) {
    const SourceSpan at = args[1].expr->span;
    TRY_ASSIGN(args[1], make_call("like_escape", {std::move(args[1]), std::move(args[2])}, at));
    args.pop_back();
  }
  if (how.word == "ilike") {
    for (Bound& arg : args) {
      const SourceSpan at = arg.expr->span;
      TRY_ASSIGN(arg, make_call("lower", {std::move(arg)}, at));
    }
  }
  const auto* pattern = std::get_if<std::string>(&args[1].expr->literal);
  if (pattern != nullptr && pattern->size() > kMaxPatternBytes) {
    return invalid_at(kTooComplex, args[1].expr->span,
                      fmt::format("the LIKE pattern has more than {} bytes", kMaxPatternBytes),
                      "use a shorter pattern");
  }
  TRY_ASSIGN(Bound matched, make(Op::kLike, Type::kBoolean, std::move(args), span));
  return negated_if(how.negated, std::move(matched), span);
}

}  // namespace

Result<Bound> ExpressionBinder::like(const ast::Expr& expr) {
  TRY_ASSIGN(std::vector<Bound> args, bind_all(expr.args));
  return match({expr.text, expr.negated}, std::move(args), expr.span);
}

namespace {

// What a constant array of texts holds; an Error if it is none.
Result<std::vector<Bound>> constant_texts(Bound array, const ast::Expr& expr) {
  TRY_ASSIGN(std::optional<Bound> texts, coerce(std::move(array), array_of(Type::kText)));
  const auto* bytes = texts ? std::get_if<std::string>(&texts->expr->literal) : nullptr;
  if (bytes == nullptr) {
    return unsupported_at(expr.operator_span,
                          fmt::format("{} ANY of anything but ARRAY[…] is not supported", expr.text),
                          "write the patterns out: LIKE ANY (ARRAY['a%', 'b%'])");
  }
  Column elements;
  elements.type = Type::kText;
  Arena arena;
  append_elements(*bytes, elements, arena);
  std::vector<Bound> out;
  for (size_t i = 0; i < elements.texts.size(); ++i)
    out.push_back(make_literal(elements.scalar(i), Type::kText, expr.args[1]->span));
  return out;
}

}  // namespace

// text LIKE ANY (array): OR of what LIKE says of each pattern, ALL: AND.
Result<Bound> ExpressionBinder::like_any(const ast::Expr& expr) {
  constexpr std::string_view kNot = "not ";
  std::string_view word = expr.text;
  const bool negated = word.starts_with(kNot);
  if (negated) word.remove_prefix(kNot.size());
  TRY_ASSIGN(const Bound text, bind(*expr.args[0]));
  std::vector<Bound> patterns;
  if (expr.args[1]->kind == ast::ExprKind::kArray) {
    TRY_ASSIGN(patterns, bind_all(expr.args[1]->args));
  } else {
    TRY_ASSIGN(Bound array, bind(*expr.args[1]));
    TRY_ASSIGN(patterns, constant_texts(std::move(array), expr));
  }
  for (Bound& pattern : patterns) {
    TRY_ASSIGN(pattern, match({word, negated}, {text, std::move(pattern)}, expr.span));
  }
  if (patterns.empty()) {  // the text may fail all the same
    TRY_ASSIGN(Bound missing, make(Op::kIsNull, Type::kBoolean, {with_default_type(text)}, expr.span));
    return make(expr.negated ? Op::kOr : Op::kAnd, Type::kBoolean,
                {std::move(missing), make_literal(expr.negated, Type::kBoolean, expr.span)}, expr.span);
  }
  return balanced(expr.negated ? Op::kAnd : Op::kOr, patterns, 0, patterns.size());
}

}  // namespace millrace::sql
