#include "stream-processor/view_changes.h"

#include <gtest/gtest.h>

namespace millrace::processor {
namespace {

using engine::Expr;
using engine::ExprPtr;
using engine::Op;

ExprPtr expr(Op op, Type type, int column, std::vector<ExprPtr> args = {}) {
  auto out = std::make_shared<Expr>();
  out->op = op;
  out->type = type;
  out->column = column;
  out->args = std::move(args);
  return out;
}
ExprPtr number(int64_t value) {
  auto out = std::make_shared<Expr>();
  out->op = Op::kLiteral;
  out->type = Type::kBigint;
  out->literal = value;
  return out;
}
ExprPtr column(int place) {
  return expr(Op::kColumn, Type::kBigint, place);
}

// SELECT k, 12 / n AS share … GROUP BY k HAVING n > 1, with n the aggregate.
engine::QueryPlan plan(const ExprPtr& having) {
  engine::QueryPlan out;
  out.shape = engine::QueryPlan::Shape::kAggregate;
  out.group_keys = {{"k", column(0)}};
  out.aggregates = {{engine::AggregateKind::kCountStar, nullptr, Type::kBigint}};
  out.having = having;
  out.outputs = {{"k", column(0)}, {"share", expr(Op::kDivide, Type::kBigint, -1, {number(12), column(1)})}};
  return out;
}
ExprPtr above_one(ExprPtr value) {
  return expr(Op::kGreater, Type::kBoolean, -1, {std::move(value), number(1)});
}

Batch groups(const std::vector<std::pair<int64_t, int64_t>>& key_and_count) {
  Batch batch;
  batch.set_schema({{"k", Type::kBigint}, {"n", Type::kBigint}});
  for (const auto& [k, n] : key_and_count) {
    batch.columns[0].append(Scalar(k));
    batch.columns[1].append(Scalar(n));
    ++batch.rows;
  }
  return batch;
}

std::string changes(const engine::QueryPlan& of, const Batch& batch) {
  JsonRows out;
  append_changes(of, batch, out);
  EXPECT_EQ(out.ends.empty() ? 0 : out.ends.back(), out.text.size());
  return out.text;
}

TEST(ViewChanges, WithoutHavingEveryChangeIsAnUpsert) {
  EXPECT_EQ(changes(plan(nullptr), groups({{7, 3}, {8, 4}})),
            R"({"_op":"upsert","k":7,"share":4}{"_op":"upsert","k":8,"share":3})");
}

TEST(ViewChanges, AGroupThatDoesNotPassHavingIsDeletedByItsKey) {
  // The output of the hidden group would fail, and is not computed.
  EXPECT_EQ(changes(plan(above_one(column(1))), groups({{7, 0}, {8, 4}})),
            R"({"_op":"upsert","k":8,"share":3}{"_op":"delete","k":7})");
}

TEST(ViewChanges, AGroupWhoseHavingFailsIsLeftOut) {
  const ExprPtr having = above_one(expr(Op::kDivide, Type::kBigint, -1, {number(12), column(1)}));
  EXPECT_EQ(changes(plan(having), groups({{7, 0}, {8, 4}, {9, 12}})),
            R"({"_op":"upsert","k":8,"share":3}{"_op":"delete","k":9})");
}

TEST(ViewChanges, ClosedWindowsShowOnlyWhatPasses) {
  JsonRows out;
  append_groups(plan(above_one(column(1))), groups({{7, 1}, {8, 4}}), "", out);
  EXPECT_EQ(out.text, R"({"k":8,"share":3})");
}

}  // namespace
}  // namespace millrace::processor
