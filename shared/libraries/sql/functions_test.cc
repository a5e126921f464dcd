// The function table: its examples have their values, and docs/sql/functions.md is what it says.
// MILLRACE_REWRITE=1 writes the page.
#include "engine/functions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/buffer.h"
#include "engine/aggregates.h"
#include "engine/select.h"
#include "formats/json.h"
#include "sql/bind_expression.h"
#include "sql/parser.h"
#include "sql/sql.h"
#include "sql/test_catalog.h"

namespace millrace::sql {
namespace {

using engine::Example;
using engine::Function;
using engine::FunctionFamily;

Result<std::string> evaluate(std::string_view sql) {
  TRY_ASSIGN(const auto statements, parse("SELECT CAST((" + std::string(sql) + ") AS TEXT) AS v"));
  const auto& select = std::get<ast::Select>(statements.front()->body);
  Scope scope;
  scope.set_now(Timestamp{1'000'000'000'500'000});
  TRY_ASSIGN(const auto expr, ExpressionBinder(scope, "SELECT").bind_typed(*select.query.items.front().expr));
  TRY_ASSIGN(const auto value, engine::evaluate_constant(*expr));
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "NULL" : *text;
}

std::string value_of(std::string_view sql) {
  const auto value = evaluate(sql);
  return value.ok() ? *value : std::string(value.error().id);
}

const TestCatalog& samples() {
  static const TestCatalog catalog(
      "CREATE STREAM samples (n BIGINT, x DOUBLE PRECISION, word TEXT, ok BOOLEAN, at TIMESTAMPTZ, "
      "WATERMARK FOR at AS at);");
  return catalog;
}

std::string aggregate_of(std::string_view sql) {
  const auto select =
      samples().get<Select>("SELECT CAST(" + std::string(sql) + " AS TEXT) AS v FROM samples");
  if (!select.plan.stream) return "not bound";
  std::string body(engine::kSampleRows);
  const size_t size = body.size();
  body.resize(size + Buffer::kPadding);
  const auto events = formats::split_ndjson(std::string_view(body).substr(0, size));
  Batch rows;
  rows.set_schema(select.plan.stream->columns);
  std::vector<RowError> errors;
  formats::JsonDecoder(select.plan.stream->columns, {0, 1, 2, 3, 4}).decode(*events, rows, errors);
  EXPECT_TRUE(errors.empty());
  const auto answer = engine::run_select(select.plan, rows);
  if (!answer.ok()) return std::string(answer.error().id);
  const Column& value = answer->columns[0];
  return value.is_null(0) ? "NULL" : std::string(value.texts[0]);
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

void append_row(std::ostream& out, std::string_view forms, std::string_view meaning,
                const std::vector<Example>& all) {
  std::string examples, values;
  for (const Example& example : all) {
    examples += (examples.empty() ? "`" : "<br>`") + cell(example.sql) + "`";
    values += (values.empty() ? "`" : "<br>`") + cell(example.value) + "`";
  }
  out << "| " << forms << " | " << cell(meaning) << " | " << examples << " | " << values << " |\n";
}

void append_aggregates(std::ostream& out) {
  out << "\n## Aggregates\n\n"
         "What stands in [the reference](reference.md#aggregates) holds for all. The examples are over these "
         "rows of a stream whose watermark is of\n"
         "`at`:\n\n```json\n"
      << engine::kSampleRows
      << "\n```\n\n| aggregate | answer | example | value |\n| --- | --- | --- | --- |\n";
  for (const auto& aggregate : engine::aggregate_table())
    append_row(out, "`" + std::string(aggregate.form) + "`", aggregate.meaning, aggregate.examples);
}

std::string page() {
  std::ostringstream out;
  out << "# Functions\n\n"
         "Made from the function table (`shared/libraries/engine/functions.h`): do not edit it by hand. NULL "
         "in, NULL out, unless\n"
         "a line says otherwise. A bigint stands where a double precision is wanted. Answers are PostgreSQL "
         "15's, but for what\n"
         "[the reference](reference.md#other-than-postgresql) lists; a value that has none is an error of "
         "its row.\n";
  for (const FunctionFamily& family : engine::function_table()) {
    out << "\n## " << family.title
        << "\n\n| function | answer | example | value |\n| --- | --- | --- | --- |\n";
    for (const Function& function : family.functions)
      append_row(out, forms(function), function.meaning, function.examples);
  }
  append_aggregates(out);
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

TEST(Functions, ExamplesOfAggregatesHaveTheirValues) {
  for (const auto& aggregate : engine::aggregate_table()) {
    EXPECT_FALSE(aggregate.examples.empty()) << aggregate.name;
    EXPECT_EQ(engine::find_function(aggregate.name), nullptr) << aggregate.name;
    for (const Example& example : aggregate.examples)
      EXPECT_EQ(aggregate_of(example.sql), example.value) << example.sql;
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

// They become JSON, as dead letters.
TEST(Functions, MessagesQuoteWholeCharacters) {
  const std::string long_word = std::string(39, 'x') + "é";
  for (const auto& [sql, quoted] : std::vector<std::pair<std::string, std::string>>{
           {"format('%é')", "\"é\""},
           {"encode('a'::bytea, '" + long_word + "')", '"' + std::string(39, 'x') + '"'},
           {"date_trunc('" + long_word + "', DATE '2026-01-01')", '"' + std::string(39, 'x') + '"'},
           {"json_value('{}', '" + long_word + "')", '"' + std::string(39, 'x') + '"'},
           {"jsonb_set('[1]', ARRAY['" + long_word + "'], '1')", '"' + std::string(39, 'x') + '"'}}) {
    const auto value = evaluate(sql);
    ASSERT_FALSE(value.ok()) << sql;
    EXPECT_NE(value.error().message.find(quoted), std::string::npos) << value.error().message;
  }
}

TEST(Functions, TheEndOfASubstringIsBeforeItsBeginning) {
  for (const char* const value : {"'abc'", "'abc'::bytea"}) {
    const std::string call = "substring(" + std::string(value) + ", -9223372036854775807 - 1, ";
    EXPECT_EQ(value_of("length(" + call + "0))"), "0");
    EXPECT_EQ(value_of("length(" + call + "9223372036854775807))"), "0");
  }
}

}  // namespace
}  // namespace millrace::sql
