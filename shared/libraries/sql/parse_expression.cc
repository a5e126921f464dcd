#include <fmt/format.h>

#include <bit>

#include "sql/errors.h"
#include "sql/keywords.h"
#include "sql/parser.h"

namespace millrace::sql {
namespace {

using ast::ExprKind;
using ast::ExprPtr;

// PostgreSQL's table, weakest first.
enum Level : int {
  kNone = 0,
  kOrLevel = 1,
  kAndLevel = 2,
  kNotLevel = 3,
  kIsLevel = 4,
  kComparison = 5,
  kRange = 6,  // BETWEEN, IN, LIKE
  kOther = 7,  // ||, ->, …
  kSum = 8,
  kProduct = 9,
  kPower = 10,
  kAtTimeZone = 11,
  kCollate = 12,
  kSign = 13,
  kSubscript = 14,
  kCastLevel = 15,
  kField = 16,
};

bool is_comparison(std::string_view op) {
  return op == "=" || op == "<" || op == ">" || op == "<=" || op == ">=" || op == "<>" || op == "!=";
}

int operator_level(std::string_view op) {
  if (is_comparison(op)) return kComparison;
  if (op == "+" || op == "-") return kSum;
  if (op == "*" || op == "/" || op == "%") return kProduct;
  return op == "^" ? kPower : kOther;
}

bool may_compile_a_pattern(const ast::Expr& expr) {
  if (expr.kind == ExprKind::kBinary) return expr.text.find('~') != std::string::npos;
  if (expr.kind == ExprKind::kLike) return expr.text == "similar";
  return expr.kind == ExprKind::kCall && (expr.text.starts_with("regexp_") || expr.text == "substring");
}

class Depth {
 public:
  explicit Depth(size_t& depth) : depth_(depth) { ++depth_; }
  ~Depth() { --depth_; }

