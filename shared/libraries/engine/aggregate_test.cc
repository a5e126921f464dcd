#include "engine/aggregate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/hash.h"
#include "base/random.h"
#include "engine/group_index.h"
#include "engine/kit/kit.h"
#include "engine/value_codec.h"
#include "formats/json.h"

namespace millrace::engine {
namespace {

using kit::column;

constexpr uint16_t kPartitions = 4;
constexpr int64_t kHour = 3'600'000'000;
// Columns of the rows: 0 key (text), 1 time, 2 n (bigint), 3 x (double), 4 note (text), 5 span (interval).
const Schema kSchema = {{"key", Type::kText}, {"time", Type::kTimestamptz}, {"n", Type::kBigint},
                        {"x", Type::kDouble}, {"note", Type::kText},        {"span", Type::kInterval}};

ExprPtr tumble() {
  auto e = std::make_shared<Expr>();
  e->op = Op::kTumbleStart;
  e->type = Type::kTimestamptz;
  e->args = {column(1, Type::kTimestamptz)};
  e->window_us = kHour;
  return e;
}

QueryPlan plan_of(std::vector<NamedExpr> keys, int window_key, std::vector<AggregateCall> aggregates) {
  auto source = std::make_shared<StreamDef>();
  source->columns = kSchema;
  source->key_column = 0;
  source->partitions = kPartitions;
  QueryPlan plan;
  plan.id = QueryId(7);
  plan.shape = QueryPlan::Shape::kAggregate;
  plan.source = source;
  plan.read_columns = {0, 1, 2, 3, 4, 5};
  plan.group_keys = std::move(keys);
  plan.window_key = window_key;
  plan.window.size_us = window_key < 0 ? 0 : kHour;
  plan.aggregates = std::move(aggregates);
  return plan;
}

std::vector<AggregateCall> every_aggregate() {
  using K = AggregateKind;
  const auto n = column(2, Type::kBigint);
  const auto x = column(3, Type::kDouble);
  const auto note = column(4, Type::kText);
  return {{K::kCountStar, nullptr, Type::kBigint},
          {K::kCount, n, Type::kBigint},
          {K::kSum, n, Type::kBigint},
          {K::kAvg, n, Type::kNumeric},
          {K::kSum, x, Type::kDouble},
          {K::kAvg, x, Type::kDouble},
          {K::kMin, n, Type::kBigint},
          {K::kMax, x, Type::kDouble},
          {K::kMin, column(4, Type::kText), Type::kText},
          {K::kMax, column(4, Type::kText), Type::kText},
          {K::kMax, column(5, Type::kInterval), Type::kInterval},
          {K::kMin, column(1, Type::kTimestamptz), Type::kTimestamptz},
          {K::kCount, n, Type::kBigint, true},
          {K::kSum, n, Type::kBigint, true},
          {K::kAvg, n, Type::kNumeric, true},
          {K::kCount, x, Type::kBigint, true},
          {K::kCount, column(4, Type::kText), Type::kBigint, true},
          {K::kCount, column(5, Type::kInterval), Type::kBigint, true},
          {K::kVarSamp, n, Type::kNumeric},
          {K::kStddevPop, x, Type::kDouble},
          {K::kVarPop, n, Type::kNumeric, true},
          {K::kAnyValue, column(4, Type::kText), Type::kText},
          {K::kFirst, x, Type::kDouble, false, nullptr, {{column(1, Type::kTimestamptz), true}}},
          {K::kLast, column(5, Type::kInterval), Type::kInterval, false, nullptr, {{n}, {note}}},
          {K::kApproxCountDistinct, x, Type::kBigint},
          {K::kApproxPercentile, x, Type::kDouble, false, kit::literal(0.9)},
          {K::kStringAgg, note, Type::kText, false, kit::literal(std::string(", ")), {{n, true, true}}},
          {K::kStringAgg, note, Type::kText, true, kit::literal(std::string("-")), {{note}}},
          {K::kBitXor, n, Type::kBigint}};
}
// Without float sums and distinct values: then partial groups are combined before they travel.
std::vector<AggregateCall> combinable() {
  auto all = every_aggregate();
  std::erase_if(all, [](const AggregateCall& c) {
    const bool rounds = c.argument && c.argument->type == Type::kDouble && c.kind != AggregateKind::kMax &&
                        c.kind != AggregateKind::kFirst;
    return c.distinct || rounds || c.kind == AggregateKind::kVarSamp || c.kind == AggregateKind::kStringAgg;
  });
  return all;
}

Batch random_rows(size_t count, uint64_t seed) {
  Random random(seed);
  Batch rows;
  rows.set_schema(kSchema);
  Arena& arena = *rows.arena;
  for (size_t i = 0; i < count; ++i) {
    const std::string key = "key" + std::to_string(random.below(20));
    const bool null_key = random.chance(15);
    if (null_key)
      rows.columns[0].append_null();
    else
      rows.columns[0].append(Scalar(key)), rows.columns[0].texts.back() = arena.keep(key);
    rows.columns[1].append(Timestamp{static_cast<int64_t>(random.below(5 * kHour)) - kHour});
    if (random.chance(5))
      rows.columns[2].append_null();
    else
      rows.columns[2].append(Scalar(static_cast<int64_t>(random.below(1000)) - 500));
    if (random.chance(5))
      rows.columns[3].append_null();
    else
      rows.columns[3].append(Scalar(random.unit() * 1e6 - 3e5));
    if (random.chance(5))
      rows.columns[4].append_null();
    else {
      const std::string note(random.below(40), static_cast<char>('a' + random.below(26)));
      rows.columns[4].append(Scalar(note));
      rows.columns[4].texts.back() = arena.keep(note);
    }
    rows.columns[5].append(
        Interval{static_cast<int32_t>(random.below(3)), static_cast<int32_t>(random.below(70)), 0});
    const std::string hashed = null_key ? "" : key;
    const uint32_t partition = partition_of_key_group(key_group_of(stable_hash(hashed)), kPartitions);
    rows.origins.push_back(
        {PartitionId(static_cast<uint16_t>(partition)), Offset(static_cast<int64_t>(i)), Cut(i), {}});
  }
  rows.rows = count;
  return rows;
}

void expect_one_answer(const QueryPlan& plan, const Batch& rows, bool only_repartition = false) {
  std::string first;
  for (const kit::Schedule& schedule : kit::schedules()) {
    if (only_repartition && !schedule.repartition) continue;
    const std::string answer = kit::run_aggregation(plan, rows, schedule);
    if (first.empty()) first = answer;
    ASSERT_EQ(answer, first) << kit::to_string(schedule);
  }
  ASSERT_FALSE(first.empty());
}

TEST(Aggregation, OneAnswerUnderEverySchedule) {
  const Batch rows = random_rows(600, 1);
  const NamedExpr key{"key", column(0, Type::kText)};
  expect_one_answer(plan_of({{"window_start", tumble()}, key}, 0, every_aggregate()), rows);
  expect_one_answer(plan_of({key, {"window_start", tumble()}}, 1, combinable()), rows);
  expect_one_answer(plan_of({key}, -1, every_aggregate()), rows);
  // Groups that rows of several partitions reach: through a repartition topic.
  expect_one_answer(
      plan_of({{"n", column(2, Type::kBigint)}, {"window_start", tumble()}}, 1, every_aggregate()), rows,
      true);
  expect_one_answer(plan_of({{"span", column(5, Type::kInterval)}}, -1, combinable()), rows, true);
  expect_one_answer(plan_of({}, -1, every_aggregate()), rows, true);
}

// The same by a map, row by row.
TEST(Aggregation, CountsAndSumsAreRight) {
  const Batch rows = random_rows(2'000, 2);
  std::map<std::string, std::pair<int64_t, std::optional<int64_t>>> expected;
  for (size_t i = 0; i < rows.rows; ++i) {
    const std::string key = rows.columns[0].is_null(i) ? "~null" : std::string(rows.columns[0].texts[i]);
    auto& [count, sum] = expected[key];
    ++count;
    if (!rows.columns[2].is_null(i)) sum = sum.value_or(0) + rows.columns[2].integers[i];
  }
  std::string lines;
  for (const auto& [key, value] : expected) {
    const std::string shown = key == "~null" ? "null" : "\"" + key + "\"";
    lines += "{\"0\":" + shown + ",\"1\":" + std::to_string(value.first) +
             ",\"2\":" + std::to_string(*value.second) + "}\n";
  }
  const QueryPlan plan = plan_of({{"key", column(0, Type::kText)}}, -1,
                                 {{AggregateKind::kCountStar, nullptr, Type::kBigint},
                                  {AggregateKind::kSum, column(2, Type::kBigint), Type::kBigint}});
  EXPECT_EQ(kit::run_aggregation(plan, rows, {}), lines);
}

TEST(Aggregation, NoRowsAndOnlyNulls) {
  Batch none = random_rows(0, 3);
  EXPECT_EQ(kit::run_aggregation(plan_of({}, -1, combinable()), none, {}),
            "{\"0\":0,\"1\":0,\"2\":null,\"3\":null,\"4\":null,\"5\":null,\"6\":null,\"7\":null,\"8\":null,"
            "\"9\":null,\"10\":null,\"11\":null,\"12\":null,\"13\":null}\n");
  EXPECT_EQ(kit::run_aggregation(plan_of({{"key", column(0, Type::kText)}}, -1, combinable()), none, {}), "");
}

TEST(Aggregation, ARowThatOverflowsASumChangesNothing) {
  Batch rows;
  rows.set_schema(kSchema);
  for (const int64_t n : {INT64_MAX, int64_t{1}, int64_t{-5}}) {
    rows.columns[0].append(Scalar(std::string("k")));
    rows.columns[0].texts.back() = "k";
    rows.columns[1].append(Timestamp{0});
    rows.columns[2].append(Scalar(n));
    for (size_t c = 3; c < 6; ++c) rows.columns[c].append_null();
    rows.origins.push_back({});
  }
  rows.columns[1].valid = {1, 1, 1};
  rows.rows = 3;
  const QueryPlan plan = plan_of({{"key", column(0, Type::kText)}, {"window_start", tumble()}}, 1,
                                 {{AggregateKind::kCountStar, nullptr, Type::kBigint},
                                  {AggregateKind::kSum, column(2, Type::kBigint), Type::kBigint}});
  EXPECT_EQ(
      kit::run_aggregation(plan, rows, {}),
      "{\"0\":\"k\",\"1\":\"1970-01-01T00:00:00Z\",\"2\":2,\"3\":9223372036854775802}\n1 MR-SQL-0102\n");
  rows.columns[1].valid = {1, 1, 0};
  EXPECT_NE(kit::run_aggregation(plan, rows, {}).find("2 MR-SQL-0110"), std::string::npos);
}

// A list that would grow over its bound refuses the row; where rows come from a repartition, it becomes NULL.
TEST(Aggregation, AListHasABound) {
  Batch rows;
  rows.set_schema(kSchema);
  const std::string long_text(400'000, 'x');
  for (int i = 0; i < 4; ++i) {
    rows.columns[0].append_null();
    rows.columns[1].append(Timestamp{0});
    rows.columns[2].append(Scalar(int64_t{i}));
    rows.columns[3].append_null();
    rows.columns[4].append(Scalar(std::string()));
    rows.columns[4].texts.back() = i == 3 ? "end" : std::string_view(long_text);
    rows.columns[5].append_null();
    rows.origins.push_back({PartitionId(0), Offset(i), Cut(0), {}});
  }
  rows.rows = 4;
  const QueryPlan plan = plan_of({}, -1,
                                 {{AggregateKind::kStringAgg, column(4, Type::kText), Type::kText, false,
                                   kit::literal(std::string(","))},
                                  {AggregateKind::kCountStar, nullptr, Type::kBigint}});
  EXPECT_EQ(kit::run_aggregation(plan, rows, {}),
            "{\"0\":\"" + long_text + "," + long_text + ",end\",\"1\":3}\n2 MR-SQL-0117\n");
  EXPECT_EQ(kit::run_aggregation(plan, rows, {.repartition = true}), "{\"0\":null,\"1\":4}\n");
}

TEST(Aggregation, ChangesAreNotedOnceAndReadBack) {
  const Batch rows = random_rows(200, 4);
  const auto plan =
      std::make_shared<QueryPlan>(plan_of({{"key", column(0, Type::kText)}}, -1, every_aggregate()));
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  std::vector<Aggregation::Changed> changed;
  std::vector<RowError> errors;
  for (int round = 0; round < 3; ++round) {
    changed.clear();
    for (const size_t from : {0, 100}) {
      const Batch part = kit::slice(rows, from, 100);
      Selection all = kit::all_rows(part);
      ASSERT_TRUE(aggregation.add(part, all, *store, errors, &changed).ok());
    }
    Batch read;
    ASSERT_TRUE(aggregation.read_changed(changed, *store, nullptr, read).ok());
    Batch everything;
    ASSERT_TRUE(Aggregation::read_groups(*plan, {store->freeze()}, nullptr, everything).ok());
    EXPECT_EQ(kit::printed(read), kit::printed(everything));
  }
}

// Windows of four hours, one every one and a half: panes of half an hour.
QueryPlan hopping(std::vector<NamedExpr> keys, int window_key, std::vector<AggregateCall> aggregates) {
  QueryPlan plan = plan_of(std::move(keys), window_key, std::move(aggregates));
  plan.window = {WindowSpec::Kind::kHop, 4 * kHour, 3 * kHour / 2, 0};
  auto pane = std::make_shared<Expr>(*plan.group_keys[static_cast<size_t>(window_key)].expr);
  pane->window_us = plan.window.pane_us();
  plan.group_keys[static_cast<size_t>(window_key)].expr = std::move(pane);
  return plan;
}

TEST(Aggregation, WindowsOfPanesHaveOneAnswerUnderEverySchedule) {
  const Batch rows = random_rows(600, 21);
  const NamedExpr start{"window_start", tumble()};
  expect_one_answer(hopping({start, {"key", column(0, Type::kText)}}, 0, every_aggregate()), rows);
  expect_one_answer(hopping({{"n", column(2, Type::kBigint)}, start}, 1, every_aggregate()), rows, true);
  expect_one_answer(hopping({start}, 0, combinable()), rows, true);
}

// The values of windows that have closed are let go when they are many; those of an open one stay, and count once.
TEST(Aggregation, ValuesOfClosedWindowsOfRowsGo) {
  using K = AggregateKind;
  auto rows_end = std::make_shared<Expr>();
  rows_end->op = Op::kRowsEnd;
  rows_end->type = Type::kBigint;
  QueryPlan made = plan_of(
      {{"key", column(0, Type::kText)}, {"window_end", rows_end}}, -1,
      {{K::kCount, column(2, Type::kBigint), Type::kBigint, true}, {K::kCountStar, nullptr, Type::kBigint}});
  made.count_window = {4, 4};
  made.count_key = 1;
  made.rows_aggregate = 1;
  made.emit_on_close = true;
  const auto plan = std::make_shared<QueryPlan>(made);
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  std::vector<RowError> errors;
  const auto add = [&](const std::string& key, int64_t first, size_t count) {
    Batch rows;
    rows.set_schema(kSchema);
    for (size_t i = 0; i < count; ++i) {
      rows.columns[0].append(Scalar(key));
      rows.columns[0].texts.back() = rows.arena->keep(key);
      rows.columns[2].append(Scalar(first + static_cast<int64_t>(i)));
      for (const size_t other : {1u, 3u, 4u, 5u}) rows.columns[other].append_null();
      rows.origins.push_back({PartitionId(0), Offset(first + static_cast<int64_t>(i)), Cut(1), {}});
    }
    rows.rows = count;
    Selection all = kit::all_rows(rows);
    ASSERT_TRUE(aggregation.add(rows, all, *store, errors, nullptr, {}).ok());
    ASSERT_TRUE(errors.empty());
  };
  add("open", 1, 3);
  for (int64_t i = 0; i < 10; ++i) {
    add("closed", 1'000 + 1'000 * i, 1'000);
    aggregation.drop_closed_counts(*store);
  }
  EXPECT_LT(store->find({plan->id, kDistinctSlot, 0})->rows(), 5'000u);
  add("open", 2, 1);
  Batch closed;
  std::vector<uint32_t> last;
  ASSERT_TRUE(aggregation.read_closed_counts(*store, closed, last).ok());
  ASSERT_EQ(closed.rows, 1u);
  EXPECT_EQ(closed.columns[2].integers[0], 3);
  EXPECT_EQ(closed.columns[3].integers[0], 4);
}

// In windows of one pane and of several: different code keeps the values.
TEST(Aggregation, ALongDistinctValueFailsItsRow) {
  const std::vector<AggregateCall> calls{
      {AggregateKind::kCount, column(4, Type::kText), Type::kBigint, true}};
  for (const bool panes : {false, true}) {
    const auto plan = std::make_shared<QueryPlan>(panes ? hopping({{"window_start", tumble()}}, 0, calls)
                                                        : plan_of({{"window_start", tumble()}}, 0, calls));
    Batch rows = random_rows(2, 5);
    const std::string text(32'001, 'x');
    for (Column& column : rows.columns) column.valid.clear();
    rows.columns[4].texts = {text, std::string_view(text).substr(10)};
    Aggregation aggregation(plan);
    const auto store = state::StateStore::make({});
    std::vector<RowError> errors;
    std::vector<Aggregation::Changed> changed;
    Selection all = kit::all_rows(rows);
    ASSERT_TRUE(aggregation.add(rows, all, *store, errors, &changed, {}).ok());
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].row, 0u);
    EXPECT_EQ(errors[0].id, "MR-SQL-0112");
    EXPECT_EQ(changed.size(), 1u);
  }
}

// Gaps of a quarter of an hour.
QueryPlan sessions(std::vector<NamedExpr> keys, int window_key, std::vector<AggregateCall> aggregates) {
  std::erase_if(aggregates, [](const AggregateCall& c) { return c.distinct; });
  for (const auto kind : {AggregateKind::kMin, AggregateKind::kMax})
    aggregates.push_back({kind, column(1, Type::kTimestamptz), Type::kTimestamptz});
  QueryPlan plan = plan_of(std::move(keys), window_key, std::move(aggregates));
  plan.window = {WindowSpec::Kind::kSession, kHour / 4, 0, 0};
  auto pane = std::make_shared<Expr>(*plan.group_keys[static_cast<size_t>(window_key)].expr);
  pane->window_us = plan.window.pane_us();
  plan.group_keys[static_cast<size_t>(window_key)].expr = std::move(pane);
  return plan;
}

TEST(ValueCodec, BytesThatAreNoValueMakeOneRow) {
  for (const Type type : {Type::kNull, Type::kBoolean, Type::kBigint, Type::kDouble, Type::kText}) {
    Column column;
    column.type = type;
    Arena arena;
    ByteReader in(std::string_view("\x01", 1));
    EXPECT_FALSE(decode_value(in, column, arena));
    EXPECT_EQ(column.size(), 1u);
  }
}

TEST(Aggregation, SessionsHaveOneAnswerUnderEverySchedule) {
  const Batch rows = random_rows(600, 23);
  const NamedExpr start{"window_start", tumble()};
  expect_one_answer(sessions({start, {"key", column(0, Type::kText)}}, 0, every_aggregate()), rows);
  expect_one_answer(sessions({{"n", column(2, Type::kBigint)}, start}, 1, every_aggregate()), rows, true);
  expect_one_answer(sessions({start}, 0, combinable()), rows, true);
}

// What subscribers are told of windows that share panes is what a reader sees, late rows included.
TEST(Aggregation, ChangesOfPanesAreThoseOfTheirWindows) {
  const auto plan = std::make_shared<QueryPlan>(
      hopping({{"window_start", tumble()}, {"key", column(0, Type::kText)}}, 0, every_aggregate()));
  const Batch rows = random_rows(300, 22);
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  std::vector<Aggregation::Changed> changed;
  std::vector<RowError> errors;
  std::vector<int64_t> ended(rows.rows, INT64_MIN);
  for (size_t i = 0; i < rows.rows; i += 3) ended[i] = rows.columns[1].integers[i] + kHour;
  Selection all = kit::all_rows(rows);
  ASSERT_TRUE(aggregation.add(rows, all, *store, errors, &changed, ended).ok());
  EXPECT_TRUE(errors.empty());
  EXPECT_FALSE(store->tables(plan->id, kLateSlot).empty());
  Batch told;
  ASSERT_TRUE(aggregation.read_changed(changed, *store, nullptr, told).ok());
  Batch everything;
  ASSERT_TRUE(Aggregation::read_groups(*plan, {store->freeze()}, nullptr, everything).ok());
  EXPECT_EQ(kit::printed(told), kit::printed(everything));
}

// Rows go on arriving under another number of workers; nothing of the groups is lost, doubled or misplaced.
TEST(SplitState, GroupsFollowTheNumberOfWorkers) {
  const Batch rows = random_rows(900, 11);
  const auto plan = std::make_shared<QueryPlan>(
      plan_of({{"window_start", tumble()}, {"key", column(0, Type::kText)}}, 0, every_aggregate()));
  using Stores = std::vector<std::unique_ptr<state::StateStore>>;
  const auto run = [&](const std::vector<uint32_t>& workers) {
    Aggregation aggregation(plan);
    std::vector<RowError> errors;
    Stores stores;
    const size_t part = rows.rows / workers.size();
    for (size_t phase = 0; phase < workers.size(); ++phase) {
      Stores next;
      for (uint32_t w = 0; w < workers[phase]; ++w) next.push_back(state::StateStore::make({}));
      const auto owner = [&](uint32_t g) -> state::StateStore& {
        return *next[worker_of_key_group(g, workers[phase])];
      };
      for (const auto& store : stores) EXPECT_TRUE(split_state(*plan, *store->freeze(), owner).ok());
      stores = std::move(next);
      const Batch batch = kit::slice(rows, phase * part, part);
      for (uint32_t w = 0; w < workers[phase]; ++w) {
        Selection mine;
        for (uint32_t i = 0; i < batch.rows; ++i) {
          const uint32_t partition = batch.origins[i].partition.value;
          if (worker_of_partition(partition, kPartitions, workers[phase]) == w) mine.push_back(i);
        }
        EXPECT_TRUE(aggregation.add(batch, mine, *stores[w], errors, nullptr).ok());
      }
    }
    Batch out;
    std::vector<std::shared_ptr<const state::Epoch>> epochs;
    for (const auto& store : stores) epochs.push_back(store->freeze());
    EXPECT_TRUE(Aggregation::read_groups(*plan, epochs, nullptr, out).ok());
    return kit::printed(out);
  };
  const std::string expected = run({1, 1, 1});
  EXPECT_EQ(run({1, 3, 2}), expected);
  EXPECT_EQ(run({4, 1, 4}), expected);
  EXPECT_EQ(run({2, 4, 3}), expected);
}

TEST(SplitState, ATargetThatIsFullIsAnAnswer) {
  const auto plan =
      std::make_shared<QueryPlan>(plan_of({{"time", column(1, Type::kTimestamptz)}}, -1, every_aggregate()));
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  std::vector<RowError> errors;
  const Batch rows = random_rows(2'000, 12);
  Selection all = kit::all_rows(rows);
  ASSERT_TRUE(aggregation.add(rows, all, *store, errors, nullptr).ok());
  state::StateStore::Options small;
  small.max_bytes = 64 * 1024;
  const auto target = state::StateStore::make(small);
  const Status status =
      split_state(*plan, *store->freeze(), [&](uint32_t) -> state::StateStore& { return *target; });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, "MR-SQL-0113");
}

TEST(Aggregation, AFullStateIsAnAnswer) {
  state::StateStore::Options small;
  small.max_bytes = 64 * 1024;
  const auto store = state::StateStore::make(small);
  const auto plan =
      std::make_shared<QueryPlan>(plan_of({{"time", column(1, Type::kTimestamptz)}}, -1, every_aggregate()));
  Aggregation aggregation(plan);
  std::vector<RowError> errors;
  Status status;
  for (uint64_t seed = 0; seed < 50 && status.ok(); ++seed) {
    const Batch rows = random_rows(200, seed);
    Selection all = kit::all_rows(rows);
    status = aggregation.add(rows, all, *store, errors, nullptr);
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kExhausted);
  Batch out;
  EXPECT_TRUE(Aggregation::read_groups(*plan, {store->freeze()}, nullptr, out).ok());
}

TEST(Aggregation, DamagedPayloadsAreRefused) {
  const Batch rows = random_rows(30, 5);
  auto plan = std::make_shared<QueryPlan>(
      plan_of({{"n", column(2, Type::kBigint)}, {"note", column(4, Type::kText)}}, -1, every_aggregate()));
  Aggregation aggregation(plan);
  std::string payload;
  std::vector<RowError> errors;
  Selection all = kit::all_rows(rows);
  const auto write = [&](size_t, std::string_view value) { payload = value; };
  ASSERT_TRUE(aggregation.partial(rows, all, {1, SIZE_MAX, write}, errors).ok());
  Random random(6);
  size_t refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string damaged = payload;
    if (random.chance(2))
      damaged.resize(random.below(damaged.size()));
    else
      damaged[random.below(damaged.size())] ^= static_cast<char>(1 + random.below(255));
    const auto store = state::StateStore::make({});
    refused += !aggregation.merge(damaged, *store, nullptr).ok();
    Batch out;
    ASSERT_TRUE(Aggregation::read_groups(*plan, {store->freeze()}, nullptr, out).ok());
  }
  EXPECT_GT(refused, 1'000u);
}

TEST(KeyEncoding, BytesSortAsValuesAndReadBack) {
  Random random(8);
  for (const Type type :
       {Type::kBoolean, Type::kBigint, Type::kDouble, Type::kText, Type::kTimestamptz, Type::kInterval}) {
    Column c;
    c.type = type;
    std::vector<std::string> texts(300);
    for (size_t i = 0; i < 300; ++i) {
      const uint64_t bits = random.next();
      if (i % 37 == 0) {
        c.append_null();
        continue;
      }
      if (type == Type::kBoolean) c.append(Scalar((bits & 1) != 0));
      if (type == Type::kBigint) c.append(Scalar(static_cast<int64_t>(bits >> random.below(60))));
      if (type == Type::kTimestamptz) c.append(Timestamp{static_cast<int64_t>(bits) >> 8});
      if (type == Type::kDouble)
        c.append(Scalar(i % 11 == 0 ? -0.0 : i % 13 == 0 ? NAN : std::bit_cast<double>(bits)));
      if (type == Type::kInterval)
        c.append(Interval{static_cast<int32_t>(bits % 40) - 20, static_cast<int32_t>(bits % 700) - 350,
                          static_cast<int64_t>(bits) >> 20});
      if (type == Type::kText) {
        for (uint64_t n = random.below(6); n > 0; --n)
          texts[i] += std::string("\0\1a\xFF", 4)[random.below(4)];
        c.append(Scalar(texts[i]));
        c.texts.back() = texts[i];
      }
    }
    std::vector<std::string> keys(300);
    for (size_t i = 0; i < 300; ++i) encode_key(keys[i], c, i);
    ExprPtr less = kit::call(Op::kLess, Type::kBoolean, {column(0, type), column(1, type)});
    Evaluator evaluator(less);
    for (size_t i = 0; i < 300; ++i) {
      Arena arena;
      Column back;
      back.type = type;
      std::string_view in = keys[i];
      ASSERT_TRUE(decode_key(in, type, back, arena).ok());
      ASSERT_TRUE(in.empty());
      std::string again;
      encode_key(again, back, 0);
      ASSERT_EQ(again, keys[i]);
      const size_t j = random.below(300);
      if (c.is_null(i) || c.is_null(j)) continue;
      Batch pair;
      pair.columns.resize(2);
      for (Column& p : pair.columns) p.type = type;
      pair.columns[0].append_from(c, i);
      pair.columns[1].append_from(c, j);
      pair.rows = 1;
      Selection one = {0};
      std::vector<RowError> errors;
      ASSERT_EQ(evaluator.evaluate(pair, one, errors).booleans[0] != 0, keys[i] < keys[j]) << to_string(type);
    }
  }
}

TEST(GroupIndex, NumbersInOrderOfAppearance) {
  GroupIndex index;
  bool added = false;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < 5'000; ++i) {
      ASSERT_EQ(index.find_or_add(static_cast<int64_t>(i % 3), std::to_string(i), added), i);
      ASSERT_TRUE(added);
      ASSERT_EQ(index.find_or_add(static_cast<int64_t>(i % 3), std::to_string(i), added), i);
      ASSERT_FALSE(added);
    }
    EXPECT_EQ(index.key(4'321), "4321");
    index.clear();
  }
}

TEST(RowsView, KeepsRowsInTheirOrder) {
  const Batch rows = random_rows(300, 9);
  QueryPlan plan = plan_of({}, -1, {});
  plan.shape = QueryPlan::Shape::kRows;
  for (int c = 0; c < 6; ++c)
    plan.outputs.push_back(
        {kSchema[static_cast<size_t>(c)].name, column(c, kSchema[static_cast<size_t>(c)].type)});
  RowsView view(std::make_shared<QueryPlan>(plan));
  const auto one = state::StateStore::make({});
  const auto two = state::StateStore::make({});
  for (uint32_t i = 0; i < rows.rows; ++i) {
    ASSERT_TRUE(view.add(rows, {i}, rows.origins[i].partition.value < 2 ? *one : *two).ok());
  }
  std::vector<uint32_t> order = kit::all_rows(rows);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return rows.origins[a].partition < rows.origins[b].partition;
  });
  std::string expected;
  for (const uint32_t i : order) expected += kit::printed(kit::slice(rows, i, 1));
  Batch out;
  ASSERT_TRUE(RowsView::read_rows(plan, {two->freeze(), one->freeze()}, out).ok());
  EXPECT_EQ(kit::printed(out), expected);
  // Another number of workers: a row goes where its partition is read.
  std::vector<std::unique_ptr<state::StateStore>> three;
  for (int i = 0; i < 3; ++i) three.push_back(state::StateStore::make({}));
  for (state::StateStore* store : {one.get(), two.get()}) {
    ASSERT_TRUE(split_state(plan, *store->freeze(), [&](uint32_t g) -> state::StateStore& {
                  return *three[worker_of_key_group(g, 3)];
                }).ok());
  }
  Batch split;
  ASSERT_TRUE(
      RowsView::read_rows(plan, {three[0]->freeze(), three[1]->freeze(), three[2]->freeze()}, split).ok());
  EXPECT_EQ(kit::printed(split), expected);
}

}  // namespace
}  // namespace millrace::engine
