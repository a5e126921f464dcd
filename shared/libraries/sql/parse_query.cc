// Queries: WITH, UNION, INTERSECT and EXCEPT by their precedence, VALUES, parentheses.
#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/parser.h"

namespace millrace::sql {

using ast::Query;
using ast::SetOperation;

// A query stands here, in as many parentheses as may be.
bool Parser::starts_query(size_t ahead) const {
  while (is_symbol("(", ahead)) ++ahead;
  return is_word("select", ahead) || is_word("values", ahead) || is_word("with", ahead) ||
         is_word("table", ahead);
}

Result<Query> Parser::query() {
  if (++query_depth_ > ast::kMaxQueryNesting) {
    return invalid_at(kTooComplex, peek().span,
                      fmt::format("more than {} queries stand one in the other", ast::kMaxQueryNesting),
                      "name some of them in WITH");
  }
  const SourceSpan first = peek().span;
  std::vector<ast::Cte> with;
  if (is_word("with")) {
    Query holder;
    TRY(with_list(holder));
    with = std::move(holder.with);
  }
  size_t count = 0;
  TRY_ASSIGN(Query out, set_operations(count));
  const bool tail = is_word("order") || is_word("limit") || is_word("offset") || is_word("fetch");
  const bool own = !out.with.empty() || out.tail_span.length > 0;  // of parentheses
  if (own && (tail || !with.empty())) {
    Query outer;
    auto star = node(ast::ExprKind::kStar, out.span);
    outer.items.emplace_back();
    TRY_ASSIGN(outer.items.back().expr, finish(std::move(star)));
    outer.from.emplace();
    outer.from->span = out.span;
    outer.from->subquery = std::make_shared<const Query>(std::move(out));
    out = std::move(outer);
  }
  if (!with.empty()) out.with = std::move(with);
  if (tail) TRY(query_tail(out));
  out.span = span_from(first);
  --query_depth_;
  return out;
}

Result<ast::QueryPtr> Parser::subquery() {
  TRY(expect_symbol("("));
  TRY_ASSIGN(Query inner, query());
  TRY(expect_symbol(")"));
  return std::make_shared<const Query>(std::move(inner));
}

Status Parser::with_list(Query& out) {
  take();
  if (is_word("recursive")) {
    return unsupported_at(peek().span, "WITH RECURSIVE is not supported",
                          "a query reads what is there before it: leave RECURSIVE out");
  }
  do {
    TRY_ASSIGN(ast::Cte one, cte());
    out.with.push_back(std::move(one));
    if (out.with.size() > ast::kMaxCtes) return too_many(previous().span, "queries in WITH", ast::kMaxCtes);
  } while (take_symbol(","));
  return {};
}

Result<ast::Cte> Parser::cte() {
  ast::Cte out;
  TRY_ASSIGN(out.name, name("a name for the query"));
  if (is_symbol("(")) {
    TRY_ASSIGN(out.columns, column_names());
  }
  TRY(expect_word("as"));
  if (take_word("not")) {
    TRY(expect_word("materialized"));
  } else {
    take_word("materialized");  // where a query is computed decides no answer
  }
  if (!is_symbol("(") || !starts_query()) return unexpected("a query in parentheses is expected here");
  TRY_ASSIGN(out.query, subquery());
  return out;
}

Result<std::vector<ast::Name>> Parser::column_names() {
  std::vector<ast::Name> out;
  TRY(expect_symbol("("));
  do {
    TRY_ASSIGN(ast::Name column, name("a column's name"));
    out.push_back(std::move(column));
    if (out.size() > ast::kMaxColumns) return too_many(previous().span, "columns", ast::kMaxColumns);
  } while (take_symbol(","));
  TRY(expect_symbol(")"));
  return out;
}

// INTERSECT binds more strongly than the two others, which go from left to right.
Result<Query> Parser::set_operations(size_t& count) {
  TRY_ASSIGN(Query left, intersections(count));
  while (is_word("union") || is_word("except")) {
    TRY_ASSIGN(left, set_operation(std::move(left), false, count));
  }
  return left;
}

Result<Query> Parser::intersections(size_t& count) {
  TRY_ASSIGN(Query left, query_primary());
  while (is_word("intersect")) {
    TRY_ASSIGN(left, set_operation(std::move(left), true, count));
  }
  return left;
}

Result<Query> Parser::set_operation(Query left, bool intersect, size_t& count) {
  Query out;
  out.set_span = peek().span;
  out.set = intersect          ? SetOperation::kIntersect
            : is_word("union") ? SetOperation::kUnion
                               : SetOperation::kExcept;
  take();
  if (++count > ast::kMaxSetOperations)
    return too_many(previous().span, "set operations in a query", ast::kMaxSetOperations);
  out.set_all = take_word("all");
  if (!out.set_all) take_word("distinct");
  TRY_ASSIGN(Query right, intersect ? query_primary() : intersections(count));
  out.span = join(left.span, right.span);
  out.left = std::make_shared<const Query>(std::move(left));
  out.right = std::make_shared<const Query>(std::move(right));
  return out;
}

Result<Query> Parser::query_primary() {
  if (is_word("select")) return select();
  if (is_word("values")) return values();
  if (is_word("table")) return table();
  if (!is_symbol("(")) return unexpected("SELECT is expected here");
  take();
  TRY_ASSIGN(Query inner, query());
  TRY(expect_symbol(")"));
  return inner;
}

// TABLE name is SELECT * FROM name.
Result<Query> Parser::table() {
  Query out;
  const SourceSpan first = take().span;
  out.from.emplace();
  TRY_ASSIGN(out.from->name, relation_name("the name of a stream or a view"));
  out.from->span = out.from->name.span;
  out.span = span_from(first);
  out.items.emplace_back();
  TRY_ASSIGN(out.items.back().expr, finish(node(ast::ExprKind::kStar, out.span)));
  return out;
}

Result<Query> Parser::values() {
  Query out;
  const SourceSpan first = take().span;
  do {
    std::vector<ast::ExprPtr> row;
    TRY(expect_symbol("("));
    do {
      TRY_ASSIGN(ast::ExprPtr value, expression());
      row.push_back(std::move(value));
      if (row.size() > ast::kMaxColumns)
        return too_many(previous().span, "columns in VALUES", ast::kMaxColumns);
    } while (take_symbol(","));
    TRY(expect_symbol(")"));
    out.values.push_back(std::move(row));
    if (out.values.size() > ast::kMaxList) return too_many(previous().span, "rows in VALUES", ast::kMaxList);
    if (out.values.back().size() != out.values.front().size()) {
      return invalid_at(kSyntaxError, out.values.back().front()->span,
                        "VALUES lists must all be the same length",
                        "give every row a value for every column");
    }
  } while (take_symbol(","));
  out.span = span_from(first);
  return out;
}

}  // namespace millrace::sql
