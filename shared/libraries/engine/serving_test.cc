#include "engine/serving.h"

#include <gtest/gtest.h>

#include "engine/aggregate.h"
#include "engine/kit/kit.h"

namespace millrace::engine {
namespace {

using kit::call;
using kit::column;
using kit::literal;

constexpr int64_t kHour = 3'600'000'000;

// SELECT window_start, n, 12 / n AS share, count(*) over (n bigint, at timestamptz), by the hour.
QueryPlan hourly() {
  auto source = std::make_shared<StreamDef>();
  source->columns = {{"n", Type::kBigint}, {"at", Type::kTimestamptz}};
  auto tumble = std::make_shared<Expr>();
  tumble->op = Op::kTumbleStart;
  tumble->type = Type::kTimestamptz;
  tumble->args = {column(1, Type::kTimestamptz)};
  tumble->window_us = kHour;
  auto share = std::make_shared<Expr>(
      *call(Op::kDivide, Type::kBigint, {literal(Scalar(int64_t{12})), column(1, Type::kBigint)}));
  share->span = {3, 7, 40, 6};
  QueryPlan plan;
  plan.id = QueryId(3);
  plan.shape = QueryPlan::Shape::kAggregate;
  plan.source = source;
  plan.read_columns = {0, 1};
  plan.group_keys = {{"window_start", tumble}, {"n", column(0, Type::kBigint)}};
  plan.window_key = 0;
  plan.window.size_us = kHour;
  plan.aggregates = {{AggregateKind::kCountStar, nullptr, Type::kBigint}};
  plan.outputs = {{"window_start", column(0, Type::kTimestamptz)},
                  {"n", column(1, Type::kBigint)},
                  {"share", share},
                  {"rows", column(2, Type::kBigint)}};
  return plan;
}

Batch events(const std::vector<std::pair<int64_t, int64_t>>& n_and_hour) {
  Batch batch;
  batch.set_schema({{"n", Type::kBigint}, {"at", Type::kTimestamptz}});
  for (const auto& [n, hour] : n_and_hour) {
    batch.columns[0].append(Scalar(n));
    batch.columns[1].append(Timestamp{hour * kHour + 1});
    batch.origins.push_back({PartitionId(0), Offset(static_cast<int64_t>(batch.rows)), Cut(1), {}});
    ++batch.rows;
  }
  return batch;
}

std::string rows_of(const ViewAtCut& view) {
  const auto rows = view_rows(view);
  if (!rows.ok()) return rows.error().id + " " + rows.error().detail;
  return kit::printed(*rows);
}

TEST(ViewRows, GroupsOfAllWorkersInOneOrder) {
  const auto plan = std::make_shared<QueryPlan>(hourly());
  Aggregation aggregation(plan);
  std::vector<RowError> errors;
  ViewAtCut view{plan, Cut(1), {}};
  for (const auto& batch : {events({{4, 1}, {3, 0}, {4, 1}}), events({{2, 1}, {6, 0}})}) {
    const auto store = state::StateStore::make({});
    Selection all = kit::all_rows(batch);
    ASSERT_TRUE(aggregation.add(batch, all, *store, errors, nullptr).ok());
    view.epochs.push_back(store->freeze());
  }
  EXPECT_EQ(rows_of(view),
            "{\"0\":\"1970-01-01T00:00:00Z\",\"1\":3,\"2\":4,\"3\":1}\n"
            "{\"0\":\"1970-01-01T00:00:00Z\",\"1\":6,\"2\":2,\"3\":1}\n"
            "{\"0\":\"1970-01-01T01:00:00Z\",\"1\":2,\"2\":6,\"3\":1}\n"
            "{\"0\":\"1970-01-01T01:00:00Z\",\"1\":4,\"2\":3,\"3\":2}\n");
}

TEST(ViewRows, OnlyClosedWindowsWhereTheViewSaysSo) {
  QueryPlan closing = hourly();
  closing.emit_on_close = true;
  const auto plan = std::make_shared<QueryPlan>(closing);
  Aggregation aggregation(plan);
  std::vector<RowError> errors;
  const auto store = state::StateStore::make({});
  const Batch batch = events({{4, 0}, {4, 1}, {4, 2}});
  Selection all = kit::all_rows(batch);
  ASSERT_TRUE(aggregation.add(batch, all, *store, errors, nullptr).ok());
  const auto rows_closed = [&](int64_t closed) {
    return view_rows(ViewAtCut{plan, Cut(1), {store->freeze()}, closed})->rows;
  };
  EXPECT_EQ(rows_closed(INT64_MIN), 0u);
  EXPECT_EQ(rows_closed(kHour), 1u);
  EXPECT_EQ(rows_closed(2 * kHour), 2u);
  EXPECT_EQ(rows_closed(INT64_MAX), 3u);
}

TEST(ViewRows, AnEpochDoesNotSeeLaterRows) {
  const auto plan = std::make_shared<QueryPlan>(hourly());
  Aggregation aggregation(plan);
  std::vector<RowError> errors;
  const auto store = state::StateStore::make({});
  const Batch batch = events({{4, 0}});
  Selection all = kit::all_rows(batch);
  ASSERT_TRUE(aggregation.add(batch, all, *store, errors, nullptr).ok());
  const ViewAtCut before{plan, Cut(1), {store->freeze()}};
  const std::string then = rows_of(before);
  const Batch more = events({{4, 0}, {5, 7}});
  all = kit::all_rows(more);
  ASSERT_TRUE(aggregation.add(more, all, *store, errors, nullptr).ok());
  EXPECT_EQ(rows_of(before), then);
  EXPECT_EQ(view_rows(ViewAtCut{plan, Cut(2), {store->freeze()}})->rows, 2u);
}

TEST(ViewRows, AFailingOutputSaysWhereItStands) {
  const auto plan = std::make_shared<QueryPlan>(hourly());
  Aggregation aggregation(plan);
  std::vector<RowError> errors;
  const auto store = state::StateStore::make({});
  const Batch batch = events({{4, 0}, {0, 0}});
  Selection all = kit::all_rows(batch);
  ASSERT_TRUE(aggregation.add(batch, all, *store, errors, nullptr).ok());
  EXPECT_EQ(rows_of(ViewAtCut{plan, Cut(1), {store->freeze()}}),
            "MR-SQL-0101 line 3, column 7 of the view's text");
}

TEST(ViewRows, WithoutGroups) {
  QueryPlan rows = hourly();
  rows.shape = QueryPlan::Shape::kRows;
  rows.outputs = {{"n", column(0, Type::kBigint)}, {"at", column(1, Type::kTimestamptz)}};
  const auto plan = std::make_shared<QueryPlan>(rows);
  const auto store = state::StateStore::make({});
  EXPECT_EQ(rows_of(ViewAtCut{plan, Cut(1), {store->freeze()}}), "");
  const Batch batch = events({{7, 0}, {5, 1}});
  ASSERT_TRUE(RowsView(plan).add(batch, {1}, *store).ok());
  EXPECT_EQ(rows_of(ViewAtCut{plan, Cut(1), {store->freeze()}}),
            "{\"0\":5,\"1\":\"1970-01-01T01:00:00.000001Z\"}\n");
}

TEST(Cursor, RoundTripsAndRefusesTheRest) {
  for (const StreamPlace place :
       {StreamPlace{}, StreamPlace{Cut(1042), 3}, StreamPlace{Cut(UINT64_MAX), UINT32_MAX}}) {
    const auto back = parse_cursor(to_cursor(place));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, place);
  }
  EXPECT_EQ(to_cursor({Cut(1042), 3}), "1042-3");
  for (const char* text :
       {"", "-", "1", "1-", "-1", "1-x", "x-1", "1-2-3", " 1-2", "1-2 ", "+1-2", "1--2", "1-4294967296",
        "18446744073709551616-0", "0000000000000000000000000000001042-3"}) {
    const auto refused = parse_cursor(text);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(refused.error().id, "MR-API-0010");
    EXPECT_FALSE(refused.error().hint.empty());
  }
}

}  // namespace
}  // namespace millrace::engine
