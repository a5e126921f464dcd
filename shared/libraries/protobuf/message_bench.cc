// How fast rows are written. Not a test: figures are for a person.
#include <benchmark/benchmark.h>

#include "event/testing/ten_columns.h"
#include "protobuf/message_writer.h"

namespace millrace::protobuf {
namespace {

constexpr size_t kRows = 10'000;

void write_ten_columns(benchmark::State& state) {
  const Batch batch = testing::rows_of_ten_columns(kRows);
  std::vector<const Column*> places;
  for (const Column& column : batch.columns) places.push_back(&column);
  MessageWriter writer(testing::ten_columns());
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (size_t row = 0; row < kRows; ++row) benchmark::DoNotOptimize(writer.append(out, places, row).ok());
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
}
BENCHMARK(write_ten_columns);

}  // namespace
}  // namespace millrace::protobuf
