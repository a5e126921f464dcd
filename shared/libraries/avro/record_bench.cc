// How fast rows are written. Not a test: figures are for a person.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "avro/record_writer.h"
#include "base/random.h"
#include "event/decimal.h"

namespace millrace::avro {
namespace {

constexpr size_t kRows = 10'000;

// Of ten columns, as those of columns_of_ten_fields.
Batch ten_columns(const millrace::Schema& columns) {
  Random random(1);
  Batch batch;
  batch.set_schema(columns);
  for (size_t i = 0; i < kRows; ++i) {
    size_t at = 0;
    const auto add = [&](const Scalar& value) { batch.columns[at++].append(value); };
    const auto text = [&](const std::string& value) {
      batch.columns[at++].texts.push_back(batch.arena->keep(value));
    };
    text(fmt::format("us{:08}", i));
    add(Timestamp{1'700'000'000'000'000 + static_cast<int64_t>(random.below(1'000'000'000'000))});
    add(random.unit() * 9);
    text(fmt::format("{} km of somewhere", random.below(200)));
    text("ci");
    add(random.unit() * 600);
    add(static_cast<int64_t>(random.below(100'000)));
    i % 3 == 0 ? batch.columns[at++].append_null() : add(static_cast<int64_t>(random.below(200)));
    add(true);
    text(decimal_bytes(decimal_of(static_cast<__int128>(random.below(1'000'000)), 2)));
    ++batch.rows;
  }
  return batch;
}

void write_ten_columns(benchmark::State& state) {
  const millrace::Schema columns{{.name = "id", .type = Type::kText},
                                 {.name = "time", .type = Type::kTimestamptz},
                                 {.name = "mag", .type = Type::kDouble},
                                 {.name = "place", .type = Type::kText},
                                 {.name = "net", .type = Type::kText},
                                 {.name = "depth_km", .type = Type::kDouble},
                                 {.name = "n", .type = Type::kBigint},
                                 {.name = "stations", .type = Type::kInteger},
                                 {.name = "ok", .type = Type::kBoolean},
                                 {.name = "price", .type = Type::kNumeric, .length = 10, .scale = 2}};
  const Batch batch = ten_columns(columns);
  std::vector<const Column*> places;
  for (const Column& column : batch.columns) places.push_back(&column);
  RecordWriter writer(columns);
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (size_t row = 0; row < kRows; ++row) writer.append(out, places, row);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
}
BENCHMARK(write_ten_columns);

}  // namespace
}  // namespace millrace::avro
