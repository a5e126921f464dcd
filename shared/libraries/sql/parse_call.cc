// The calls that the standard spells with words: EXTRACT(field FROM x), POSITION(a IN b),
// SUBSTRING(x FROM n FOR n), OVERLAY(x PLACING y FROM n FOR n), TRIM(BOTH c FROM x), TIMESTAMPADD(DAY, n, x), CURRENT_DATE,
// make_interval(days => n). They become plain calls.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sql/errors.h"
#include "sql/keywords.h"
#include "sql/parser.h"

namespace millrace::sql {

using ast::ExprKind;
using ast::ExprPtr;

namespace {

// Where IN or FROM follows: weaker operators would take it, or cannot stand there.
constexpr int kAboveIn = 7;

}  // namespace

Result<ExprPtr> Parser::spelled_call(const std::string& word) {
  const Token first = take();
  take();
  auto expr = node(ExprKind::kCall, first.span);
  expr->text = word == "trim" ? "btrim" : word;
  if (word == "extract") TRY(extract_arguments(*expr));
  if (word == "position") TRY(position_arguments(*expr));
  if (word == "substring") TRY(substring_arguments(*expr));
  if (word == "overlay") TRY(overlay_arguments(*expr));
  if (word == "trim") TRY(trim_arguments(*expr));
  if (word.starts_with("timestamp")) TRY(unit_arguments(*expr));
  TRY(expect_symbol(")"));
  expr->span = span_from(first.span);
  return finish(std::move(expr));
}

Status Parser::argument(ast::Expr& out) {
  TRY_ASSIGN(ExprPtr value, expression());
  out.args.push_back(std::move(value));
  return {};
}

// The rest of a plain list.
Status Parser::arguments(ast::Expr& out) {
  while (take_symbol(",")) {
    TRY(argument(out));
    if (out.args.size() > ast::kMaxArguments)
      return too_many(previous().span, "arguments of a function", ast::kMaxArguments);
  }
  return {};
}

Status Parser::extract_arguments(ast::Expr& out) {
  if (peek().kind != TokenKind::kWord && !is_string())
    return unexpected("a field is expected here: EXTRACT(hour FROM time)");
  if (is_string()) {
    TRY_ASSIGN(ExprPtr field, string_literal());
    out.args.push_back(std::move(field));
  } else {
    auto field = node(ExprKind::kString, peek().span);
    field->text = name_value(text_, take());
    TRY_ASSIGN(ExprPtr finished, finish(std::move(field)));
    out.args.push_back(std::move(finished));
  }
  TRY(expect_word("from"));
  return argument(out);
}

Status Parser::position_arguments(ast::Expr& out) {
  TRY_ASSIGN(ExprPtr part, expression(kAboveIn));
  out.args.push_back(std::move(part));
  if (!take_word("in")) return arguments(out);
  return argument(out);
}

// FROM and FOR in either order.
Status Parser::substring_arguments(ast::Expr& out) {
  TRY(argument(out));
  ExprPtr length;
  if (take_word("for")) {
    TRY_ASSIGN(length, expression());
  }
  if (take_word("from")) {
    TRY(argument(out));
    if (length == nullptr && take_word("for")) return argument(out);
  } else if (length != nullptr) {
    auto one = node(ExprKind::kNumber, length->span);
    one->text = "1";
    TRY_ASSIGN(ExprPtr start, finish(std::move(one)));
    out.args.push_back(std::move(start));
  } else {
    return arguments(out);
  }
  if (length != nullptr) out.args.push_back(std::move(length));
  return {};
}

Status Parser::overlay_arguments(ast::Expr& out) {
  TRY(argument(out));
  if (!take_word("placing")) return arguments(out);
  TRY(argument(out));
  TRY(expect_word("from"));
  TRY(argument(out));
  return take_word("for") ? argument(out) : Status();
}

// [LEADING | TRAILING | BOTH] [characters] FROM text, or a plain list.
Status Parser::trim_arguments(ast::Expr& out) {
  if (take_word("leading"))
    out.text = "ltrim";
  else if (take_word("trailing"))
    out.text = "rtrim";
  else
    take_word("both");
  if (take_word("from")) {
    TRY(argument(out));
    return arguments(out);
  }
  TRY(argument(out));
  if (!take_word("from")) return arguments(out);
  TRY(argument(out));
  std::swap(out.args[0], out.args[1]);
  return {};
}

// A unit as a word, or any text, then a plain list.
Status Parser::unit_arguments(ast::Expr& out) {
  constexpr std::string_view kUnits[] = {"microsecond", "millisecond", "second", "minute",  "hour",
                                         "day",         "week",        "month",  "quarter", "year"};
  const bool is_unit = std::ranges::any_of(kUnits, [&](std::string_view unit) { return is_word(unit); });
  if (is_unit && is_symbol(",", 1)) {
    auto unit = node(ExprKind::kString, peek().span);
    unit->text = name_value(text_, take());
    TRY_ASSIGN(ExprPtr finished, finish(std::move(unit)));
    out.args.push_back(std::move(finished));
  } else {
    TRY(argument(out));
  }
  return arguments(out);
}

// CURRENT_TIMESTAMP, or with so many digits of a second.
Result<ExprPtr> Parser::clock_word() {
  const Token first = take();
  auto expr = node(ExprKind::kCall, first.span);
  expr->text = name_value(text_, first);
  if (expr->text != "current_date" && take_symbol("(")) {
    TRY(argument(*expr));
    TRY(expect_symbol(")"));
    expr->span = span_from(first.span);
  }
  return finish(std::move(expr));
}

// name => value, …: of make_interval alone. What is not named is 0.
Status Parser::named_arguments(ast::Expr& out) {
  constexpr std::string_view kParts[] = {"years", "months", "weeks", "days", "hours", "mins", "secs"};
  if (out.text != "make_interval") {
    return unsupported_at(peek().span, fmt::format("{} takes no arguments by name", out.text),
                          "only make_interval does: write them in their order");
  }
  std::vector<ExprPtr> values(std::size(kParts));
  do {
    TRY_ASSIGN(const ast::Name part, name("the name of an argument"));
    const auto* known = std::ranges::find(kParts, std::string_view(part.text));
    const auto at = static_cast<size_t>(known - kParts);
    const bool is_there = known != std::end(kParts);
    if (!is_there || values[at] != nullptr) {
      return invalid_at(kSyntaxError, part.span,
                        is_there ? fmt::format("the argument \"{}\" is written twice", part.text)
                                 : fmt::format("make_interval has no argument \"{}\"", part.text),
                        "its arguments are years, months, weeks, days, hours, mins, secs");
    }
    TRY(expect_symbol("=>"));
    TRY_ASSIGN(values[at], expression());
  } while (take_symbol(","));
  for (ExprPtr& value : values) {
    if (value == nullptr) {
      auto zero = node(ExprKind::kNumber, previous().span);
      zero->text = "0";
      TRY_ASSIGN(value, finish(std::move(zero)));
    }
    out.args.push_back(std::move(value));
  }
  return {};
}

}  // namespace millrace::sql
