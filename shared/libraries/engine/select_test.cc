#include "engine/select.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/kit/kit.h"
#include "engine/select_order.h"

namespace millrace::engine {
namespace {

using kit::call;
using kit::column;
using kit::literal;

// n: 3, NULL, 1, 2, 1; name: c, x, a, b, aa
Batch rows() {
  Batch batch;
  batch.set_schema({{"n", Type::kBigint}, {"name", Type::kText}});
  batch.columns[0].append(Scalar(int64_t{3}));
  batch.columns[0].append_null();
  for (const int64_t n : {1, 2, 1}) batch.columns[0].append(Scalar(n));
  for (const char* name : {"c", "x", "a", "b", "aa"}) batch.columns[1].texts.push_back(name);
  batch.rows = 5;
  return batch;
}
SelectPlan names() {
  SelectPlan plan;
  plan.outputs = {{"name", column(1, Type::kText)}};
  return plan;
}
std::string run(const SelectPlan& plan) {
  auto result = run_select(plan, rows());
  if (!result.ok()) return result.error().id;
  std::string out;
  for (const auto& text : result->columns[0].texts) out.append(text).append(" ");
  return out;
}

TEST(Select, FilterOrderLimit) {
  SelectPlan plan = names();
  EXPECT_EQ(run(plan), "c x a b aa ");
  plan.order_by = {{column(0, Type::kBigint)}};
  EXPECT_EQ(run(plan), "a aa b c x ");
  plan.order_by = {{column(0, Type::kBigint), true, true}};
  EXPECT_EQ(run(plan), "x c b a aa ");
  plan.order_by = {{column(0, Type::kBigint), true, false}, {column(1, Type::kText), true}};
  EXPECT_EQ(run(plan), "c b aa a x ");
  plan.limit = 2;
  plan.offset = 1;
  EXPECT_EQ(run(plan), "b aa ");
  plan.limit = 0;
  EXPECT_EQ(run(plan), "");
  plan.limit.reset();
  plan.offset = 99;
  EXPECT_EQ(run(plan), "");
  plan = names();
  plan.filter = call(Op::kLess, Type::kBoolean, {column(0, Type::kBigint), literal(Scalar(int64_t{3}))});
  EXPECT_EQ(run(plan), "a b aa ");
}

TEST(Select, GroupsHaveABound) {
  auto grouping = std::make_shared<QueryPlan>();
  grouping->shape = QueryPlan::Shape::kAggregate;
  grouping->group_keys = {{"name", column(0, Type::kText)}};
  SelectPlan plan;
  plan.grouping = grouping;
  plan.outputs = {{"name", column(0, Type::kText)}};
  Batch many;
  many.set_schema({{"name", Type::kText}});
  for (int i = 0; i < 50'000; ++i)
    many.columns[0].texts.push_back(many.arena->keep("a group's name " + std::to_string(i)));
  many.rows = many.columns[0].texts.size();
  const auto all = run_select(plan, many);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->rows, many.rows);
  const auto refused = run_select(plan, many, {.max_bytes = 1u << 20});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, "MR-QRY-0006");
  EXPECT_EQ(refused.error().message, "the groups of the SELECT take more than 1 MB");
}

// However many rows are worked on at a time.
TEST(Select, PiecesGiveOneAnswer) {
  std::vector<SelectPlan> plans(6, names());
  plans[1].order_by = {{column(0, Type::kBigint)}};
  plans[2].order_by = {{column(0, Type::kBigint), true, true}};
  plans[2].offset = 1;
  plans[2].limit = 3;
  plans[3].offset = 2;
  plans[3].limit = 2;
  plans[4].outputs = {{"n", column(0, Type::kBigint)}};
  plans[4].distinct = true;
  auto grouping = std::make_shared<QueryPlan>();
  grouping->shape = QueryPlan::Shape::kAggregate;
  grouping->group_keys = {{"n", column(0, Type::kBigint)}};
  plans[5].grouping = grouping;
  plans[5].outputs = {{"n", column(0, Type::kBigint)}};
  plans[5].filter = call(Op::kLess, Type::kBoolean, {column(0, Type::kBigint), literal(Scalar(int64_t{3}))});
  for (const SelectPlan& plan : plans) {
    const auto whole = run_select(plan, rows());
    ASSERT_TRUE(whole.ok());
    for (const size_t piece_rows : {1, 2, 3, 4}) {
      const auto pieces = run_select(plan, rows(), {.piece_rows = piece_rows});
      ASSERT_TRUE(pieces.ok());
      EXPECT_EQ(kit::printed(*pieces), kit::printed(*whole)) << piece_rows;
    }
  }
}

TEST(Select, StopsWhereNobodyWaitsForIt) {
  Stop stop;
  EXPECT_TRUE(run_select(names(), rows(), {.stop = &stop}).ok());
  stop.request();
  const auto stopped = run_select(names(), rows(), {.stop = &stop});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().id, "MR-QRY-0011");
  SelectPlan grouped = names();
  auto grouping = std::make_shared<QueryPlan>();
  grouping->shape = QueryPlan::Shape::kAggregate;
  grouping->group_keys = {{"name", column(1, Type::kText)}};
  grouped.grouping = grouping;
  EXPECT_EQ(run_select(grouped, rows(), {.stop = &stop}).error().id, "MR-QRY-0011");
}

