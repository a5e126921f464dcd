// How fast payloads are read. Not a test: figures are for a person.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/random.h"
#include "protobuf/columns.h"
#include "protobuf/message_codec.h"
#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {
namespace {

constexpr size_t kPayloads = 10'000;
constexpr std::string_view kSchema = R"(syntax = "proto3"; import "google/protobuf/timestamp.proto";
  enum Net { us = 0; ci = 1; nc = 2; ak = 3; }
  message Quake { string id = 1; google.protobuf.Timestamp time = 2; optional double mag = 3; string place = 4; Net net = 5;
    double depth_km = 6; int64 n = 7; optional int32 stations = 8; bool ok = 9; float rms = 10; })";

schema::SchemaPtr schema() {
  static const auto parsed = *kFormat.parse(kSchema, {});
  return parsed;
}

std::vector<std::string> make_payloads() {
  Random random(1);
  const auto codec = MessageCodec::of(schema(), "Quake").value();
  std::vector<std::string> payloads;
  for (size_t i = 0; i < kPayloads; ++i) {
    const uint64_t second = random.below(1'000'000);
    payloads.push_back(*codec.from_json(fmt::format(
        R"({{"id":"us{:08}","time":"2023-11-{:02}T{:02}:{:02}:{:02}.{:03}Z","mag":{:.1f},"place":"{} km of somewhere","net":"ci",)"
        R"("depth_km":{:.2f},"n":{},{}"ok":true,"rms":0.5}})",
        i, 14 + second / 86'400, second / 3'600 % 24, second / 60 % 60, second % 60, random.below(1'000),
        random.unit() * 9, random.below(200), random.unit() * 600, random.below(100'000),
        i % 3 == 0 ? std::string() : fmt::format(R"("stations":{},)", random.below(200)))));
  }
  return payloads;
}

void columns_of_ten_fields(benchmark::State& state) {
  const auto payloads = make_payloads();
  const std::vector<std::string_view> views(payloads.begin(), payloads.end());
  const auto reader = ColumnReader::make(schema(), "Quake", *columns_of(*schema(), "Quake")).value();
  Batch batch;
  std::vector<RowError> errors;
  for (auto _ : state) {
    batch.clear();
    reader->decode(views, batch, errors);
    benchmark::DoNotOptimize(batch.columns[0].texts.data());
  }
  if (!errors.empty()) state.SkipWithError("a payload is refused");
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kPayloads));
}
BENCHMARK(columns_of_ten_fields);

void json_of_ten_fields(benchmark::State& state) {
  const auto payloads = make_payloads();
  const auto codec = MessageCodec::of(schema(), "Quake").value();
  for (auto _ : state)
    for (const std::string& payload : payloads) benchmark::DoNotOptimize(codec.to_json(payload));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kPayloads));
}
BENCHMARK(json_of_ten_fields);

}  // namespace
}  // namespace millrace::protobuf

BENCHMARK_MAIN();
