#include <gtest/gtest.h>

#include "sql/ast.h"

namespace millrace::sql {
namespace {

std::string repeat(std::string_view what, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += what;
  return out;
}

std::string id_of(const std::string& text) {
  auto statements = parse(text);
  return statements.ok() ? "ok" : statements.error().id;
}

// Parenthesised prefix form of the first SELECT expression.
std::string shape(const ast::Expr& e) {
  using Kind = ast::ExprKind;
  std::string out;
  switch (e.kind) {
    case Kind::kNumber:
    case Kind::kColumn:
      return e.text;
    case Kind::kUnary:
    case Kind::kBinary:
      out = e.text;
      break;
    case Kind::kAnd:
      out = "and";
      break;
    case Kind::kOr:
      out = "or";
      break;
    case Kind::kNot:
      out = "not";
      break;
    case Kind::kIs:
      out = (e.negated ? "is-not-" : "is-") + e.text;
      break;
    case Kind::kBetween:
      out = e.negated ? "not-between" : "between";
      break;
    case Kind::kIn:
      out = e.negated ? "not-in" : "in";
      break;
    case Kind::kCast:
      out = "cast";
      break;
    default:
      out = "?";
  }
  for (const auto& arg : e.args) out += " " + shape(*arg);
  return "(" + out + ")";
}

std::string shape_of(const std::string& expression) {
  auto statements = parse("SELECT " + expression);
  if (!statements.ok()) return statements.error().message;
  return shape(*std::get<ast::Select>(statements->front()->body).query.items.front().expr);
}

TEST(Parser, FollowsPostgresPrecedence) {
  EXPECT_EQ(shape_of("a OR b AND NOT c = d"), "(or a (and b (not (= c d))))");
  EXPECT_EQ(shape_of("a + b * c - d"), "(- (+ a (* b c)) d)");
  EXPECT_EQ(shape_of("a || b + c"), "(|| a (+ b c))");
  EXPECT_EQ(shape_of("-a::bigint"), "(- (cast a))");
  EXPECT_EQ(shape_of("- a * b"), "(* (- a) b)");
  EXPECT_EQ(shape_of("a < b IS TRUE"), "(is-true (< a b))");
  EXPECT_EQ(shape_of("a BETWEEN b + 1 AND c AND d"), "(and (between a (+ b 1) c) d)");
  EXPECT_EQ(shape_of("a NOT IN (b, c) = d"), "(= (not-in a b c) d)");
  EXPECT_EQ(shape_of("a IN (b) OR NOT d NOT BETWEEN e AND f"), "(or (in a b) (not (not-between d e f)))");
  EXPECT_EQ(shape_of("a = b AND c = d AND e"), "(and (= a b) (= c d) e)");
  EXPECT_EQ(shape_of("(a OR b) AND c"), "(and (or a b) c)");
  EXPECT_EQ(shape_of("a NOTNULL AND b ISNULL"), "(and (is-not-null a) (is-null b))");
}

TEST(Parser, KeepsEachStatementsText) {
  const std::string text = ";; SELECT 1 ; \n -- a comment\n DROP STREAM a;";
  auto statements = parse(text);
  ASSERT_TRUE(statements.ok());
  ASSERT_EQ(statements->size(), 2u);
  EXPECT_EQ(statement_text(*(*statements)[0]), "SELECT 1");
  EXPECT_EQ(statement_text(*(*statements)[1]), "DROP STREAM a");
  EXPECT_EQ((*statements)[1]->span.line, 3u);
  EXPECT_TRUE(parse("")->empty());
  EXPECT_TRUE(parse(" -- nothing\n;")->empty());
}

TEST(Parser, TakesOptionsBeforeAndBehind) {
  for (const char* text :
       {"CREATE MATERIALIZED VIEW v WITH (start = now) AS SELECT a FROM s EMIT CHANGES",
        "CREATE MATERIALIZED VIEW v AS SELECT a FROM s EMIT CHANGES WITH (start = 'now')",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT a FROM s WITH (start = now) EMIT CHANGES"}) {
    auto statements = parse(text);
    ASSERT_TRUE(statements.ok()) << text << ": " << statements.error().to_string();
    const auto& view = std::get<ast::CreateQuery>(statements->front()->body);
    ASSERT_EQ(view.options.size(), 1u) << text;
    EXPECT_EQ(view.options[0].value, "now");
    EXPECT_EQ(view.emit, ast::CreateQuery::Emit::kChanges);
  }
}

TEST(Parser, TakesNonReservedWordsAsNames) {
  for (const char* word : {"time", "key",   "type",     "partition", "at",     "stream",    "streams",
                           "view", "views", "emit",     "watermark", "tumble", "subscribe", "show",
                           "day",  "value", "interval", "timestamp", "if",     "by",        "materialized"}) {
    const std::string w = word;
    EXPECT_EQ(id_of("CREATE STREAM " + w + " (" + w + " TEXT, WATERMARK FOR " + w + " AS " + w + ")"), "ok")
        << word;
    EXPECT_EQ(id_of("SELECT " + w + ", x." + w + " AS " + w + " FROM " + w + " AS x WHERE " + w +
                    " > 1 ORDER BY " + w),
              "ok")
        << word;
  }
}

TEST(Parser, BoundsNesting) {
  const size_t n = ast::kMaxNesting;
  EXPECT_EQ(id_of("SELECT " + repeat("(", n - 1) + "1" + repeat(")", n - 1)), "ok");
  for (const size_t deep : {n + 1, size_t{100'000}}) {
    EXPECT_EQ(id_of("SELECT " + repeat("(", deep) + "1" + repeat(")", deep)), "MR-SQL-0004");
    EXPECT_EQ(id_of("SELECT " + repeat("NOT ", deep) + "true"), "MR-SQL-0004");
    EXPECT_EQ(id_of("SELECT " + repeat("- ", deep) + "1"), "MR-SQL-0004");
    EXPECT_EQ(id_of("SELECT " + repeat("coalesce(", deep)), "MR-SQL-0004");
  }
  EXPECT_EQ(id_of("SELECT " + repeat("CASE WHEN ", 50'000)), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT " + repeat("CAST(", 50'000)), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT 1 IN " + repeat("(1 IN ", 50'000)), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT a BETWEEN " + repeat("a BETWEEN ", 50'000)), "MR-SQL-0001");  // does not chain
}

TEST(Parser, BoundsQueries) {
  const auto nested = [](size_t n) {
    return repeat("SELECT * FROM (", n) + "SELECT 1 AS x" + repeat(") t", n);
  };
  EXPECT_EQ(id_of(nested(ast::kMaxQueryNesting - 1)), "ok");
  EXPECT_EQ(id_of(nested(ast::kMaxQueryNesting)), "MR-SQL-0004");
  EXPECT_EQ(id_of(nested(50'000)), "MR-SQL-0004");
  EXPECT_EQ(id_of(repeat("(", 50'000) + "SELECT 1"), "MR-SQL-0004");
  EXPECT_EQ(id_of(repeat("WITH a AS (", 50'000) + "SELECT 1"), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT 1" + repeat(" UNION ALL SELECT 1", ast::kMaxSetOperations)), "ok");
  EXPECT_EQ(id_of("SELECT 1" + repeat(" UNION ALL SELECT 1", ast::kMaxSetOperations + 1)), "MR-SQL-0004");
  EXPECT_EQ(id_of("VALUES (1)" + repeat(", (1)", ast::kMaxList)), "MR-SQL-0004");
  EXPECT_EQ(id_of("WITH a AS (SELECT 1)" + repeat(", a AS (SELECT 1)", ast::kMaxCtes) + " SELECT 1"),
            "MR-SQL-0004");
}

TEST(Parser, BoundsChainsAndLists) {
  EXPECT_EQ(id_of("SELECT 1" + repeat("+1", 500)), "ok");
  EXPECT_EQ(id_of("SELECT 1" + repeat("+1", 100'000)), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT '1'" + repeat("::text", 100'000)), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT true" + repeat(" AND true", ast::kMaxList - 1)), "ok");
  EXPECT_EQ(id_of("SELECT true" + repeat(" AND true", ast::kMaxList)), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT 1 IN (1" + repeat(",1", ast::kMaxList - 1) + ")"), "ok");
  EXPECT_EQ(id_of("SELECT 1 IN (1" + repeat(",1", ast::kMaxList) + ")"), "MR-SQL-0004");
  EXPECT_EQ(id_of("SELECT 1" + repeat(",1", 100'000)), "MR-SQL-0004");
  EXPECT_EQ(id_of(repeat("SELECT 1;", ast::kMaxStatements + 1)), "MR-SQL-0004");
  EXPECT_EQ(id_of(repeat("SELECT a" + repeat(" OR a", 9'000) + ";", 23)),
            "MR-SQL-0004");  // 200,000 nodes in all
  EXPECT_EQ(id_of("SELECT 1" + repeat(" IS NULL", 50'000)), "MR-SQL-0004");
}

TEST(Parser, EveryErrorHasAPlace) {
  for (const char* text :
       {"SELECT", "CREATE", "CREATE STREAM", "CREATE STREAM s", "CREATE STREAM s (", "CREATE STREAM s (a",
        "CREATE MATERIALIZED", "CREATE MATERIALIZED VIEW v AS", "DROP", "SHOW", "EXPLAIN", "SUBSCRIBE TO",
        "SELECT a FROM TUMBLE(", "SELECT 1 +", "SELECT CASE", "SELECT a FROM b ORDER", "SELECT CAST(1 AS"}) {
    auto statements = parse(text);
    ASSERT_FALSE(statements.ok()) << text;
    EXPECT_EQ(statements.error().id, "MR-SQL-0001") << text;
    ASSERT_TRUE(statements.error().span.has_value()) << text;
    EXPECT_EQ(statements.error().span->offset, std::string_view(text).size()) << text;
    EXPECT_FALSE(statements.error().hint.empty()) << text;
  }
}

}  // namespace
}  // namespace millrace::sql
