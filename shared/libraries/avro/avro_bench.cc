// How fast values are read. Not a test: figures are for a person.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "avro/codec.h"
#include "avro/columns.h"
#include "base/random.h"

namespace millrace::avro {
namespace {

constexpr size_t kValues = 10'000;
constexpr std::string_view kSchema =
    R"({"type":"record","name":"Quake","fields":[{"name":"id","type":"string"},)"
    R"({"name":"time","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"mag","type":["null","double"]},)"
    R"({"name":"place","type":"string"},{"name":"net","type":{"type":"enum","name":"Net","symbols":["us","ci","nc","ak"]}},)"
    R"({"name":"depth_km","type":"double"},{"name":"n","type":"long"},{"name":"stations","type":["null","int"]},)"
    R"({"name":"ok","type":"boolean"},{"name":"rms","type":"float"}]})";

std::shared_ptr<const AvroSchema> schema() {
  static const auto parsed = *AvroSchema::parse(kSchema);
  return parsed;
}

std::vector<std::string> make_values() {
  Random random(1);
  std::vector<std::string> values;
  for (size_t i = 0; i < kValues; ++i)
    values.push_back(*from_json(
        *schema(),
        fmt::format(
            R"({{"id":"us{:08}","time":{},"mag":{:.1f},"place":"{} km of somewhere","net":"ci","depth_km":{:.2f},"n":{},"stations":{},"ok":true,"rms":0.5}})",
            i, 1'700'000'000'000 + random.below(1'000'000'000), random.unit() * 9, random.below(200),
            random.unit() * 600, random.below(100'000),
            i % 3 == 0 ? "null" : std::to_string(random.below(200))),
        JsonForm::kPlain));
  return values;
}

void columns_of_ten_fields(benchmark::State& state) {
  const auto values = make_values();
  const std::vector<std::string_view> views(values.begin(), values.end());
  const auto reader = ColumnReader::make(schema(), schema(), *columns_of(*schema())).value();
  Batch batch;
  std::vector<RowError> errors;
  for (auto _ : state) {
    batch.clear();
    reader->decode(views, batch, errors);
    benchmark::DoNotOptimize(batch.columns[0].texts.data());
  }
  if (!errors.empty()) state.SkipWithError("a value is refused");
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kValues));
}
BENCHMARK(columns_of_ten_fields);

void json_of_ten_fields(benchmark::State& state) {
  const auto values = make_values();
  const auto resolution = *Resolution::make(schema(), schema());
  for (auto _ : state)
    for (const std::string& value : values)
      benchmark::DoNotOptimize(to_json(*resolution, value, JsonForm::kPlain));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kValues));
}
BENCHMARK(json_of_ten_fields);

// A thousand fields, fifty types that others refer to.
std::string large_schema() {
  std::string fields;
  for (int i = 0; i < 50; ++i)
    fields += fmt::format(
        R"({{"name":"t{0}","type":{{"type":"enum","name":"T{0}","symbols":["A","B","C"]}}}},)", i);
  for (int i = 0; i < 950; ++i)
    fields += fmt::format(R"({{"name":"f{}","type":["null","T{}"],"default":null}}{})", i, i % 50,
                          i < 949 ? "," : "");
  return R"({"type":"record","name":"Large","fields":[)" + fields + "]}";
}

void compatibility_of_a_thousand_fields(benchmark::State& state) {
  const auto large = *AvroSchema::parse(large_schema());
  for (auto _ : state) benchmark::DoNotOptimize(large->what_hinders_reading(*large));
}
BENCHMARK(compatibility_of_a_thousand_fields);

void parse_a_thousand_fields(benchmark::State& state) {
  const std::string text = large_schema();
  for (auto _ : state) benchmark::DoNotOptimize(AvroSchema::parse(text));
}
BENCHMARK(parse_a_thousand_fields);

}  // namespace
}  // namespace millrace::avro

BENCHMARK_MAIN();
