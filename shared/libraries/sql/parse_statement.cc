#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "event/row_type.h"
#include "event/text.h"
#include "sql/errors.h"
#include "sql/keywords.h"
#include "sql/parse_path.h"
#include "sql/parser.h"

namespace millrace::sql {
namespace {

const std::vector<std::string> kStatements{"CREATE",    "SELECT", "WITH", "VALUES",   "INSERT",
                                           "SUBSCRIBE", "DROP",   "SHOW", "DESCRIBE", "EXPLAIN",
                                           "PAUSE",     "RESUME", "ALTER"};
constexpr std::string_view kPostgresStatements[] = {
    "insert", "update", "delete", "truncate", "merge",   "copy",  "begin",   "commit", "rollback",
    "set",    "grant",  "revoke", "vacuum",   "analyze", "table", "declare", "fetch"};

}  // namespace

bool Parser::is_word(std::string_view word, size_t ahead) const {
  return peek(ahead).kind == TokenKind::kWord && same_word(raw(peek(ahead)), word);
}
bool Parser::is_symbol(std::string_view symbol, size_t ahead) const {
  const TokenKind kind = peek(ahead).kind;
  return (kind == TokenKind::kPunctuation || kind == TokenKind::kOperator) && raw(peek(ahead)) == symbol;
}
bool Parser::is_string(size_t ahead) const {
  const TokenKind kind = peek(ahead).kind;
  return kind == TokenKind::kString || kind == TokenKind::kEscapeString || kind == TokenKind::kDollarString;
}
bool Parser::is_name(size_t ahead) const {
  const Token& token = peek(ahead);
  if (token.kind == TokenKind::kQuotedName) return true;
  if (token.kind != TokenKind::kWord) return false;
  const std::string word = name_value(text_, token);
  return !is_reserved(word) && !is_type_or_function_word(word);
}
bool Parser::take_word(std::string_view word) {
  return is_word(word) && (take(), true);
}
bool Parser::take_symbol(std::string_view symbol) {
  return is_symbol(symbol) && (take(), true);
}

Error Parser::unexpected(std::string hint) const {
  const Token& token = peek();
  if (token.kind == TokenKind::kEnd) {
    return invalid_at(kSyntaxError, token.span, "syntax error at the end of the text", std::move(hint));
  }
  const std::string_view shown = start_of(raw(token), 40);
  return invalid_at(kSyntaxError, token.span, fmt::format("syntax error at or near \"{}\"", shown),
                    std::move(hint));
}

Error Parser::too_many(const SourceSpan& span, std::string_view what, size_t bound) const {
  return invalid_at(kTooComplex, span, fmt::format("there are more than {} {}", bound, what),
                    "split the statement up");
}

Status Parser::expect_word(std::string_view word) {
  if (take_word(word)) return {};
  std::string upper(word);
  for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
  return unexpected(fmt::format("{} is expected here", upper));
}
Status Parser::expect_symbol(std::string_view symbol) {
  if (take_symbol(symbol)) return {};
  return unexpected(fmt::format("\"{}\" is expected here", symbol));
}

Result<ast::Name> Parser::name(std::string_view what) {
  if (is_name()) {
    const Token token = take();
    return ast::Name{name_value(text_, token), token.span};
  }
  if (peek().kind != TokenKind::kWord) return unexpected(fmt::format("{} is expected here", what));
  return unexpected(fmt::format("{0} is expected here; \"{1}\" is a keyword: quote it to use it as a name",
                                what, name_value(text_, peek())));
}

Result<ast::Name> Parser::relation_name(std::string_view what) {
  TRY_ASSIGN(ast::Name found, name(what));
  if (is_symbol(".")) {
    return unsupported_at(peek().span, "there are no schemas to qualify a name with",
                          "write the name alone; a tenant sees only its own");
  }
  return found;
}

Result<ast::Name> Parser::label() {
  if (peek().kind != TokenKind::kWord && peek().kind != TokenKind::kQuotedName) {
    return unexpected("a name is expected here");
  }
  const Token token = take();
  return ast::Name{name_value(text_, token), token.span};
}

SourceSpan Parser::span_from(const SourceSpan& first) const {
  return join(first, previous().span);
}

Result<std::vector<StatementPtr>> Parser::statements() {
  std::vector<StatementPtr> out;
  for (;;) {
    while (take_symbol(";")) {
    }
    if (peek().kind == TokenKind::kEnd) {
      TRY(check_all_used());
      return out;
    }
    const SourceSpan first = peek().span;
    if (out.size() == ast::kMaxStatements) return too_many(first, "statements", ast::kMaxStatements);
    const MakesRowTypesOfDefinition definition(is_word("create") || is_word("alter"));
    TRY_ASSIGN(ast::Body body, statement());
    if (!is_symbol(";") && peek().kind != TokenKind::kEnd)
      return unexpected("the statement should end here, with \";\"");
    const SourceSpan span = span_from(first);
    auto made = std::make_shared<Statement>();
    made->text = std::string(text_.substr(span.offset, span.length));
    made->span = span;
    made->body = std::move(body);
    made->parameters = std::exchange(places_, {});
    TRY(check_parameters(*made));
    out.push_back(std::move(made));
  }
}

// The text of a definition is what is kept of it, and a parameter's value is not in it.
Status Parser::check_parameters(const Statement& statement) const {
  if (statement.parameters.empty()) return {};
  const ast::Body* body = &statement.body;
  const auto* explain = std::get_if<ast::Explain>(body);
  if (explain != nullptr && explain->body) body = explain->body.get();
  if (std::holds_alternative<ast::Select>(*body) || std::holds_alternative<ast::Insert>(*body)) return {};
  return unsupported_at(statement.parameters.front(), "only SELECT and INSERT take parameters",
                        "write the value into the statement: of a definition that is what is kept");
}

Status Parser::check_all_used() const {
  const auto unused = std::ranges::find(used_, false);
  if (unused == used_.end()) return {};
  return error(Code::kInvalid, kBadParameter,
               fmt::format("there are {} parameters, but no ${} in the text", used_.size(),
                           unused - used_.begin() + 1),
               "send as many values as there are parameters");
}

Result<ast::ExprPtr> Parser::parameter() {
  const Token token = take();
  size_t number = 0;
  const std::string_view digits = raw(token).substr(1);
  const bool known =
      std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc() &&
      number >= 1 && number <= parameters_.size();
  if (!known) {
    return invalid_at(kBadParameter, token.span, fmt::format("parameter {} has no value", raw(token)),
                      R"(send {"sql": "…", "parameters": [value of $1, …]} as application/json)");
  }
  used_[number - 1] = true;
  places_.push_back(token.span);
  const auto& value = parameters_[number - 1];
  parameter_bytes_ += value ? value->size() : 0;
  if (parameter_bytes_ > kMaxTextBytes)
    return too_many(token.span, "bytes of parameters, counted wherever one stands", kMaxTextBytes);
  auto expr = node(value ? ast::ExprKind::kString : ast::ExprKind::kNull, token.span);
  expr->text = value.value_or("");
  return finish(std::move(expr));
}

Result<ast::Body> Parser::statement() {
  const Token& token = peek();
  if (starts_query()) {
    TRY_ASSIGN(ast::Query select, query());
    if (is_word("emit")) {
      return unsupported_at(peek().span, "EMIT belongs to a materialized view",
                            "write CREATE MATERIALIZED VIEW … AS SELECT … EMIT ON WINDOW CLOSE");
    }
    return ast::Body(ast::Select{std::move(select)});
  }
  if (is_word("create")) return create();
  if (is_word("drop")) return drop();
  if (is_word("show") || is_word("describe") || is_word("desc")) return show();
  if (is_word("explain")) return explain();
  if (is_word("pause") || is_word("resume")) return pause();
  if (is_word("alter")) return alter();
  if (is_word("insert")) return insert();
  if (take_word("subscribe")) {
    take_word("to");
    TRY_ASSIGN(ast::Name target, relation_name("the name of a stream or a view"));
    return ast::Body(ast::Subscribe{std::move(target)});
  }
  if (token.kind != TokenKind::kWord) return unexpected("a statement starts with " + list_names(kStatements));
  for (const std::string_view known : kPostgresStatements) {
    if (!is_word(known)) continue;
    return unsupported_at(token.span, fmt::format("{} is not supported", raw(token)),
                          "a statement starts with " + list_names(kStatements));
  }
  std::string hint = did_you_mean(raw(token), kStatements);
  return unexpected(hint.empty() ? "a statement starts with " + list_names(kStatements) : hint);
}

Result<ast::Body> Parser::create() {
  take();
  return is_word("or") && is_word("replace", 1) ? create_or_replace() : create_object();
}

Result<ast::Body> Parser::create_or_replace() {
  const SourceSpan first = take().span;
  take();
  const SourceSpan span = span_from(first);
  TRY_ASSIGN(ast::Body made, create_object());
  auto* query = std::get_if<ast::CreateQuery>(&made);
  if (query == nullptr) {
    return unsupported_at(
        span, "OR REPLACE belongs to views and derived streams: a declared stream keeps its columns",
        "write CREATE STREAM IF NOT EXISTS, or DROP the old one first");
  }
  if (query->if_not_exists)
    return invalid_at(kSyntaxError, span, "OR REPLACE and IF NOT EXISTS exclude each other",
                      "keep one of them");
  query->or_replace = true;
  return made;
}

Result<ast::Body> Parser::create_object() {
  if (take_word("stream")) return create_stream();
  if (take_word("materialized")) {
    TRY(expect_word("view"));
    return create_view();
  }
  if (is_word("view")) {
    return unsupported_at(peek().span, "plain views are not supported", "write CREATE MATERIALIZED VIEW");
  }
  if (is_word("table") || is_word("source")) {
    return unsupported_at(peek().span, fmt::format("CREATE {} is not supported", raw(peek())),
                          "write CREATE STREAM");
  }
  return unexpected("after CREATE comes STREAM or MATERIALIZED VIEW");
}

Result<bool> Parser::if_not_exists() {
  if (!is_word("if")) return false;
  if (!is_word("not", 1)) return false;  // a name
  take();
  take();
  TRY(expect_word("exists"));
  return true;
}

Result<ast::Body> Parser::create_stream() {
  TRY_ASSIGN(const bool quiet, if_not_exists());
  TRY_ASSIGN(ast::Name stream, relation_name("the stream's name"));
  std::vector<ast::Option> before;
  const bool options_first = is_word("with");
  if (options_first) TRY(options(before));
  if (is_word("as")) {
    ast::CreateQuery derived;
    derived.kind = ObjectKind::kStream;
    derived.name = std::move(stream);
    derived.if_not_exists = quiet;
    derived.options = std::move(before);
    return create_query(std::move(derived));
  }
  ast::CreateStream out;
  out.name = std::move(stream);
  out.if_not_exists = quiet;
  out.options = std::move(before);
  if (options_first) return ast::Body(std::move(out));
  if (!is_symbol("("))
    return unexpected("after the stream's name come its columns in parentheses, or AS SELECT …");
  TRY(stream_elements(out));
  if (is_word("with")) {
    const SourceSpan first = peek().span;
    TRY(options(out.options));
    out.with = span_from(first);
  }
  if (is_word("as")) {
    return unsupported_at(peek().span, "a stream has either columns or a query",
                          "write CREATE STREAM name AS SELECT …: the columns follow from the query");
  }
  return ast::Body(std::move(out));
}

Status Parser::stream_elements(ast::CreateStream& out) {
  out.elements = take().span;
  do {
    if (is_symbol(")") && !out.columns.empty()) return unexpected("take the comma before \")\" away");
    TRY(stream_element(out));
    if (out.columns.size() > ast::kMaxColumns) return too_many(previous().span, "columns", ast::kMaxColumns);
  } while (take_symbol(","));
  out.elements_end = peek().span;
  return expect_symbol(")");
}

Status Parser::stream_element(ast::CreateStream& out) {
  if (is_word("watermark") && is_word("for", 1)) {
    const SourceSpan span = peek().span;
    if (out.watermark)
      return invalid_at(kBadWatermark, span, "a stream has one watermark", "take this one away");
    TRY_ASSIGN(out.watermark, watermark());
    return {};
  }
  if (is_word("primary")) return primary_key(out, {});
  for (const std::string_view constraint : {"unique", "check", "foreign", "constraint"}) {
    if (!is_word(constraint)) continue;
    return unsupported_at(peek().span, "a stream has no constraints but PRIMARY KEY (column, …)",
                          "what else an event has to be, a query's WHERE can say");
  }
  TRY_ASSIGN(ast::ColumnDecl declared, column());
  for (;;) {
    if (is_word("primary")) {
      TRY(primary_key(out, declared.name));
    } else if (is_word("not") && is_word("null", 1)) {
      take();
      take();
      declared.required = true;
    } else {
      break;
    }
  }
  if (is_word("not") || is_word("null") || is_word("default") || is_word("references") || is_word("unique") ||
      is_word("check")) {
    return unsupported_at(
        peek().span, "a stream's columns have no constraints but PRIMARY KEY and NOT NULL, and no defaults",
        "a missing field is NULL");
  }
  out.columns.push_back(std::move(declared));
  return {};
}

// PRIMARY KEY behind a column, or PRIMARY KEY (column, …); with or without NOT ENFORCED, as Flink has it.
Status Parser::primary_key(ast::CreateStream& out, const ast::Name& column) {
  const SourceSpan first = take().span;
  TRY(expect_word("key"));
  if (!out.primary_key.empty())
    return invalid_at(kBadPrimaryKey, span_from(first), "a stream has one primary key",
                      "write PRIMARY KEY (a, b) for one of several columns");
  if (column) {
    out.primary_key.push_back(column);
  } else {
    TRY(expect_symbol("("));
    do {
      TRY_ASSIGN(ast::Name part, name("a column of the primary key"));
      out.primary_key.push_back(std::move(part));
      if (out.primary_key.size() > ast::kMaxColumns)
        return too_many(previous().span, "columns", ast::kMaxColumns);
    } while (take_symbol(","));
    TRY(expect_symbol(")"));
  }
  if (!is_word("not") || !is_word("enforced", 1)) return {};
  take();
  take();
  return {};
}

Result<ast::ColumnDecl> Parser::column() {
  ast::ColumnDecl out;
  TRY_ASSIGN(out.name, name("a column or WATERMARK FOR"));
  TRY_ASSIGN(out.type, type_name());
  if (!take_word("path")) return out;
  if (!is_string()) return unexpected("behind PATH comes a string, as in PATH '$.bid.auction'");
  const Token token = take();
  TRY_ASSIGN(const std::string text, string_value(text_, token));
  out.path_span = token.span;
  TRY_ASSIGN(out.path, parse_path(text, token.span));
  return out;
}

Result<ast::Watermark> Parser::watermark() {
  const SourceSpan first = take().span;
  take();
  ast::Watermark out;
  TRY_ASSIGN(out.column, name("the watermark's column"));
  TRY(expect_word("as"));
  TRY_ASSIGN(out.value, expression());
  out.span = span_from(first);
  return out;
}

Status Parser::options(std::vector<ast::Option>& out) {
  take();
  TRY(expect_symbol("("));
  do {
    TRY_ASSIGN(ast::Option next, option());
    for (const auto& other : out) {
      if (other.name.text != next.name.text) continue;
      return invalid_at(kBadOption, next.name.span,
                        fmt::format("option \"{}\" is given twice", next.name.text), "keep one of them");
    }
    out.push_back(std::move(next));
  } while (take_symbol(","));
  return expect_symbol(")");
}

Result<ast::Option> Parser::option() {
  ast::Option out;
  TRY_ASSIGN(out.name, label());
  TRY(expect_symbol("="));
  const SourceSpan first = peek().span;
  const bool negative = take_symbol("-");
  const Token& token = peek();
  if (token.kind == TokenKind::kInteger || token.kind == TokenKind::kDecimal) {
    out.kind = ast::Option::Kind::kNumber;
    out.value = (negative ? "-" : "") + std::string(raw(take()));
  } else if (is_string() && !negative) {
    const Token value = take();
    TRY_ASSIGN(out.value, string_value(text_, value));
  } else if ((token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName) && !negative) {
    out.kind = ast::Option::Kind::kWord;
    out.value = name_value(text_, take());
  } else {
    return unexpected("an option's value is a 'string', a number or a word");
  }
  out.value_span = span_from(first);
  return out;
}

Result<ast::Body> Parser::create_view() {
  ast::CreateQuery view;
  view.kind = ObjectKind::kView;
  TRY_ASSIGN(view.if_not_exists, if_not_exists());
  TRY_ASSIGN(view.name, relation_name("the view's name"));
  if (is_symbol("(")) {
    return unsupported_at(peek().span, "a column list behind a view's name is not supported",
                          "name the columns in the SELECT: expression AS name");
  }
  return create_query(std::move(view));
}

Result<ast::Body> Parser::create_query(ast::CreateQuery query_) {
  if (is_word("with")) TRY(options(query_.options));
  TRY(expect_word("as"));
  if (!starts_query()) return unexpected("SELECT is expected here");
  TRY_ASSIGN(query_.query, query());
  TRY(create_query_tail(query_));
  return ast::Body(std::move(query_));
}

// EMIT …, LATE DATA TO … and WITH (…) behind the query, in any order.
Status Parser::create_query_tail(ast::CreateQuery& out) {
  for (;;) {
    if (is_word("with") && is_symbol("(", 1)) {
      TRY(options(out.options));
    } else if (is_word("emit") && out.emit == ast::CreateQuery::Emit::kDefault) {
      TRY(emit(out));
    } else if (is_word("late") && is_word("data", 1) && !out.late_to) {
      TRY(late_data(out));
    } else {
      return {};
    }
  }
}

Status Parser::emit(ast::CreateQuery& out) {
  using Emit = ast::CreateQuery::Emit;
  const SourceSpan first = take().span;
  if (take_word("changes")) {
    out.emit = Emit::kChanges;
  } else if (take_word("every")) {
    out.emit = Emit::kEvery;
    TRY_ASSIGN(out.every, expression());
  } else {
    if (!take_word("on"))
      return unexpected("after EMIT comes CHANGES, EVERY INTERVAL '…' or ON WINDOW CLOSE");
    TRY(expect_word("window"));
    TRY(expect_word("close"));
    out.emit = Emit::kOnClose;
  }
  out.emit_span = span_from(first);
  return {};
}

Status Parser::late_data(ast::CreateQuery& out) {
  take();
  take();
  TRY(expect_word("to"));
  TRY_ASSIGN(out.late_to, relation_name("the name of the stream that takes late rows"));
  return {};
}

Result<ast::Body> Parser::drop() {
  take();
  ast::Drop out;
  if (take_word("stream")) {
    out.kind = ObjectKind::kStream;
  } else if (is_word("materialized") || is_word("view")) {
    take_word("materialized");
    TRY(expect_word("view"));
    out.kind = ObjectKind::kView;
  } else {
    return unexpected("after DROP comes STREAM or MATERIALIZED VIEW");
  }
  if (is_word("if") && is_word("exists", 1)) {
    take();
    take();
    out.if_exists = true;
  }
  TRY_ASSIGN(out.name, relation_name("the name of what to drop"));
  if (is_word("cascade")) {
    return unsupported_at(peek().span, "DROP … CASCADE is not supported", "drop what reads it first");
  }
  take_word("restrict");
  return ast::Body(std::move(out));
}

Result<ast::Name> Parser::show_target() {
  return relation_name("the name of a stream or a view");
}

Result<ast::Body> Parser::show() {
  using What = sql::Show::What;
  ast::Show out;
  if (!same_word(raw(take()), "show")) {
    out.what = What::kColumns;
    TRY_ASSIGN(out.name, show_target());
    return ast::Body(std::move(out));
  }
  if (take_word("streams")) {
    out.what = What::kStreams;
  } else if (is_word("views") || is_word("materialized")) {
    take_word("materialized");
    TRY(expect_word("views"));
    out.what = What::kViews;
  } else if (take_word("queries")) {
    out.what = What::kQueries;
  } else if (take_word("functions")) {
    out.what = What::kFunctions;
  } else if (take_word("columns")) {
    out.what = What::kColumns;
    if (!take_word("in")) TRY(expect_word("from"));
    TRY_ASSIGN(out.name, show_target());
  } else {
    return unexpected("after SHOW comes STREAMS, VIEWS, QUERIES, FUNCTIONS or COLUMNS FROM name");
  }
  return ast::Body(std::move(out));
}

Result<ast::Body> Parser::explain() {
  take();
  ast::Explain out;
  out.analyze_span = peek().span;
  out.analyze = take_word("analyze");
  if (is_word("verbose") || is_symbol("(")) {
    return unsupported_at(peek().span, "EXPLAIN has no option but ANALYZE",
                          "write EXPLAIN [ANALYZE] and a statement, or a query's name");
  }
  if (is_word("explain")) return unexpected("EXPLAIN explains another statement");
  if (explains_a_name()) {
    TRY_ASSIGN(out.target, relation_name("the name of a stream or a view"));
    return ast::Body(std::move(out));
  }
  TRY_ASSIGN(ast::Body inner, statement());
  out.body = std::make_unique<ast::Body>(std::move(inner));
  return ast::Body(std::move(out));
}

// [MATERIALIZED VIEW | VIEW | STREAM] name; takes the words before the name.
bool Parser::explains_a_name() {
  const bool last = peek(1).kind == TokenKind::kEnd || is_symbol(";", 1);
  if (is_name() && last) return true;
  if (is_word("materialized") && is_word("view", 1)) take();
  if (!is_word("view") && !is_word("stream")) return false;
  take();
  return true;
}

// PAUSE | RESUME [MATERIALIZED VIEW | VIEW | STREAM] name.
Result<ast::Body> Parser::pause() {
  ast::Pause out;
  out.pause = same_word(raw(take()), "pause");
  const bool named = peek(1).kind == TokenKind::kEnd || is_symbol(";", 1);
  if (!named) {
    if (is_word("materialized") && is_word("view", 1)) take();
    if (!take_word("view")) take_word("stream");
  }
  TRY_ASSIGN(out.name, relation_name("the name of a view or a derived stream"));
  return ast::Body(std::move(out));
}

// ALTER STREAM name SET (option = value, …) | RESET (option, …) | ADD …
Result<ast::Body> Parser::alter() {
  ast::Alter out;
  take();
  if (!is_word("stream")) {
    return unsupported_at(peek().span, fmt::format("ALTER {} is not supported", raw(peek())),
                          "ALTER STREAM name SET (option = value) and ADD COLUMN are; a view is changed by "
                          "CREATE OR REPLACE");
  }
  take();
  TRY_ASSIGN(out.name, relation_name("the stream's name"));
  if (is_word("set")) {
    TRY(options(out.options));
    return ast::Body(std::move(out));
  }
  if (is_word("add")) {
    TRY(added_columns(out));
    return ast::Body(std::move(out));
  }
  if (peek().kind == TokenKind::kWord && !is_word("reset")) {
    return unsupported_at(peek().span, fmt::format("ALTER STREAM … {} is not supported", raw(peek())),
                          "SET (option = value, …), RESET (option, …) and ADD COLUMN name type are");
  }
  if (!is_word("reset"))
    return unexpected("SET (option = value, …), RESET (option, …) or ADD COLUMN name type is expected here");
  out.reset = true;
  take();
  TRY(expect_symbol("("));
  do {
    TRY_ASSIGN(out.options.emplace_back().name, label());
  } while (take_symbol(","));
  TRY(expect_symbol(")"));
  return ast::Body(std::move(out));
}

// ADD [COLUMN] [IF NOT EXISTS] name type [PATH '…'], ADD …
Status Parser::added_columns(ast::Alter& out) {
  do {
    if (!take_word("add")) return unexpected("ADD COLUMN name type is expected here");
    TRY(added_column(out));
    if (out.columns.size() > ast::kMaxColumns) return too_many(previous().span, "columns", ast::kMaxColumns);
  } while (take_symbol(","));
  return {};
}

Status Parser::added_column(ast::Alter& out) {
  const bool watermark = is_word("watermark") && is_word("for", 1);
  const bool constraint = is_word("primary") || is_word("constraint") || is_word("unique") ||
                          is_word("check") || is_word("foreign");
  if (watermark || constraint) {
    return unsupported_at(peek().span, fmt::format("ALTER STREAM … ADD {} is not supported", raw(peek())),
                          "ADD COLUMN name type is; what else a stream is, its queries are built on");
  }
  take_word("column");
  ast::Alter::Added added;
  TRY_ASSIGN(added.if_not_exists, if_not_exists());
  const SourceSpan first = peek().span;
  TRY_ASSIGN(added.column, column());
  added.span = span_from(first);
  for (const std::string_view word : {"not", "null", "default", "primary", "references", "unique", "check",
                                      "generated", "first", "after"}) {
    if (!is_word(word)) continue;
    return unsupported_at(peek().span,
                          "an added column has no constraint and no default, and stands behind the others",
                          "the events that are there were not asked for it: a missing field is NULL");
  }
  out.columns.push_back(std::move(added));
  return {};
}

Result<std::vector<StatementPtr>> parse(std::string_view text, const Parameters& parameters) {
  TRY_ASSIGN(std::vector<Token> tokens, tokenize(text));
  return Parser(text, std::move(tokens), parameters).statements();
}

std::string statement_text(const Statement& statement) {
  return statement.text;
}

// INSERT INTO stream [(column, …)] query
Result<ast::Body> Parser::insert() {
  ast::Insert out;
  take();
  TRY(expect_word("into"));
  TRY_ASSIGN(out.stream, relation_name("the stream's name"));
  if (is_symbol("(") && !starts_query()) {
    TRY_ASSIGN(out.columns, column_names());
  }
  if (!starts_query()) return unexpected("VALUES or SELECT is expected here");
  TRY_ASSIGN(out.query, query());
  if (is_word("on") || is_word("returning")) {
    return unsupported_at(peek().span, fmt::format("{} is not supported in INSERT", raw(peek())),
                          "a stream is a log: every row is an event of its own");
  }
  return ast::Body(std::move(out));
}

}  // namespace millrace::sql
