// docs/sql/reference.md is run: every ```sql block, in the order of the page and on one node, and every row of
// the table of expressions. docs/sql/unsupported.md is run, too: every statement of its tables is refused as it says.
#include <gtest/gtest.h>

#include "node/query_tests/runner.h"
#include "node/query_tests/values.h"
#include "tests/sql/page.h"

namespace millrace::query_tests {
namespace {

void add_expression(int line, const std::string& expression, const std::string& value, Case& out) {
  if (value.starts_with("MR-")) return add_refused(line, "SELECT " + expression + " AS v;", value, out);
  Step query;
  query.what = Step::What::kQuery;
  query.line = line;
  query.text = "SELECT CAST((" + expression + ") AS TEXT) AS v;";
  query.tuples = {{value == "NULL" ? shown(Scalar()) : shown(Scalar(value))}};
  out.steps.push_back(std::move(query));
}

Case expression_table() {
  Case out;
  out.title = "the table of expressions";
  int number = 0;
  bool inside = false;
  for (const std::string& line : lines_of(MILLRACE_REFERENCE)) {
    ++number;
    if (line.starts_with("## ")) inside = line == "## Expressions";
    if (!inside || !line.starts_with("| `")) continue;
    const auto row = cells(line);
    EXPECT_EQ(row.size(), 2u) << line;
    if (row.size() == 2) add_expression(number, row[0], row[1], out);
  }
  return out;
}

Case refused_statements() {
  Case out = example_blocks(MILLRACE_UNSUPPORTED);
  int number = 0;
  for (const std::string& line : lines_of(MILLRACE_UNSUPPORTED)) {
    ++number;
    if (!line.starts_with("| ") || line.starts_with("| ---") || line.starts_with("| what ")) continue;
    const auto row = cells(line);
    EXPECT_EQ(row.size(), 5u) << line;
    if (row.size() == 5) add_refused(number, row[3], row[4], out);
  }
  return out;
}

TEST(Reference, ItsExamplesRun) {
  Case examples = example_blocks(MILLRACE_REFERENCE);
  EXPECT_NE(examples.title, "") << "a block ends in the middle of a statement";
  EXPECT_GE(examples.steps.size(), 10u);
  EXPECT_EQ(run_case(MILLRACE_REFERENCE, examples, kSchedules[0], false), "");
}

TEST(Reference, ItsExpressionsHaveTheseValues) {
  Case expressions = expression_table();
  EXPECT_GE(expressions.steps.size(), 20u);
  EXPECT_EQ(run_case(MILLRACE_REFERENCE, expressions, kSchedules[0], false), "");
}

TEST(UnsupportedPage, ItsStatementsAreRefused) {
  Case statements = refused_statements();
  EXPECT_GE(statements.steps.size(), 60u);
  EXPECT_EQ(run_case(MILLRACE_UNSUPPORTED, statements, kSchedules[0], false), "");
}

}  // namespace
}  // namespace millrace::query_tests
