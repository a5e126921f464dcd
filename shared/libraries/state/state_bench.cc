// The store's own figures: look-ups of kept keys, growth, and what an epoch costs the work that goes on.
#include <benchmark/benchmark.h>

#include <chrono>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "state/state_store.h"

namespace {

using namespace millrace;         // NOLINT
using namespace millrace::state;  // NOLINT

struct Key {
  char bytes[8];
  uint64_t hash;
};

std::vector<Key> shuffled_keys(uint64_t count) {
  std::vector<Key> keys(count);
  for (uint64_t i = 0; i < count; ++i) {
    store_be(keys[i].bytes, i);
    keys[i].hash = stable_hash({keys[i].bytes, 8});
  }
  Random random(1);
  for (uint64_t i = count; i > 1; --i) std::swap(keys[i - 1], keys[random.below(i)]);
  return keys;
}

void add(Table& table, const Key& key) {
  bool inserted = false;
  char* value = table.upsert({key.bytes, 8}, key.hash, inserted);
  store_le(value, load_le<uint64_t>(value) + 1);
}

void upsert_kept(benchmark::State& state) {
  auto store = StateStore::make({});
  Table& table = store->table({QueryId(1), 0, 0}, 16);
  const auto keys = shuffled_keys(static_cast<uint64_t>(state.range(0)));
  for (const Key& key : keys) add(table, key);
  size_t i = 0;
  for (auto _ : state) {
    add(table, keys[i]);
    if (++i == keys.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes_per_row"] = static_cast<double>(store->bytes()) / static_cast<double>(keys.size());
}
BENCHMARK(upsert_kept)->Arg(100)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

void insert(benchmark::State& state) {
  const auto keys = shuffled_keys(static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) {
    auto store = StateStore::make({});
    Table& table = store->table({QueryId(1), 0, 0}, 16);
    for (const Key& key : keys) add(table, key);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(insert)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// The longest single insert while a table grows: what a growing table may add to an event's latency.
void longest_insert_us(benchmark::State& state) {
  const auto keys = shuffled_keys(1'000'000);
  int64_t longest = 0;
  for (auto _ : state) {
    auto store = StateStore::make({});
    Table& table = store->table({QueryId(1), 0, 0}, 16);
    for (const Key& key : keys) {
      const auto from = std::chrono::steady_clock::now();
      add(table, key);
      longest = std::max<int64_t>(longest, (std::chrono::steady_clock::now() - from).count());
    }
  }
  state.counters["longest_us"] = static_cast<double>(longest) / 1000;
}
BENCHMARK(longest_insert_us)->Unit(benchmark::kMillisecond)->Iterations(3);

void freeze(benchmark::State& state) {
  auto store = StateStore::make({});
  const auto keys = shuffled_keys(static_cast<uint64_t>(state.range(0)));
  Table& table = store->table({QueryId(1), 0, 0}, 16);
  for (const Key& key : keys) add(table, key);
  for (auto _ : state) {
    add(table, keys[0]);
    benchmark::DoNotOptimize(store->freeze());
  }
}
BENCHMARK(freeze)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

// Every key once after a freeze whose epoch is kept: all pages are copied on the way.
void upsert_all_after_freeze(benchmark::State& state) {
  auto store = StateStore::make({});
  const auto keys = shuffled_keys(static_cast<uint64_t>(state.range(0)));
  Table& table = store->table({QueryId(1), 0, 0}, 16);
  for (const Key& key : keys) add(table, key);
  for (auto _ : state) {
    auto epoch = store->freeze();
    for (const Key& key : keys) add(table, key);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(upsert_all_after_freeze)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void freeze_many_tables(benchmark::State& state) {
  auto store = StateStore::make({});
  for (uint32_t query = 1; query <= 1000; ++query) {
    for (int64_t window = 0; window < state.range(0); ++window) {
      add(store->table({QueryId(query), 0, window}, 16), Key{});
    }
  }
  for (auto _ : state) {
    store->drop({QueryId(500), 0, 0});
    add(store->table({QueryId(500), 0, 0}, 16), Key{});
    benchmark::DoNotOptimize(store->freeze());
  }
  state.counters["bytes_per_table"] =
      static_cast<double>(store->bytes()) / static_cast<double>(1000 * state.range(0));
}
BENCHMARK(freeze_many_tables)->Arg(4)->Arg(100)->Unit(benchmark::kMicrosecond);

}  // namespace
