// Arrays: the suffix of their types, ARRAY[…], subscripts and slices, = ANY (…).
#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/parser.h"

namespace millrace::sql {

using ast::ExprKind;
using ast::ExprPtr;

namespace {

Error more_dimensions(const SourceSpan& span) {
  return unsupported_at(span, "arrays of more than one dimension are not supported",
                        "keep arrays of arrays as JSONB");
}

}  // namespace

bool ast::is_open_bound(const Expr& expr) {
  return expr.kind == ExprKind::kNull && expr.text == "open";
}

// TYPE[], TYPE[3], TYPE ARRAY, TYPE ARRAY[3]: the size says nothing, as in PostgreSQL.
Status Parser::array_suffix(ast::TypeName& made) {
  if (!take_word("array") && !is_symbol("[")) return {};
  if (take_symbol("[")) {
    if (peek().kind == TokenKind::kInteger) take();
    TRY(expect_symbol("]"));
  }
  if (is_symbol("[")) return more_dimensions(peek().span);
  made.type = array_of(made.type);
  return {};
}

Result<ExprPtr> Parser::array_constructor() {
  const Token first = take();
  if (is_symbol("(")) {
    return unsupported_at(first.span, "ARRAY(SELECT …) is not supported",
                          "subqueries stand in FROM; see array_agg");
  }
  TRY(expect_symbol("["));
  auto expr = node(ExprKind::kArray, first.span);
  while (!is_symbol("]")) {
    if (is_symbol("[")) return more_dimensions(peek().span);
    TRY(argument(*expr));
    if (expr->args.size() > ast::kMaxArrayItems)
      return too_many(previous().span, "elements of an ARRAY", ast::kMaxArrayItems);
    if (!take_symbol(",")) break;
    if (is_symbol("]")) return unexpected("an element is expected here");
  }
  TRY(expect_symbol("]"));
  expr->span = span_from(first.span);
  return finish(std::move(expr));
}

// x[i], of arrays and jsonb, and x[from:to].
Result<ExprPtr> Parser::subscript(ExprPtr left) {
  const Token open = take();
  TRY_ASSIGN(ExprPtr from, slice_bound());
  const bool slice = take_symbol(":");
  if (!slice && ast::is_open_bound(*from)) return unexpected("a subscript is expected here");
  auto expr = node(slice ? ExprKind::kSlice : ExprKind::kSubscript, left->span);
  expr->operator_span = open.span;
  expr->args.push_back(std::move(left));
  expr->args.push_back(std::move(from));
  if (slice) {
    TRY_ASSIGN(ExprPtr to, slice_bound());
    expr->args.push_back(std::move(to));
  }
  TRY(expect_symbol("]"));
  expr->span = span_from(expr->span);
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::slice_bound() {
  if (!is_symbol(":") && !is_symbol("]")) return expression();
  auto expr = node(ExprKind::kNull, peek().span);
  expr->text = "open";
  return finish(std::move(expr));
}

bool Parser::is_quantifier() const {
  return (is_word("any") || is_word("some") || is_word("all")) && is_symbol("(", 1);
}

// left = ANY (array), left <> ALL (array); SOME is ANY.
Result<ExprPtr> Parser::quantified(ExprPtr left, const SourceSpan& op, std::string text) {
  auto expr = node(ExprKind::kQuantified, left->span);
  expr->operator_span = op;
  expr->text = std::move(text);
  expr->negated = is_word("all");
  take();
  take();
  if (is_word("select")) {
    return unsupported_at(peek().span, "subqueries are not supported yet",
                          "give it an array: = ANY (ARRAY[1, 2])");
  }
  expr->args.push_back(std::move(left));
  TRY(argument(*expr));
  TRY(expect_symbol(")"));
  expr->span = span_from(expr->span);
  return finish(std::move(expr));
}

}  // namespace millrace::sql
