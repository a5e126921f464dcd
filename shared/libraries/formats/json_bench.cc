// How fast events are decoded, validated, split and written. Not a test: figures are for a person.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/buffer.h"
#include "base/random.h"
#include "formats/json.h"

namespace millrace::formats {
namespace {

constexpr size_t kEvents = 10'000;

const Schema kSchema = {{"id", Type::kText},    {"time", Type::kTimestamptz}, {"mag", Type::kDouble},
                        {"place", Type::kText}, {"net", Type::kText},         {"depth_km", Type::kDouble},
                        {"n", Type::kBigint},   {"ok", Type::kBoolean}};

// 200 bytes an event, one behind the other as in a frame.
struct Events {
  Buffer bytes;
  std::vector<std::string_view> values;
};
Events make_events() {
  Random random(1);
  std::string all;
  std::vector<size_t> ends;
  for (size_t i = 0; i < kEvents; ++i) {
    std::string event = fmt::format(
        R"({{"id":"us{:08}","time":"2024-03-{:02}T{:02}:{:02}:{:02}.{:03}Z","mag":{:.1f},"net":"n{}","depth_km":{:.2f},"n":{},"ok":true,"place":")",
        i, 1 + random.below(28), random.below(24), random.below(60), random.below(60), random.below(1000),
        random.unit() * 9, random.below(100), random.unit() * 600, random.below(100'000));
    event.append(198 - event.size(), 'p');
    all += event + "\"}\n";
    ends.push_back(all.size() - 1);
  }
  Events events;
  events.bytes = Buffer::copy(all);
  size_t from = 0;
  for (const size_t end : ends) {
    events.values.push_back(events.bytes.view().substr(from, end - from));
    from = end + 1;
  }
  return events;
}

void decode_five_columns(benchmark::State& state) {
  const Events events = make_events();
  JsonDecoder decoder(kSchema, {0, 1, 2, 4, 6});
  Batch batch;
  std::vector<RowError> errors;
  const auto step = static_cast<size_t>(state.range(0));
  std::vector<std::string_view> values;
  for (auto _ : state) {
    for (size_t i = 0; i + step <= kEvents; i += step) {
      batch.clear();
      values.assign(events.values.begin() + static_cast<long>(i),
                    events.values.begin() + static_cast<long>(i + step));
      decoder.decode(values, batch, errors);
      benchmark::DoNotOptimize(batch.rows);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kEvents / step * step));
}
BENCHMARK(decode_five_columns)->Arg(1)->Arg(25)->Arg(1000);

void validate(benchmark::State& state) {
  const Events events = make_events();
  JsonValidator validator(kSchema, 4);
  for (auto _ : state) {
    for (const auto& value : events.values) benchmark::DoNotOptimize(validator.validate(value).ok());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kEvents));
}
BENCHMARK(validate);

void split_lines(benchmark::State& state) {
  const Events events = make_events();
  for (auto _ : state) benchmark::DoNotOptimize(split_ndjson(events.bytes.view())->size());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kEvents));
}
BENCHMARK(split_lines);

void write_rows(benchmark::State& state) {
  const Events events = make_events();
  JsonDecoder decoder(kSchema, {0, 1, 2, 4, 6});
  Batch batch;
  std::vector<RowError> errors;
  decoder.decode(events.values, batch, errors);
  JsonRowWriter writer({"id", "time", "mag", "net", "n"});
  std::vector<const Column*> columns;
  for (const Column& column : batch.columns) columns.push_back(&column);
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (size_t i = 0; i < batch.rows; ++i) writer.append(out, columns, i);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kEvents));
}
BENCHMARK(write_rows);

}  // namespace
}  // namespace millrace::formats

BENCHMARK_MAIN();