 private:
  size_t& depth_;
};

}  // namespace

ExprPtr Parser::node(ExprKind kind, const SourceSpan& span) {
  auto expr = std::make_unique<ast::Expr>();
  expr->kind = kind;
  expr->span = span;
  return expr;
}

Result<ExprPtr> Parser::finish(ExprPtr expr) {
  nodes_ += may_compile_a_pattern(*expr) ? ast::kPatternNodes : 1;
  if (nodes_ > ast::kMaxNodes) return too_many(expr->span, "expressions in one text", ast::kMaxNodes);
  uint32_t below = 0;
  for (const auto& arg : expr->args) below = std::max(below, arg->height);
  expr->height = below + 1;
  // A chain becomes a balanced tree later.
  if (expr->kind == ExprKind::kAnd || expr->kind == ExprKind::kOr) {
    expr->height = below + static_cast<uint32_t>(std::bit_width(expr->args.size()));
  }
  if (expr->height > ast::kMaxHeight) {
    return invalid_at(kTooComplex, expr->operator_span.line > 0 ? expr->operator_span : expr->span,
                      fmt::format("the expression is more than {} operators deep", ast::kMaxHeight),
                      "split it up, or group its parts with parentheses");
  }
  return expr;
}

// Recursion goes through a whole new expression (level 0), through a prefix operator, or up the table of
// levels, which is short: counting the first two bounds the stack.
Result<ExprPtr> Parser::expression(int level) {
  if (level > kNone) return operand(level);
  Depth depth(depth_);
  if (depth_ > ast::kMaxNesting) return too_deep();
  return operand(level);
}

Result<ExprPtr> Parser::operand(int level) {
  TRY_ASSIGN(ExprPtr left, prefix());
  int last = kNone;
  for (;;) {
    const int next = infix_level();
    if (next == kNone || next < level) return left;
    if (next == last && (next == kComparison || next == kRange)) {
      return unexpected("comparisons do not chain: write a < b AND b < c");
    }
    last = next;
    TRY_ASSIGN(left, infix(std::move(left), next));
  }
}

// The level of what continues an expression at this token; kNone if nothing does.
int Parser::infix_level() const {
  const Token& token = peek();
  if (token.kind == TokenKind::kOperator) return operator_level(raw(token));
  if (token.kind == TokenKind::kPunctuation) {
    if (raw(token) == "::") return kCastLevel;
    if (raw(token) == ".") return kField;
    return raw(token) == "[" ? kSubscript : kNone;
  }
  if (token.kind != TokenKind::kWord) return kNone;
  if (is_word("or")) return kOrLevel;
  if (is_word("and")) return kAndLevel;
  if (is_word("is") || is_word("isnull") || is_word("notnull")) return kIsLevel;
  const size_t at = is_word("not") ? 1 : 0;
  if (is_word("between", at) || is_word("in", at) || is_word("like", at) || is_word("ilike", at) ||
      is_word("similar", at)) {
    return kRange;
  }
  if (is_word("overlaps")) return kRange;
  if (is_word("at") && is_word("time", 1)) return kAtTimeZone;
  return is_word("collate") ? kCollate : kNone;
}

Result<ExprPtr> Parser::infix(ExprPtr left, int level) {
  const Token& token = peek();
  if (token.kind == TokenKind::kOperator) return binary(std::move(left), level);
  if (level == kCastLevel) {
    take();
    TRY_ASSIGN(const ast::TypeName type, type_name());
    auto expr = node(ExprKind::kCast, join(left->span, type.span));
    expr->type = type;
    expr->args.push_back(std::move(left));
    return finish(std::move(expr));
  }
  if (level == kSubscript) return subscript(std::move(left));
  if (level == kField) return field(std::move(left));
  if (level == kAtTimeZone) {
    return at_time_zone(std::move(left));
  }
  if (level == kCollate) return collate(std::move(left));
  return infix_word(std::move(left), level);
}

// Text has the collation C, by whatever name.
Result<ExprPtr> Parser::collate(ExprPtr left) {
  take();
  TRY_ASSIGN(const ast::Name collation, name("the name of a collation"));
  if (collation.text == "C" || collation.text == "POSIX" || collation.text == "ucs_basic") {
    left->span = span_from(left->span);
    return left;
  }
  return unsupported_at(collation.span, fmt::format("the collation \"{}\" is not supported", collation.text),
                        "text sorts by its bytes: COLLATE \"C\"");
}

// time AT TIME ZONE zone is timezone(zone, time).
Result<ExprPtr> Parser::at_time_zone(ExprPtr left) {
  take();
  TRY(expect_word("time"));
  TRY(expect_word("zone"));
  TRY_ASSIGN(ExprPtr zone, expression(kAtTimeZone + 1));
  auto expr = node(ExprKind::kCall, join(left->span, zone->span));
  expr->text = "timezone";
  expr->args.push_back(std::move(zone));
  expr->args.push_back(std::move(left));
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::infix_word(ExprPtr left, int level) {
  if (level == kOrLevel) return chain(ExprKind::kOr, std::move(left), level);
  if (level == kAndLevel) return chain(ExprKind::kAnd, std::move(left), level);
  if (level == kIsLevel) return is_test(std::move(left));
  const bool negated = take_word("not");
  const Token word = take();
  if (same_word(raw(word), "overlaps")) return overlaps(std::move(left));
  if (same_word(raw(word), "between")) return between(std::move(left), negated);
  if (same_word(raw(word), "in")) return in_list(std::move(left), negated);
  if (same_word(raw(word), "similar")) TRY(expect_word("to"));
  return like(std::move(left), word, negated);
}

Result<ExprPtr> Parser::binary(ExprPtr left, int level) {
  const Token op = take();
  if (is_quantifier()) return quantified(std::move(left), op.span, std::string(raw(op)));
  TRY_ASSIGN(ExprPtr right, expression(level + 1));
  auto expr = node(ExprKind::kBinary, join(left->span, right->span));
  expr->operator_span = op.span;
  expr->text = std::string(raw(op));
  expr->args.push_back(std::move(left));
  expr->args.push_back(std::move(right));
  return finish(std::move(expr));
}

// a AND b AND c is one flat node, so that a long chain is not a deep tree.
Result<ExprPtr> Parser::chain(ExprKind kind, ExprPtr left, int level) {
  const std::string_view word = kind == ExprKind::kAnd ? "and" : "or";
  auto expr = node(kind, left->span);
  expr->operator_span = peek().span;
  expr->args.push_back(std::move(left));
  while (take_word(word)) {
    TRY_ASSIGN(ExprPtr right, expression(level + 1));
    expr->span = join(expr->span, right->span);
    expr->args.push_back(std::move(right));
    if (expr->args.size() > ast::kMaxList)
      return too_many(previous().span, "members of an AND or OR", ast::kMaxList);
  }
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::is_test(ExprPtr left) {
  const Token first = take();
  auto expr = node(ExprKind::kIs, left->span);
  expr->text = "null";
  if (same_word(raw(first), "notnull")) expr->negated = true;
  if (same_word(raw(first), "is")) {
    expr->negated = take_word("not");
    if (take_word("distinct")) {
      TRY(expect_word("from"));
      TRY_ASSIGN(ExprPtr right, expression(kComparison));
      expr->kind = ExprKind::kIsDistinct;
      expr->args.push_back(std::move(left));
      expr->args.push_back(std::move(right));
      expr->span = span_from(expr->span);
      return finish(std::move(expr));
    }
    if (!is_word("null") && !is_word("true") && !is_word("false") && !is_word("unknown")) {
      return unexpected("after IS comes [NOT] NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
    }
    expr->text = name_value(text_, take());
  }
  expr->args.push_back(std::move(left));
  expr->span = span_from(expr->span);
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::between(ExprPtr left, bool negated) {
  const bool symmetric = take_word("symmetric");
  if (!symmetric) take_word("asymmetric");
  TRY_ASSIGN(ExprPtr low, expression(kRange + 1));
  TRY(expect_word("and"));
  TRY_ASSIGN(ExprPtr high, expression(kRange + 1));
  auto expr = node(ExprKind::kBetween, join(left->span, high->span));
  if (symmetric) expr->text = "symmetric";
  expr->negated = negated;
  expr->args.push_back(std::move(left));
  expr->args.push_back(std::move(low));
  expr->args.push_back(std::move(high));
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::in_list(ExprPtr left, bool negated) {
  TRY(expect_symbol("("));
  if (is_word("select")) {
    return unsupported_at(peek().span, "subqueries are not supported yet",
                          "write the values out: x IN (1, 2, 3)");
  }
  auto expr = node(ExprKind::kIn, left->span);
  expr->negated = negated;
  expr->args.push_back(std::move(left));
  do {
    TRY_ASSIGN(ExprPtr item, expression());
    expr->args.push_back(std::move(item));
    if (expr->args.size() > ast::kMaxList + 1)
      return too_many(previous().span, "members of an IN list", ast::kMaxList);
  } while (take_symbol(","));
  TRY(expect_symbol(")"));
  expr->span = span_from(expr->span);
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::like(ExprPtr left, const Token& word, bool negated) {
  const std::string how = name_value(text_, word);
  if (is_quantifier() && how != "similar")
    return quantified(std::move(left), word.span, (negated ? "not " : "") + how);
  TRY_ASSIGN(ExprPtr pattern, expression(kRange + 1));
  auto expr = node(ExprKind::kLike, left->span);
  expr->text = how;
  expr->negated = negated;
  expr->args.push_back(std::move(left));
  expr->args.push_back(std::move(pattern));
  if (take_word("escape")) {
    TRY_ASSIGN(ExprPtr escape, expression(kRange + 1));
    expr->args.push_back(std::move(escape));
  }
  expr->span = span_from(expr->span);
  return finish(std::move(expr));
}

// (a, b) OVERLAPS (c, d) is overlaps(a, b, c, d).
Result<ExprPtr> Parser::overlaps(ExprPtr left) {
  TRY_ASSIGN(ExprPtr right, expression(kRange + 1));
  auto expr = node(ExprKind::kCall, join(left->span, right->span));
  expr->text = "overlaps";
  for (ExprPtr* side : {&left, &right}) {
    if ((*side)->kind != ExprKind::kRow || (*side)->args.size() != 2) {
      return invalid_at(kSyntaxError, (*side)->span, "OVERLAPS takes two times on either side",
                        "write (start, end) OVERLAPS (start, end)");
    }
    for (ExprPtr& arg : (*side)->args) expr->args.push_back(std::move(arg));
  }
  return finish(std::move(expr));
}

Error Parser::too_deep() const {
  return invalid_at(kTooComplex, peek().span,
                    fmt::format("the expression is nested more than {} levels deep", ast::kMaxNesting),
                    "take parentheses, CASE, NOT or signs away");
}

Result<ExprPtr> Parser::prefix() {
  const bool negation = is_word("not");
  if (!negation && peek().kind != TokenKind::kOperator) return primary();
  Depth depth(depth_);
  if (depth_ > ast::kMaxNesting) return too_deep();
  if (is_symbol("*")) return unexpected("* stands for all columns only in a SELECT list and in count(*)");
  const Token token = take();
  const std::string op(raw(token));
  const int level = negation ? kNotLevel : (op == "+" || op == "-" ? kSign : kOther + 1);
  TRY_ASSIGN(ExprPtr operand, expression(level));
  auto expr = node(negation ? ExprKind::kNot : ExprKind::kUnary, join(token.span, operand->span));
  expr->operator_span = token.span;
  expr->text = op;
  expr->args.push_back(std::move(operand));
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::primary() {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal: {
      auto expr = node(ExprKind::kNumber, token.span);
      expr->text = std::string(raw(take()));
      return finish(std::move(expr));
    }
    case TokenKind::kString:
    case TokenKind::kEscapeString:
    case TokenKind::kDollarString:
      return string_literal();
    case TokenKind::kParameter:
      return parameter();
    case TokenKind::kWord:
      return word_primary();
    case TokenKind::kQuotedName:
      return name_primary();
    default:
      if (is_symbol("(")) return parenthesized();
      return unexpected("an expression is expected here");
  }
}

Result<ExprPtr> Parser::string_literal() {
  const Token token = take();
  auto expr = node(ExprKind::kString, token.span);
  TRY_ASSIGN(expr->text, string_value(text_, token));
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::parenthesized() {
  const Token open = take();
  if (is_word("select")) {
    return unsupported_at(peek().span, "subqueries are not supported yet", "make a view and select from it");
  }
  TRY_ASSIGN(ExprPtr inner, expression());
  if (is_symbol(",")) return bare_row(open, std::move(inner));
  TRY(expect_symbol(")"));
  inner->span = span_from(open.span);
  return inner;
}

Result<ExprPtr> Parser::word_primary() {
  const Token& token = peek();
  const std::string word = name_value(text_, token);
  if (word == "null" || word == "true" || word == "false") {
    auto expr = node(word == "null" ? ExprKind::kNull : ExprKind::kBoolean, take().span);
    expr->text = word;
    return finish(std::move(expr));
  }
  if (word == "case") return case_expression();
  if (word == "cast" || (word == "try_cast" && is_symbol("(", 1))) return cast_expression();
  if (word == "interval" && is_string(1)) return interval_literal();
  if (is_symbol("(", 1)) {
    if (word == "left" || word == "right") return call({word, take().span});
    if (word == "extract" || word == "position" || word == "substring" || word == "trim" ||
        word == "overlay" || word == "timestampadd" || word == "timestampdiff")
      return spelled_call(word);
  }
  if (word == "current_date" || word == "current_timestamp" || word == "localtime" ||
      word == "localtimestamp")
    return clock_word();
  if (word == "current_time") {
    return unsupported_at(token.span, fmt::format("{} is not supported", raw(token)),
                          "a time of day has no zone here: use LOCALTIME");
  }
  if (word == "x" && is_string(1) && peek(1).span.offset == token.span.offset + 1)
    return hexadecimal_literal();
  if (word == "exists" && is_symbol("(", 1)) {
    return unsupported_at(token.span, "EXISTS is not supported yet", "subqueries are not supported");
  }
  if (word == "array") return array_constructor();
  if (word == "row" && is_symbol("(", 1)) return row_constructor();
  if (const auto words = type_words_before_string()) {
    TRY_ASSIGN(const ast::TypeName type, type_name());
    TRY_ASSIGN(auto expr, typed_string(type));
    return finish(std::move(expr));
  }
  return name_primary();
}

// The text that stands behind a type's name.
Result<ast::ExprPtr> Parser::typed_string(const ast::TypeName& type) {
  const Token value = take();
  auto expr = node(ExprKind::kTypedString, join(type.span, value.span));
  expr->type = type;
  TRY_ASSIGN(expr->text, string_value(text_, value));
  return expr;
}

// INTERVAL '1 hour', and PostgreSQL's INTERVAL '1' HOUR.
Result<ExprPtr> Parser::interval_literal() {
  const Token first = take();
  TRY_ASSIGN(auto expr, typed_string({Type::kInterval, first.span}));
  for (const std::string_view unit : {"year", "month", "day", "hour", "minute", "second"}) {
    if (!take_word(unit)) continue;
    // PostgreSQL cuts INTERVAL '1.5' HOUR down to whole hours: better not to take it.
    const std::string_view taken = unit == "second" ? "0123456789+-." : "0123456789+-";
    if (expr->text.find_first_not_of(taken) != std::string::npos || expr->text.empty()) {
      return invalid_at(kBadLiteral, expr->span,
                        "an interval with a unit behind it holds a whole number only",
                        "write INTERVAL '90 minutes'");
    }
    expr->text += " " + std::string(unit);
    expr->span = span_from(first.span);
    break;
  }
  return finish(std::move(expr));
}

// X'1F': bytes.
Result<ExprPtr> Parser::hexadecimal_literal() {
  TRY_ASSIGN(auto expr, typed_string({Type::kBytea, take().span}));
  expr->text.insert(0, "\\x");
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::name_primary() {
  if (!is_name()) {
    return unexpected(
        fmt::format("an expression is expected here; \"{}\" is a keyword: quote it to use it as a name",
                    name_value(text_, peek())));
  }
  TRY_ASSIGN(ast::Name first, name("a column"));
  if (is_symbol("(")) return call(first);
  auto expr = node(ExprKind::kColumn, first.span);
  expr->text = first.text;
  if (take_symbol(".")) {
    if (is_symbol("*")) return unexpected("alias.* stands only in a SELECT list");
    TRY_ASSIGN(ast::Name second, label());
    expr->text = second.text;
    expr->qualifier = std::move(first);
    expr->span = join(expr->span, second.span);
  }
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::call(const ast::Name& function) {
  take();
  auto expr = node(ExprKind::kCall, function.span);
  expr->text = function.text;
  if (is_symbol("*") && is_symbol(")", 1)) {
    take();
    expr->star = true;
  } else if (is_name() && is_symbol("=>", 1)) {
    TRY(named_arguments(*expr));
  } else if (!is_symbol(")")) {
    expr->distinct = take_word("distinct");
    if (!expr->distinct) take_word("all");
    TRY(argument(*expr));
    TRY(arguments(*expr));
  }
  if (take_word("order")) TRY(order_of(*expr));
  TRY(expect_symbol(")"));
  if (is_word("within") && is_word("group", 1)) TRY(within_group_of(*expr));
  expr->span = span_from(function.span);
  if (is_word("filter") && is_symbol("(", 1)) TRY(filter_of(*expr));
  if (is_word("over") && (is_symbol("(", 1) || is_name(1))) {
    return unsupported_at(peek().span, fmt::format("{} is not supported yet", raw(peek())),
                          "use TUMBLE and GROUP BY");
  }
  return finish(std::move(expr));
}

// ORDER BY key, … in an aggregate's parentheses
Status Parser::order_of(ast::Expr& out) {
  TRY(expect_word("by"));
  do {
    TRY_ASSIGN(ast::OrderItem item, order_item());
    out.order_by.push_back({item.descending, item.nulls_first});
    out.args.push_back(std::move(item.expr));
    if (out.args.size() > ast::kMaxArguments)
      return too_many(previous().span, "arguments of a function", ast::kMaxArguments);
  } while (take_symbol(","));
  return {};
}

// WITHIN GROUP (ORDER BY key, …)
Status Parser::within_group_of(ast::Expr& out) {
  take();
  take();
  TRY(expect_symbol("("));
  TRY(expect_word("order"));
  TRY(expect_word("by"));
  std::vector<ExprPtr> keys;
  do {
    TRY_ASSIGN(ast::OrderItem item, order_item());
    out.within_group.push_back({item.descending, item.nulls_first});
    keys.push_back(std::move(item.expr));
    if (keys.size() > ast::kMaxArguments)
      return too_many(previous().span, "keys of WITHIN GROUP", ast::kMaxArguments);
  } while (take_symbol(","));
  if (out.distinct || !out.order_by.empty())
    return unexpected("DISTINCT and ORDER BY do not go together with WITHIN GROUP");
  out.args.insert(out.args.begin(), std::make_move_iterator(keys.begin()),
                  std::make_move_iterator(keys.end()));
  return expect_symbol(")");
}

// FILTER (WHERE condition)
Status Parser::filter_of(ast::Expr& out) {
  take();
  TRY(expect_symbol("("));
  TRY(expect_word("where"));
  TRY(argument(out));
  out.has_filter = true;
  return expect_symbol(")");
}

Result<ExprPtr> Parser::cast_expression() {
  const Token first = take();
  TRY(expect_symbol("("));
  auto expr = node(ExprKind::kCast, first.span);
  expr->tries = same_word(raw(first), "try_cast");
  TRY_ASSIGN(ExprPtr operand, expression());
  TRY(expect_word("as"));
  TRY_ASSIGN(expr->type, type_name());
  TRY(expect_symbol(")"));
  expr->args.push_back(std::move(operand));
  expr->span = span_from(first.span);
  return finish(std::move(expr));
}

Result<ExprPtr> Parser::case_expression() {
  const Token first = take();
  auto expr = node(ExprKind::kCase, first.span);
  if (!is_word("when")) {
    TRY_ASSIGN(ExprPtr operand, expression());
    expr->has_operand = true;
    expr->args.push_back(std::move(operand));
  }
  if (!is_word("when")) return unexpected("CASE needs at least one WHEN … THEN …");
  while (take_word("when")) {
    TRY_ASSIGN(ExprPtr when, expression());
    TRY(expect_word("then"));
    TRY_ASSIGN(ExprPtr then, expression());
    expr->args.push_back(std::move(when));
    expr->args.push_back(std::move(then));
    if (expr->args.size() > ast::kMaxList)
      return too_many(previous().span, "branches of a CASE", ast::kMaxList / 2);
  }
  if (take_word("else")) {
    TRY_ASSIGN(ExprPtr otherwise, expression());
    expr->has_else = true;
    expr->args.push_back(std::move(otherwise));
  }
  TRY(expect_word("end"));
  expr->span = span_from(first.span);
  return finish(std::move(expr));
}

}  // namespace millrace::sql
