// Texts that are large, deep or endless: a clear error, or a plan, in bounded time and memory.
#include <gtest/gtest.h>

#include "sql/ast.h"
#include "sql/lexer.h"
#include "sql/test_catalog.h"

namespace millrace::sql {
namespace {

std::string repeat(std::string_view what, size_t times) {
  std::string out;
  out.reserve(what.size() * times);
  for (size_t i = 0; i < times; ++i) out += what;
  return out;
}

class BadInput : public ::testing::Test {
 protected:
  // Also of a view, whose text is kept.
  std::string id_of(const std::string& expression) const {
    const std::string select = catalog_.id_of("SELECT " + expression + " AS x FROM orders");
    EXPECT_EQ(catalog_.id_of("CREATE MATERIALIZED VIEW v AS SELECT " + expression + " AS x FROM orders"),
              select);
    return select;
  }
  // The whole of it: where, what, and what to do.
  std::string said(const std::string& text) const {
    const auto bound = catalog_.bind_one(text);
    if (bound.ok()) return "ok";
    const Error& e = bound.error();
    return e.id + " at " + std::to_string(e.span->column) + ": " + e.message + "; " + e.hint;
  }
  TestCatalog catalog_{kTestStreams};
};

TEST_F(BadInput, TenThousandParentheses) {
  constexpr size_t kDeep = 10'000;
  const std::string open = repeat("(", kDeep);
  const std::string close = repeat(")", kDeep);
  EXPECT_EQ(id_of(open + "1" + close), "MR-SQL-0004");
  EXPECT_EQ(id_of(open), "MR-SQL-0004");
  EXPECT_EQ(id_of("abs" + repeat("(abs", kDeep)), "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("SELECT id FROM orders WHERE " + open + "true" + close), "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("SELECT count(*) AS n FROM orders GROUP BY " + open + "id" + close),
            "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("SELECT count(*) AS n FROM orders HAVING " + open + "true" + close),
            "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("SELECT id FROM orders ORDER BY " + open + "id" + close), "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("SELECT id FROM orders LIMIT " + open + "1" + close), "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("CREATE STREAM s (a TEXT) WITH " + open), "MR-SQL-0001");
  EXPECT_EQ(catalog_.id_of("CREATE STREAM s (a NUMERIC" + open), "MR-SQL-0022");
  EXPECT_EQ(catalog_.id_of("EXPLAIN " + repeat("EXPLAIN ", kDeep) + "SELECT 1 AS x"), "MR-SQL-0001");
}

TEST_F(BadInput, AStatementOfAMegabyte) {
  constexpr size_t kMegabyte = size_t{1} << 20;
  EXPECT_EQ(id_of("'" + repeat("x", kMegabyte) + "'"), "MR-SQL-0003");
  EXPECT_EQ(catalog_.id_of("SELECT '" + repeat("x", kMegabyte - 20) + "' AS x"), "ok");
  EXPECT_EQ(catalog_.id_of("SELECT 1 AS x" + repeat(" ", kMegabyte - 20)), "ok");
  EXPECT_EQ(catalog_.id_of("SELECT 1 AS " + repeat("x", kMegabyte - 20)), "MR-SQL-0002");
  EXPECT_EQ(catalog_.id_of("SELECT " + repeat("1", kMegabyte - 20) + " AS x"), "MR-SQL-0022");
  EXPECT_EQ(catalog_.id_of("SELECT " + repeat("/*", kMegabyte / 2 - 20)), "MR-SQL-0002");
  EXPECT_EQ(catalog_.id_of("SELECT 1" + repeat("+1", kMegabyte / 2 - 20)), "MR-SQL-0004");
  EXPECT_EQ(catalog_.id_of("SELECT '" + repeat("''", kMegabyte / 2 - 20)), "MR-SQL-0002");
  EXPECT_EQ(catalog_.id_of("CREATE STREAM s (" + repeat("a TEXT, ", kMegabyte / 8 - 20)), "MR-SQL-0004");
}

TEST_F(BadInput, HugeLists) {
  std::string numbers = "1";
  std::string texts = "'a'";
  for (size_t i = 1; i < ast::kMaxList; ++i) {
    numbers += "," + std::to_string(i);
    texts += ",'a" + std::to_string(i) + "'";
  }
  EXPECT_EQ(id_of("id IN (" + numbers + ")"), "ok");
  EXPECT_EQ(id_of("customer IN (" + texts + ")"), "ok");
  EXPECT_EQ(id_of("customer NOT IN (" + texts + ")"), "ok");
  EXPECT_EQ(id_of("id IN (" + numbers + ",1)"), "MR-SQL-0004");
  EXPECT_EQ(id_of("customer IN (" + texts + ",'x')"), "MR-SQL-0004");
  EXPECT_EQ(id_of("id IN (" + repeat("id,", ast::kMaxList - 1) + "id)"), "ok");
}

// Each part is measured once: 2,000 queries over 40 columns of 800 parts are no more work than one.
TEST_F(BadInput, ManyQueriesOverALargeOne) {
  std::string text = "WITH c0 AS (SELECT ";
  for (int i = 0; i < 40; ++i)
    text += (i > 0 ? ", id" : "id") + repeat("+id", 400) + " AS x" + std::to_string(i);
  text += " FROM orders)";
  for (int i = 1; i < 2'000; ++i)
    text += ", c" + std::to_string(i) + " AS (SELECT * FROM c" + std::to_string(i - 1) + ")";
  text += " SELECT x0 FROM c1999";
  EXPECT_EQ(catalog_.id_of(text), "ok");
  EXPECT_EQ(catalog_.id_of("CREATE MATERIALIZED VIEW v AS " + text), "ok");
}

TEST_F(BadInput, PatternsThatExplode) {
  for (const char* pattern :
       {"a{1000000}", "a{1001}", "((a{100}){100}){100}", "(a*)*\\1", "(?=a)", "[", "(((("})
    EXPECT_EQ(id_of(std::string("customer ~ '") + pattern + "'"), "MR-SQL-0027") << pattern;
  EXPECT_EQ(id_of("customer ~ '" + repeat("(", 10'000) + "'"), "MR-SQL-0027");
  EXPECT_EQ(id_of("customer ~ '(a*)*b'"), "ok");  // in time that grows with the text: RE2
  EXPECT_EQ(id_of("customer LIKE '" + repeat("%a", 5'000) + "'"), "MR-SQL-0004");
}

TEST_F(BadInput, NumbersAndTimesBeyondTheirRange) {
  EXPECT_EQ(id_of("'9223372036854775808'::bigint"), "MR-SQL-0022");
  EXPECT_EQ(id_of("1e1001"), "MR-SQL-0022");
  EXPECT_EQ(id_of("'1e2000'::numeric"), "MR-SQL-0022");
  EXPECT_EQ(id_of("TIMESTAMPTZ '292277026596-12-04T15:30:07Z'"), "MR-SQL-0022");
  EXPECT_EQ(id_of("TIMESTAMP '10000-01-01'"), "MR-SQL-0022");
  EXPECT_EQ(id_of("DATE '292277026596-12-04'"), "MR-SQL-0022");
  EXPECT_EQ(id_of("INTERVAL '292277026596 years'"), "MR-SQL-0022");
  EXPECT_EQ(id_of("TIMESTAMP '2001-01-01' AT TIME ZONE 'Europe/../../etc/passwd'"), "MR-SQL-0022");
  EXPECT_EQ(id_of("TIMESTAMP '2001-01-01' AT TIME ZONE '" + repeat("A", 100'000) + "'"), "MR-SQL-0022");
}

TEST_F(BadInput, EachSaysWhatIsWrongAndWhatToDo) {
  const std::string numbers = repeat("1,", ast::kMaxList) + "1";
  std::string queries = "c0 AS (SELECT 1 AS x)";
  for (size_t i = 1; i < 1'000; ++i)
    queries += ", c" + std::to_string(i) + " AS (SELECT * FROM c" + std::to_string(i - 1) + ")";
  EXPECT_EQ(said("WITH " + queries + " SELECT * FROM c999"), "ok");
  EXPECT_EQ(said("SELECT " + repeat("(", 10'000) + "1" + repeat(")", 10'000)),
            "MR-SQL-0004 at 208: the expression is nested more than 200 levels deep; take parentheses, CASE, "
            "NOT or signs away");
  EXPECT_EQ(said("SELECT '" + repeat("x", size_t{1} << 20) + "'"),
            "MR-SQL-0003 at 0: the SQL text has 1048585 bytes, more than the bound of 1048576; send the "
            "statements in several requests");
  EXPECT_EQ(said("SELECT id FROM orders WHERE id IN (" + numbers + ")"),
            "MR-SQL-0004 at 20036: there are more than 10000 members of an IN list; split the statement up");
  EXPECT_EQ(said("WITH " + queries + repeat(", x AS (SELECT 1)", ast::kMaxCtes) + " SELECT 1"),
            "MR-SQL-0004 at 46795: there are more than 2000 queries in WITH; split the statement up");
  EXPECT_EQ(said("SELECT customer ~ 'a{1000000}' FROM orders"),
            "MR-SQL-0027 at 19: invalid regular expression at byte 2: invalid repetition size: {1000000}; "
            "the syntax is RE2's: no back references, no look-around");
  EXPECT_EQ(said("SELECT '1e2000'::numeric"),
            "MR-SQL-0022 at 8: \"1e2000\" is out of range for type numeric; use one within its range");
  EXPECT_EQ(said("SELECT '9223372036854775808'::bigint"),
            "MR-SQL-0022 at 8: \"9223372036854775808\" is out of range for type bigint; bigint ends at "
            "9223372036854775807: use numeric");
  EXPECT_EQ(said("SELECT TIMESTAMPTZ '292277026596-12-04T15:30:07Z'"),
            "MR-SQL-0022 at 8: invalid input syntax for type timestamp with time zone: "
            "\"292277026596-12-04T15:30:07Z\"; write it like '2001-01-01T00:00:00Z'");
  EXPECT_EQ(said("SELECT TIMESTAMP '2001-01-01' AT TIME ZONE 'Atlantis'"),
            "MR-SQL-0022 at 44: time zone \"Atlantis\" not recognized; write a name of tzdata like "
            "'Europe/Berlin', or INTERVAL '2 hours'");
  EXPECT_EQ(said("CREATE MATERIALIZED VIEW v AS SELECT * FROM v"),
            "MR-SQL-0010 at 45: stream or view \"v\" does not exist; SHOW STREAMS and SHOW VIEWS list what "
            "there is");
  EXPECT_EQ(said("WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a"),
            "MR-SQL-0005 at 6: WITH RECURSIVE is not supported; a query reads what is there before it: leave "
            "RECURSIVE out");
}

TEST_F(BadInput, NothingReadsItself) {
  EXPECT_EQ(catalog_.id_of("CREATE MATERIALIZED VIEW v AS SELECT * FROM v"), "MR-SQL-0010");
  EXPECT_EQ(catalog_.id_of("CREATE STREAM d AS SELECT * FROM d"), "MR-SQL-0010");
  EXPECT_EQ(catalog_.id_of("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT * FROM v"), "MR-SQL-0010");
}

}  // namespace
}  // namespace millrace::sql
