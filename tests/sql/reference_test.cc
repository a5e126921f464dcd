// docs/sql/reference.md is run: every ```sql block, in the order of the page and on one node, and every row of
// the table of expressions.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "node/query_tests/runner.h"
#include "node/query_tests/values.h"

namespace millrace::query_tests {
namespace {

std::vector<std::string> page() {
  std::vector<std::string> lines;
  std::ifstream in(MILLRACE_REFERENCE);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Step statement(int line, std::string text) {
  Step step;
  step.what = Step::What::kStatement;
  step.line = line;
  step.text = std::move(text);
  return step;
}

// Statements end with a ';' at the end of a line, or before a comment.
bool ends_statement(const std::string& line) {
  const std::string code = line.substr(0, line.find("--"));
  const size_t last = code.find_last_not_of(' ');
  return last != std::string::npos && code[last] == ';';
}

Case example_blocks() {
  Case out;
  out.title = "the examples";
  bool inside = false;
  std::string text;
  int number = 0;
  for (const std::string& line : page()) {
    ++number;
    if (line == "```sql" || line == "```") {
      inside = line == "```sql";
    } else if (inside) {
      text += line + "\n";
      if (!ends_statement(line)) continue;
      out.steps.push_back(statement(number, std::exchange(text, {})));
    }
  }
  EXPECT_EQ(text, "") << "a block ends in the middle of a statement";
  return out;
}

// "| `a` | b |" without its bars and backticks; a bar inside a cell is written \|.
std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> out(1);
  for (size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '\\' && i + 1 < row.size() && row[i + 1] == '|')
      out.back() += row[++i];
    else if (row[i] == '|')
      out.emplace_back();
    else if (row[i] != '`')
      out.back() += row[i];
  }
  out.pop_back();
  for (std::string& cell : out) {
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
  }
  return out;
}

void add_expression(int line, const std::string& expression, const std::string& value, Case& out) {
  if (value.starts_with("MR-")) {
    out.steps.push_back(statement(line, "SELECT " + expression + " AS v;"));
    Step error;
    error.what = Step::What::kError;
    error.line = line;
    error.text = value;
    out.steps.push_back(std::move(error));
    return;
  }
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
  for (const std::string& line : page()) {
    ++number;
    if (line.starts_with("## ")) inside = line == "## Expressions";
    if (!inside || !line.starts_with("| `")) continue;
    const auto row = cells(line);
    EXPECT_EQ(row.size(), 2u) << line;
    if (row.size() == 2) add_expression(number, row[0], row[1], out);
  }
  return out;
}

TEST(Reference, ItsExamplesRun) {
  Case examples = example_blocks();
  EXPECT_GE(examples.steps.size(), 10u);
  EXPECT_EQ(run_case(MILLRACE_REFERENCE, examples, kSchedules[0], false), "");
}

TEST(Reference, ItsExpressionsHaveTheseValues) {
  Case expressions = expression_table();
  EXPECT_GE(expressions.steps.size(), 20u);
  EXPECT_EQ(run_case(MILLRACE_REFERENCE, expressions, kSchedules[0], false), "");
}

}  // namespace
}  // namespace millrace::query_tests
