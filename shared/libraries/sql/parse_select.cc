// One SELECT, its FROM, and the tail of any query.
#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/keywords.h"
#include "sql/parser.h"

namespace millrace::sql {

Status Parser::select_modifiers(ast::Query& query) {
  if (is_word("distinct")) {
    query.distinct_span = take().span;
    if (is_word("on")) {
      return unsupported_at(peek().span, "DISTINCT ON is not supported", "group by the columns");
    }
  } else {
    take_word("all");
  }
  if (is_word("from")) return unexpected("a SELECT needs at least one column");
  return {};
}

Status Parser::refuse_after_from() {
  for (const std::string_view word : {"join", "inner", "left", "right", "full", "cross", "natural"}) {
    if (is_word(word))
      return unsupported_at(peek().span, "joins are not supported yet", "read one stream or view");
  }
  if (is_symbol(","))
    return unsupported_at(peek().span, "joins are not supported yet", "read one stream or view");
  return {};
}

Status Parser::refuse_tail_words() {
  if (!is_word("window") && !is_word("for")) return {};
  return unsupported_at(peek().span, fmt::format("{} is not supported here", raw(peek())), "take it away");
}

Result<ast::Query> Parser::select() {
  ast::Query out;
  const SourceSpan first = take().span;
  TRY(select_modifiers(out));
  TRY(select_list(out));
  if (is_word("into"))
    return unsupported_at(peek().span, "SELECT INTO is not supported", "use CREATE STREAM … AS SELECT");
  if (take_word("from")) {
    TRY_ASSIGN(out.from, table_ref());
    TRY(refuse_after_from());
  }
  if (take_word("where")) {
    TRY_ASSIGN(out.where, expression());
  }
  if (is_word("group")) TRY(group_by(out));
  if (take_word("having")) {
    TRY_ASSIGN(out.having, expression());
  }
  TRY(refuse_tail_words());
  out.span = span_from(first);
  return out;
}

Status Parser::select_list(ast::Query& out) {
  do {
    TRY_ASSIGN(ast::SelectItem item, select_item());
    out.items.push_back(std::move(item));
    if (out.items.size() > ast::kMaxColumns)
      return too_many(previous().span, "columns in a SELECT", ast::kMaxColumns);
  } while (take_symbol(","));
  return {};
}

Result<ast::SelectItem> Parser::select_item() {
  ast::SelectItem item;
  const bool star = is_symbol("*");
  const bool qualified_star = is_name() && is_symbol(".", 1) && is_symbol("*", 2);
  if (star || qualified_star) {
    item.expr = node(ast::ExprKind::kStar, peek().span);
    if (qualified_star) {
      TRY_ASSIGN(item.expr->qualifier, name("an alias"));
      take();
    }
    take();
    item.expr->span = span_from(item.expr->span);
    TRY_ASSIGN(item.expr, finish(std::move(item.expr)));
    if (is_word("as")) return unexpected("* cannot be renamed");
    return item;
  }
  TRY_ASSIGN(item.expr, expression());
  if (item.expr->kind == ast::ExprKind::kStar && is_word("as")) return unexpected("* cannot be renamed");
  const bool bare = peek().kind == TokenKind::kQuotedName ||
                    (peek().kind == TokenKind::kWord && is_bare_label(name_value(text_, peek())));
  if (take_word("as") || bare) {
    TRY_ASSIGN(item.alias, label());
  }
  return item;
}

Result<ast::TableRef> Parser::table_ref() {
  ast::TableRef out;
  const SourceSpan first = peek().span;
  if (is_symbol("(") && starts_query()) {
    TRY_ASSIGN(out.subquery, subquery());
    TRY(alias(out));
    out.span = span_from(first);
    return out;
  }
  if (is_word("lateral") || is_word("only"))
    return unexpected("the name of a stream or a view is expected here");
  TRY_ASSIGN(const bool windowed, window_call(out));
  if (!windowed) {
    TRY_ASSIGN(out.name, relation_name("the name of a stream or a view"));
    if (is_symbol("(")) {
      return unsupported_at(out.name.span,
                            fmt::format("\"{}\" is not a function that makes rows", out.name.text),
                            "use TUMBLE(stream, column, INTERVAL '1 hour')");
    }
  }
  TRY(alias(out));
  out.span = span_from(first);
  return out;
}

// [AS] alias [(column, …)]
Status Parser::alias(ast::TableRef& out) {
  if (is_word("match_recognize") && is_symbol("(", 1))
    return unsupported_at(peek().span, "MATCH_RECOGNIZE is not supported", "compare rows where you read");
  const bool bare =
      is_name() && (peek().kind == TokenKind::kQuotedName || is_bare_label(name_value(text_, peek())));
  if (!take_word("as") && !bare) return {};
  TRY_ASSIGN(out.alias, name("an alias"));
  if (is_symbol("(")) {
    TRY_ASSIGN(out.columns, column_names());
  }
  return {};
}

Status Parser::order_by(ast::Query& out) {
  TRY(expect_word("by"));
  do {
    TRY_ASSIGN(ast::OrderItem item, order_item());
    out.order_by.push_back(std::move(item));
    if (out.order_by.size() > ast::kMaxColumns)
      return too_many(previous().span, "sort keys", ast::kMaxColumns);
  } while (take_symbol(","));
  return {};
}

Result<ast::OrderItem> Parser::order_item() {
  ast::OrderItem item;
  TRY_ASSIGN(item.expr, expression());
  if (take_word("desc")) {
    item.descending = true;
  } else {
    take_word("asc");
  }
  if (take_word("nulls")) {
    if (!is_word("first") && !is_word("last")) return unexpected("after NULLS comes FIRST or LAST");
    item.nulls_first = is_word("first");
    take();
  }
  return item;
}

Status Parser::query_tail(ast::Query& out) {
  const SourceSpan first = peek().span;
  if (take_word("order")) TRY(order_by(out));
  while (is_word("limit") || is_word("offset") || is_word("fetch")) {
    if (is_word("fetch")) {
      TRY(fetch_first(out));
      continue;
    }
    ast::ExprPtr& slot = is_word("limit") ? out.limit : out.offset;
    const Token word = take();
    if (slot)
      return invalid_at(kSyntaxError, word.span, fmt::format("{} is given twice", raw(word)),
                        "keep one of them");
    if (take_word("all")) continue;
    TRY_ASSIGN(slot, expression());
    if (same_word(raw(word), "offset") && !take_word("rows")) take_word("row");
  }
  if (!out.order_by.empty() || out.limit || out.offset) out.tail_span = span_from(first);
  return refuse_tail_words();
}

// FETCH FIRST | NEXT [n] ROW | ROWS ONLY
Status Parser::fetch_first(ast::Query& out) {
  const SourceSpan first = take().span;
  if (out.limit) return invalid_at(kSyntaxError, first, "FETCH is LIMIT, given twice", "keep one of them");
  if (!take_word("first") && !take_word("next")) return unexpected("after FETCH comes FIRST or NEXT");
  if (is_word("row") || is_word("rows")) {
    auto one = node(ast::ExprKind::kNumber, first);
    one->text.assign(1, '1');
    TRY_ASSIGN(out.limit, finish(std::move(one)));
  } else {
    TRY_ASSIGN(out.limit, primary());
  }
  if (!take_word("rows") && !take_word("row")) return unexpected("write FETCH FIRST 10 ROWS ONLY");
  if (is_word("with"))
    return unsupported_at(peek().span, "WITH TIES is not supported", "write FETCH FIRST 10 ROWS ONLY");
  return expect_word("only");
}

}  // namespace millrace::sql
