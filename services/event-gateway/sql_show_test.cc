#include "event-gateway/sql_show.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/aggregates.h"

namespace millrace::gateway {
namespace {

TEST(ShowFunctions, NamesEveryFunctionWithItsFormAndAnExample) {
  const StatementResult shown = show_functions();
  std::vector<std::string> columns;
  for (const auto& column : shown.columns) columns.push_back(column.name);
  EXPECT_EQ(columns, (std::vector<std::string>{"name", "form", "kind", "meaning", "example", "value"}));
  std::set<std::string_view> names;
  for (size_t row = 0; row < shown.rows.rows; ++row) {
    for (const Column& column : shown.rows.columns) {
      ASSERT_FALSE(column.is_null(row));
      if (&column != &shown.rows.columns[5]) ASSERT_FALSE(column.texts[row].empty()) << row;
    }
    names.insert(shown.rows.columns[0].texts[row]);
  }
  for (const auto& family : engine::function_table()) {
    for (const auto& function : family.functions) EXPECT_TRUE(names.contains(function.name)) << function.name;
  }
  for (const auto& aggregate : engine::aggregate_table())
    EXPECT_TRUE(names.contains(aggregate.name)) << aggregate.name;
}

TEST(ShowFunctions, EachWayToCallOneIsARow) {
  const Batch rows = show_functions().rows;
  std::vector<std::string_view> forms;
  for (size_t row = 0; row < rows.rows; ++row) {
    if (rows.columns[0].texts[row] == "abs") forms.push_back(rows.columns[1].texts[row]);
  }
  EXPECT_GT(forms.size(), 1u);
  EXPECT_NE(std::find(forms.begin(), forms.end(), "abs(numeric) → numeric"), forms.end());
}

}  // namespace
}  // namespace millrace::gateway
