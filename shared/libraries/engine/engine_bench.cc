// What a step costs behind the decoder: a filter that passes a tenth, and a keyed tumble with 10,000 keys,
// for batches of one row, of a request's 25, and large ones; what a snapshot's freeze adds; a few functions. Not a test:
// figures are for a person.
#include <benchmark/benchmark.h>

#include "base/hash.h"
#include "base/random.h"
#include "engine/aggregate.h"
#include "engine/functions.h"
#include "engine/select.h"

namespace millrace::engine {
namespace {

constexpr size_t kRows = 100'000;
constexpr size_t kKeys = 10'000;
constexpr int64_t kSecond = 1'000'000;

ExprPtr column(int index, Type type) {
  auto e = std::make_shared<Expr>();
  e->op = Op::kColumn;
  e->type = type;
  e->column = index;
  return e;
}

// SELECT window_start, key, count(*), sum(n), max(mag) FROM TUMBLE(…, time, INTERVAL '1 second') GROUP BY 1,
// 2
std::shared_ptr<QueryPlan> keyed_tumble() {
  auto source = std::make_shared<StreamDef>();
  source->columns = {
      {"key", Type::kText}, {"time", Type::kTimestamptz}, {"n", Type::kBigint}, {"mag", Type::kDouble}};
  source->key_column = 0;
  auto window = std::make_shared<Expr>();
  window->op = Op::kTumbleStart;
  window->type = Type::kTimestamptz;
  window->args = {column(1, Type::kTimestamptz)};
  window->window_us = kSecond;
  auto plan = std::make_shared<QueryPlan>();
  plan->id = QueryId(1);
  plan->shape = QueryPlan::Shape::kAggregate;
  plan->source = source;
  plan->read_columns = {0, 1, 2, 3};
  plan->group_keys = {{"window_start", window}, {"key", column(0, Type::kText)}};
  plan->window_key = 0;
  plan->window.size_us = kSecond;
  plan->aggregates = {{AggregateKind::kCountStar, nullptr, Type::kBigint},
                      {AggregateKind::kSum, column(2, Type::kBigint), Type::kBigint},
                      {AggregateKind::kMax, column(3, Type::kDouble), Type::kDouble}};
  return plan;
}

// mag >= 9 passes a tenth.
ExprPtr filter() {
  auto bound = std::make_shared<Expr>();
  bound->type = Type::kDouble;
  bound->literal = 9.0;
  auto e = std::make_shared<Expr>();
  e->op = Op::kGreaterEqual;
  e->type = Type::kBoolean;
  e->args = {column(3, Type::kDouble), bound};
  return e;
}

// Batches of `size` rows; time goes on by 10 us a row, as at 100,000 events a second.
std::vector<Batch> make_batches(size_t size) {
  Random random(1);
  std::vector<Batch> batches;
  for (size_t row = 0; row < kRows; ++row) {
    if (row % size == 0) {
      batches.emplace_back();
      batches.back().set_schema(keyed_tumble()->source->columns);
    }
    Batch& batch = batches.back();
    batch.columns[0].texts.push_back(batch.arena->keep("device-" + std::to_string(random.below(kKeys))));
    batch.columns[1].integers.push_back(static_cast<int64_t>(row) * 10);
    batch.columns[2].integers.push_back(static_cast<int64_t>(random.below(1000)));
    batch.columns[3].doubles.push_back(random.unit() * 10);
    batch.origins.push_back({PartitionId(0), Offset(static_cast<int64_t>(row)), Cut(1), {}});
    ++batch.rows;
  }
  return batches;
}

void select_all(const Batch& batch, Selection& selection) {
  selection.resize(batch.rows);
  for (uint32_t i = 0; i < selection.size(); ++i) selection[i] = i;
}

void set_rates(benchmark::State& state, size_t batches) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRows));
  state.counters["us_per_batch"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(batches) / 1e6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void filter_rows(benchmark::State& state) {
  const auto batches = make_batches(static_cast<size_t>(state.range(0)));
  Evaluator evaluator(filter());
  Selection selection;
  std::vector<RowError> errors;
  for (auto _ : state) {
    for (const Batch& batch : batches) {
      select_all(batch, selection);
      evaluator.filter(batch, selection, errors);
      benchmark::DoNotOptimize(selection.size());
    }
  }
  set_rates(state, batches.size());
}
BENCHMARK(filter_rows)->Arg(1)->Arg(25)->Arg(1024);

ExprPtr text(std::string value) {
  auto e = std::make_shared<Expr>();
  e->type = Type::kText;
  e->literal = std::move(value);
  return e;
}
ExprPtr call(std::string_view function, size_t signature, std::vector<ExprPtr> args) {
  auto e = std::make_shared<Expr>();
  e->op = Op::kCall;
  e->function = &find_function(function)->signatures[signature];
  e->type = e->function->result;
  e->args = std::move(args);
  return e;
}

void evaluate_call(benchmark::State& state, const ExprPtr& expr) {
  auto batches = make_batches(1024);
  const auto with_keys = batches;  // holds the arenas that the keys lie in
  Evaluator evaluator(expr);
  Selection selection;
  std::vector<RowError> errors;
  for (auto _ : state) {
    for (Batch& batch : batches) {
      batch.arena = std::make_shared<Arena>();
      select_all(batch, selection);
      benchmark::DoNotOptimize(&evaluator.evaluate(batch, selection, errors));
    }
  }
  set_rates(state, batches.size());
}
const ExprPtr kKey = column(0, Type::kText);
BENCHMARK_CAPTURE(evaluate_call, upper, call("upper", 0, {kKey}));
BENCHMARK_CAPTURE(evaluate_call, strpos, call("strpos", 0, {kKey, text("-")}));
BENCHMARK_CAPTURE(evaluate_call, regexp_extract, call("regexp_extract", 0, {kKey, text("[0-9]+")}));
BENCHMARK_CAPTURE(evaluate_call, sqrt, call("sqrt", 0, {column(3, Type::kDouble)}));
BENCHMARK_CAPTURE(evaluate_call, date_trunc,
                  call("date_trunc", 0, {text("hour"), column(1, Type::kTimestamptz)}));

void tumble(benchmark::State& state) {
  const auto batches = make_batches(static_cast<size_t>(state.range(0)));
  const auto plan = keyed_tumble();
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  Selection selection;
  std::vector<RowError> errors;
  for (auto _ : state) {
    for (const Batch& batch : batches) {
      select_all(batch, selection);
      benchmark::DoNotOptimize(aggregation.add(batch, selection, *store, errors, nullptr).ok());
    }
  }
  set_rates(state, batches.size());
}
BENCHMARK(tumble)->Arg(1)->Arg(25)->Arg(1024);

// The same with a subscriber: the groups that changed are collected.
void tumble_with_changes(benchmark::State& state) {
  const auto batches = make_batches(static_cast<size_t>(state.range(0)));
  const auto plan = keyed_tumble();
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  Selection selection;
  std::vector<RowError> errors;
  std::vector<Aggregation::Changed> changed;
  for (auto _ : state) {
    for (const Batch& batch : batches) {
      select_all(batch, selection);
      changed.clear();
      benchmark::DoNotOptimize(aggregation.add(batch, selection, *store, errors, &changed).ok());
    }
  }
  set_rates(state, batches.size());
}
BENCHMARK(tumble_with_changes)->Arg(25);

// Partial groups for a repartition topic of four partitions.
void partial_groups(benchmark::State& state) {
  const auto batches = make_batches(static_cast<size_t>(state.range(0)));
  auto plan = keyed_tumble();
  plan->repartition = true;
  Aggregation aggregation(plan);
  Selection selection;
  std::vector<RowError> errors;
  size_t bytes = 0;
  const auto write = [&](size_t, std::string_view value) { bytes += value.size(); };
  for (auto _ : state) {
    for (const Batch& batch : batches) {
      select_all(batch, selection);
      benchmark::DoNotOptimize(aggregation.partial(batch, selection, {4, SIZE_MAX, write}, errors).ok());
    }
  }
  set_rates(state, batches.size());
}
BENCHMARK(partial_groups)->Arg(25)->Arg(1024);

// The stall of a snapshot's capture at this many groups, and of the first batch of 25 behind it.
void freeze_then_batch(benchmark::State& state) {
  const auto batches = make_batches(25);
  const auto plan = keyed_tumble();
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  Selection selection;
  std::vector<RowError> errors;
  const auto add = [&](const Batch& batch) {
    select_all(batch, selection);
    benchmark::DoNotOptimize(aggregation.add(batch, selection, *store, errors, nullptr).ok());
  };
  for (const Batch& batch : batches) add(batch);
  size_t next = 0;
  std::shared_ptr<const state::Epoch> epoch;
  for (auto _ : state) {
    epoch = store->freeze();
    add(batches[next++ % batches.size()]);
  }
}
BENCHMARK(freeze_then_batch)->Unit(benchmark::kMicrosecond);

// A view's rows of one closed window, read and sorted: what emitting 10,000 final rows starts with.
void read_window(benchmark::State& state) {
  const auto batches = make_batches(1024);
  const auto plan = keyed_tumble();
  Aggregation aggregation(plan);
  const auto store = state::StateStore::make({});
  Selection selection;
  std::vector<RowError> errors;
  for (const Batch& batch : batches) {
    select_all(batch, selection);
    benchmark::DoNotOptimize(aggregation.add(batch, selection, *store, errors, nullptr).ok());
  }
  const std::vector<std::shared_ptr<const state::Epoch>> epochs = {store->freeze()};
  size_t rows = 0;
  for (auto _ : state) {
    Batch out;
    benchmark::DoNotOptimize(Aggregation::read_groups(*plan, epochs, nullptr, out).ok());
    rows = out.rows;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows));
}
BENCHMARK(read_window)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace millrace::engine

BENCHMARK_MAIN();
