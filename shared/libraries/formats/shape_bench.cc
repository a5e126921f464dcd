// What remembered shapes bring and cost: the same streams through LearningReader and through EventReader
// alone. Not a test: figures are for a person.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/buffer.h"
#include "base/random.h"
#include "formats/internal/learning_reader.h"

namespace millrace::formats {
namespace {

constexpr size_t kEvents = 20'000;
constexpr size_t kRows = 1000;  // a batch

struct Stream {
  Schema schema;
  std::vector<int> wanted;
  std::string (*event)(Random& random, size_t i);
};

std::string sensor(Random& random, size_t i) {
  std::string event = fmt::format(
      R"({{"id":"us{:08}","time":"2024-03-{:02}T{:02}:{:02}:{:02}.{:03}Z","mag":{:.1f},"net":"n{}","depth_km":{:.2f},"n":{},"ok":true,"place":")",
      i, 1 + i / 2000 % 28, random.below(24), random.below(60), random.below(60), random.below(1000),
      random.unit() * 9, random.below(100), random.unit() * 600, random.below(100'000));
  event.append(198 - event.size(), 'p');
  return event + "\"}";
}

std::string text_of(Random& random, size_t length) {
  std::string text(length, ' ');
  std::ranges::generate(text, [&] { return static_cast<char>('a' + random.below(26)); });
  return text;
}

// The fields of a NEXMark bid, in its order.
std::string bid_fields(Random& random, size_t i) {
  return fmt::format(
      R"("auction":{},"bidder":{},"price":{},"channel":"channel-{}","url":"https://www.nexmark.com/{}/item.htm?query=1&channel_id={}","dateTime":"2024-03-01T10:{:02}:{:02}.{:03}Z","extra":"{}")",
      1000 + random.below(1'000'000), 1000 + random.below(100'000), 100 + random.below(100'000'000),
      random.below(10'000), text_of(random, 16), random.below(1'000'000'000), i / 60 % 60, i % 60,
      random.below(1000), text_of(random, 60));
}
std::string flat_bid(Random& random, size_t i) {
  return "{" + bid_fields(random, i) + "}";
}
std::string nested_bid(Random& random, size_t i) {
  return R"({"event_type":2,"person":null,"auction":null,"bid":{)" + bid_fields(random, i) + "}}";
}
// One person and three auctions to 46 bids.
std::string nexmark(Random& random, size_t i) {
  if (i % 50 == 0) {
    return fmt::format(
        R"({{"event_type":0,"person":{{"id":{},"name":"{}","emailAddress":"{}@x.com","creditCard":"1234 5678","city":"Oslo","state":"OR","dateTime":"2024-03-01T10:00:00Z","extra":"{}"}},"auction":null,"bid":null}})",
        i, text_of(random, 12), text_of(random, 9), text_of(random, 40));
  }
  if (i % 50 < 4) {
    return fmt::format(
        R"({{"event_type":1,"person":null,"auction":{{"id":{},"itemName":"{}","description":"{}","initialBid":{},"reserve":{},"dateTime":"2024-03-01T10:00:00Z","expires":"2024-03-01T11:00:00Z","seller":{},"category":{},"extra":"{}"}},"bid":null}})",
        i, text_of(random, 20), text_of(random, 50), random.below(1000), random.below(1000),
        random.below(100'000), random.below(10), text_of(random, 40));
  }
  return nested_bid(random, i);
}
// Another shape in every event, told apart by the first name, or by the last.
std::string early_stranger(Random& random, size_t i) {
  return "{\"" + text_of(random, 8) + "\":1," + bid_fields(random, i) + "}";
}
std::string late_stranger(Random& random, size_t i) {
  return "{" + bid_fields(random, i) + ",\"" + text_of(random, 8) + "\":1}";
}

const Schema kSensor = {{"id", Type::kText},    {"time", Type::kTimestamptz}, {"mag", Type::kDouble},
                        {"place", Type::kText}, {"net", Type::kText},         {"depth_km", Type::kDouble},
                        {"n", Type::kBigint},   {"ok", Type::kBoolean}};
const Schema kBid = {{"auction", Type::kBigint}, {"bidder", Type::kBigint}, {"price", Type::kBigint},
                     {"channel", Type::kText},   {"url", Type::kText},      {"dateTime", Type::kTimestamptz},
                     {"extra", Type::kText}};
Schema inside(const std::string& object, Schema schema) {
  for (ColumnDef& column : schema) column.path = {object, column.name};
  return schema;
}
const Stream kSensorFive = {kSensor, {0, 1, 2, 4, 6}, sensor};
const Stream kBidAll = {kBid, {0, 1, 2, 3, 4, 5, 6}, flat_bid};
const Stream kBidFour = {kBid, {0, 1, 2, 5}, flat_bid};
const Stream kNestedBid = {{{"event_type", Type::kBigint}}, {0}, nested_bid};
const Stream kNestedBidAllByPath = {inside("bid", kBid), {0, 1, 2, 3, 4, 5, 6}, nested_bid};
const Stream kNestedBidFourByPath = {inside("bid", kBid), {0, 1, 2, 5}, nested_bid};
const Stream kNexmarkFourByPath = {inside("bid", kBid), {0, 1, 2, 5}, nexmark};
const Stream kNexmark = {{{"event_type", Type::kBigint}}, {0}, nexmark};
const Stream kEarlyStranger = {kBid, {0, 1, 2, 5}, early_stranger};
const Stream kLateStranger = {kBid, {0, 1, 2, 5}, late_stranger};

struct General {
  General(const Schema& schema, const std::vector<int>& wanted) : slots(schema, wanted), reader(slots) {}
  void attach(std::vector<Column>& columns, Arena& arena) { slots.attach(columns, arena); }
  bool read(std::string_view event, size_t row) { return reader.read(event, row); }
  ColumnSlots slots;
  EventReader reader;
};

std::vector<std::string_view> lines_of(std::string_view all) {
  std::vector<std::string_view> lines;
  for (size_t at = 0; at < all.size();) {
    const size_t end = all.find('\n', at);
    lines.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

template <typename Reader>
void read_all(benchmark::State& state, const Stream& stream) {
  Random random(1);
  std::string all;
  for (size_t i = 0; i < kEvents; ++i) all += stream.event(random, i) + "\n";
  const Buffer bytes = Buffer::copy(all);
  const auto events = lines_of(bytes.view());
  Reader reader(stream.schema, stream.wanted);
  Batch batch;
  Schema read;
  for (const int column : stream.wanted) read.push_back(stream.schema[static_cast<size_t>(column)]);
  batch.set_schema(read);
  for (Column& column : batch.columns) column.resize(kRows);
  size_t refused = 0;
  for (auto _ : state) {
    for (size_t i = 0; i < kEvents; ++i) {
      if (i % kRows == 0) {
        for (Column& column : batch.columns) column.valid.assign(kRows, 0);
        reader.attach(batch.columns, *batch.arena);
      }
      refused += !reader.read(events[i], i % kRows);
    }
    benchmark::ClobberMemory();
  }
  if (refused > 0) state.SkipWithError("an event was refused");
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kEvents));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(all.size()));
}

void general(benchmark::State& state, const Stream& stream) {
  read_all<General>(state, stream);
}
void learning(benchmark::State& state, const Stream& stream) {
  read_all<LearningReader>(state, stream);
}
#define COMPARE(stream)                       \
  BENCHMARK_CAPTURE(general, stream, stream); \
  BENCHMARK_CAPTURE(learning, stream, stream)
COMPARE(kSensorFive);
COMPARE(kBidAll);
COMPARE(kBidFour);
COMPARE(kNestedBid);
COMPARE(kNestedBidAllByPath);
COMPARE(kNestedBidFourByPath);
COMPARE(kNexmark);
COMPARE(kNexmarkFourByPath);
COMPARE(kEarlyStranger);
COMPARE(kLateStranger);

}  // namespace
}  // namespace millrace::formats

BENCHMARK_MAIN();