// More rows than are sorted at once: as a stable sort of all of them.
TEST(Select, OrdersRunsOfRows) {
  std::vector<Column> keys(1);
  Selection all;
  for (uint32_t row = 0; row < 200'000; ++row) {
    keys[0].append(Scalar(int64_t{row * 7919 % 5003}));
    all.push_back(row);
  }
  const std::vector<SortKey> order = {{column(0, Type::kBigint)}};
  Selection expected = all;
  std::stable_sort(expected.begin(), expected.end(),
                   [&](uint32_t a, uint32_t b) { return keys[0].integers[a] < keys[0].integers[b]; });
  for (const size_t needed :
       {size_t{0}, size_t{1}, size_t{1000}, size_t{150'000}, size_t{200'000}, SIZE_MAX}) {
    Selection rows = all;
    ASSERT_TRUE(order_rows(order, keys, needed, rows, nullptr));
    EXPECT_EQ(rows, Selection(expected.begin(),
                              expected.begin() + static_cast<long>(std::min(needed, all.size()))));
  }
  Stop stop;
  stop.request();
  EXPECT_FALSE(order_rows(order, keys, SIZE_MAX, all, &stop));
}

TEST(Select, OrdersByAnOutput) {
  SelectPlan plan;
  plan.outputs = {
      {"shout", call(Op::kConcat, Type::kText, {column(1, Type::kText), literal(Scalar(std::string("!")))})}};
  plan.order_by = {{column(2, Type::kText), true}};
  EXPECT_EQ(run(plan), "x! c! b! aa! a! ");
}

TEST(Select, AFailureIsTheStatements) {
  SelectPlan plan = names();
  auto divide = std::make_shared<Expr>(
      *call(Op::kDivide, Type::kBigint,
            {literal(Scalar(int64_t{1})),
             call(Op::kSubtract, Type::kBigint, {column(0, Type::kBigint), literal(Scalar(int64_t{3}))})}));
  divide->span = {2, 5, 20, 7};
  plan.filter = call(Op::kEqual, Type::kBoolean, {divide, literal(Scalar(int64_t{1}))});
  auto result = run_select(plan, rows());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().id, "MR-SQL-0101");
  EXPECT_EQ(result.error().span->line, 2u);
}

TEST(Select, WithoutRowsOrColumns) {
  SelectPlan plan;
  plan.outputs = {
      {"two", call(Op::kAdd, Type::kBigint, {literal(Scalar(int64_t{1})), literal(Scalar(int64_t{1}))})}};
  Batch one;
  one.rows = 1;
  EXPECT_EQ(run_select(plan, one)->columns[0].integers, std::vector<int64_t>{2});
  EXPECT_EQ(run_select(plan, Batch{})->rows, 0u);
}

TEST(Project, FailingRowsGoToTheErrors) {
  const Batch in = rows();
  Batch out;
  Selection all = kit::all_rows(in);
  std::vector<RowError> errors;
  QueryPlan plan;
  plan.outputs = {
      {"q",
       call(Op::kDivide, Type::kBigint,
            {literal(Scalar(int64_t{6})),
             call(Op::kSubtract, Type::kBigint, {column(0, Type::kBigint), literal(Scalar(int64_t{2}))})})},
      {"name", column(1, Type::kText)}};
  ASSERT_TRUE(project(plan, in, all, out, errors).ok());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].row, 3u);
  EXPECT_EQ(
      kit::printed(out),
      "{\"0\":6,\"1\":\"c\"}\n{\"0\":null,\"1\":\"x\"}\n{\"0\":-6,\"1\":\"a\"}\n{\"0\":-6,\"1\":\"aa\"}\n");
}

}  // namespace
}  // namespace millrace::engine
