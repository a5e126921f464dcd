#include "engine/select_tree.h"

#include <gtest/gtest.h>

namespace millrace::engine {
namespace {

ExprPtr literal(int64_t value) {
  auto expr = std::make_shared<Expr>();
  expr->type = Type::kBigint;
  expr->literal = value;
  return expr;
}

ExprPtr column(int index) {
  auto expr = std::make_shared<Expr>();
  expr->op = Op::kColumn;
  expr->type = Type::kBigint;
  expr->column = index;
  return expr;
}

SelectPtr values(const std::vector<int64_t>& rows) {
  auto plan = std::make_shared<SelectPlan>();
  for (const int64_t row : rows) plan->values.push_back({literal(row)});
  plan->outputs = {{"x", column(0)}};
  return plan;
}

SelectPtr set_of(SetOperation operation, bool all, SelectPtr left, SelectPtr right) {
  auto plan = std::make_shared<SelectPlan>();
  plan->set = std::make_shared<const SetPlan>(SetPlan{operation, all, std::move(left), std::move(right)});
  plan->outputs = {{"x", column(0)}};
  return plan;
}

std::vector<int64_t> run(const SelectPlan& plan) {
  const auto rows = run_select_tree(plan, {});
  EXPECT_TRUE(rows.ok()) << rows.error().to_string();
  return rows.ok() ? rows->columns[0].integers : std::vector<int64_t>{};
}

using Rows = std::vector<int64_t>;

TEST(SelectTree, CountsRowsAsTheirSetOperationDoes) {
  const auto left = values({1, 2, 2, 3, 2});
  const auto right = values({2, 4, 2, 1});
  using enum SetOperation;
  EXPECT_EQ(run(*set_of(kUnion, true, left, right)), (Rows{1, 2, 2, 3, 2, 2, 4, 2, 1}));
  EXPECT_EQ(run(*set_of(kUnion, false, left, right)), (Rows{1, 2, 3, 4}));
  EXPECT_EQ(run(*set_of(kIntersect, true, left, right)), (Rows{1, 2, 2}));
  EXPECT_EQ(run(*set_of(kIntersect, false, left, right)), (Rows{1, 2}));
  EXPECT_EQ(run(*set_of(kExcept, true, left, right)), (Rows{3, 2}));
  EXPECT_EQ(run(*set_of(kExcept, false, left, right)), (Rows{3}));
}

TEST(SelectTree, ReadsEachStreamOnce) {
  auto read = std::make_shared<SelectPlan>();
  read->stream = std::make_shared<StreamDef>();
  read->outputs = {{"x", column(0)}};
  const auto twice = set_of(SetOperation::kUnion, true, read, read);
  EXPECT_EQ(reads_of(*twice), (std::vector<const SelectPlan*>{read.get()}));
  Batch rows;
  rows.set_schema({{"x", Type::kBigint}});
  rows.columns[0].integers = {7, 8};
  rows.rows = 2;
  const auto out = run_select_tree(*twice, {{read.get(), rows}});
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->columns[0].integers, (Rows{7, 8, 7, 8}));
}

TEST(SelectTree, RowsBetweenSelectsAreBounded) {
  SelectPtr plan = values({1});
  for (int i = 0; i < 60; ++i) plan = set_of(SetOperation::kUnion, true, plan, plan);
  const auto rows = run_select_tree(*plan, {}, {.max_bytes = 1 << 20});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().id, "MR-QRY-0006");
}

}  // namespace
}  // namespace millrace::engine
