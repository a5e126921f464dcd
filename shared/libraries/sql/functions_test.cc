// The function table: its examples have their values, and docs/sql/functions.md is what it says.
// MILLRACE_REWRITE=1 writes the page.
#include "engine/functions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "sql/bind_expression.h"
#include "sql/parser.h"
#include "sql/sql.h"

namespace millrace::sql {
namespace {

using engine::Example;
using engine::Function;
using engine::FunctionFamily;

std::string value_of(std::string_view sql) {
  auto statements = parse("SELECT CAST((" + std::string(sql) + ") AS TEXT) AS v");
  if (!statements.ok()) return statements.error().message;
  const auto& select = std::get<ast::Select>(statements->front()->body);
  const Scope nothing;
  auto expr = ExpressionBinder(nothing, "SELECT").bind_typed(*select.query.items.front().expr);
  if (!expr.ok()) return std::string(expr.error().id);
  auto value = engine::evaluate_constant(**expr);
  if (!value.ok()) return std::string(value.error().id);
  const auto* text = std::get_if<std::string>(&*value);
  return text == nullptr ? "NULL" : *text;
}

// A bar would end the table's cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '|' ? "\\|" : std::string(1, c));
  return out;
}

std::string forms(const Function& function) {
  if (!function.form.empty()) return "`" + std::string(function.form) + "`";
  std::string out;
  for (const auto& signature : function.signatures)
    out += (out.empty() ? "`" : "<br>`") + engine::to_string(signature) + "`";
  return out;
}

std::string page() {
  std::ostringstream out;
  out << "# Functions\n\n"
         "Made from the function table (`shared/libraries/engine/functions.h`): do not edit it by hand. NULL "
         "in, NULL out, unless\n"
         "a line says otherwise. A bigint stands where a double precision is wanted. Answers are PostgreSQL "
         "15's, but for what\n"
         "[the reference](reference.md#other-than-postgresql) lists; a value that has none is an error of "
         "its row. Aggregates\n"
         "stand [there](reference.md#views), too.\n";
  for (const FunctionFamily& family : engine::function_table()) {
    out << "\n## " << family.title
        << "\n\n| function | answer | example | value |\n| --- | --- | --- | --- |\n";
    for (const Function& function : family.functions) {
      std::string examples, values;
      for (const Example& example : function.examples) {
        examples += (examples.empty() ? "`" : "<br>`") + cell(example.sql) + "`";
        values += (values.empty() ? "`" : "<br>`") + cell(example.value) + "`";
      }
      out << "| " << forms(function) << " | " << cell(function.meaning) << " | " << examples << " | "
          << values << " |\n";
    }
  }
  return out.str();
}

TEST(Functions, ExamplesHaveTheirValues) {
  for (const FunctionFamily& family : engine::function_table()) {
    for (const Function& function : family.functions) {
      EXPECT_FALSE(function.examples.empty()) << function.name;
      for (const Example& example : function.examples)
        EXPECT_EQ(value_of(example.sql), example.value) << example.sql;
    }
  }
}

TEST(Functions, ThePageIsTheTable) {
  if (std::getenv("MILLRACE_REWRITE") != nullptr) std::ofstream(MILLRACE_FUNCTIONS_PAGE) << page();
  std::ifstream in(MILLRACE_FUNCTIONS_PAGE);
  std::ostringstream stored;
  stored << in.rdbuf();
  EXPECT_EQ(stored.str(), page()) << "MILLRACE_REWRITE=1 sql_functions_test writes it";
}

// Compiling takes long enough that a text must not ask for very many.
TEST(Functions, ATextHasSoManyPatterns) {
  const auto patterns = [](size_t count) {
    std::string sql = "SELECT 'a' ~ 'a' AS c0";
    for (size_t i = 1; i < count; ++i) sql += ", 'a' ~ 'a' AS c" + std::to_string(i);
    return parse(sql);
  };
  EXPECT_TRUE(patterns(300).ok());
  const auto refused = patterns(500);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, "MR-SQL-0004");
}

TEST(Functions, LongConstantsAreNotWrittenOut) {
  EXPECT_EQ(value_of("octet_length(repeat('x', 60000))"), "60000");
  EXPECT_EQ(value_of("repeat('x', 70000)"), "MR-SQL-0108");
}

}  // namespace
}  // namespace millrace::sql
