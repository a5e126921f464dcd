#include "log/record_batch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"

namespace millrace::log {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<uint8_t>(c));
    out += two;
  }
  return out;
}

std::string sample() {
  RecordBatchBuilder builder;
  builder.add("net", R"({"mag":4.5})", 1000);
  builder.add(std::nullopt, "", 998);
  return builder.finish();
}

TEST(RecordBatch, KnownBytes) {
  // Written down field by field after Kafka's protocol guide; the checksum was computed bit by bit elsewhere.
  EXPECT_EQ(hex(sample()),
            "0000000000000000"  // base offset
            "0000004d"          // length
            "00000000"          // leader epoch
            "02"                // magic
            "73b4dac6"          // checksum
            "0000"              // attributes
            "00000001"          // last offset delta
            "00000000000003e8"  // base timestamp
            "00000000000003e8"  // max timestamp
            "ffffffffffffffff"  // producer
            "ffff"
            "ffffffff"
            "00000002"  // count
            "28"
            "00"
            "00"
            "00"
            "06"
            "6e6574"
            "16"
            "7b226d6167223a342e357d"
            "00"
            "0c"
            "00"
            "03"
            "02"
            "01"
            "00"
            "00");
}

// Values in place give the bytes that copied ones do, whatever the length of the one before.
TEST(RecordBatch, InPlace) {
  Random random(8);
  RecordBatchBuilder copied;
  RecordBatchBuilder placed;
  for (int round = 0; round < 20; ++round) {
    for (uint64_t i = 0; i < 200; ++i) {
      const std::string value(random.below(random.chance(10) ? 20'000 : 100),
                              static_cast<char>(random.next()));
      const auto time = static_cast<int64_t>(random.below(100'000));
      copied.add(std::nullopt, value, time);
      const auto written = placed.add_in_place(time, [&](std::string& bytes, size_t at) {
        if (bytes.size() < at + value.size() + 3) bytes.resize(at + value.size() + 3, '?');
        bytes.replace(at, value.size(), value);
        return at + value.size();
      });
      EXPECT_EQ(written, value);
    }
    EXPECT_EQ(placed.bytes(), copied.bytes());
    EXPECT_EQ(placed.finish(), copied.finish());
  }
}

TEST(RecordBatch, RoundTrip) {
  Random random(7);
  RecordBatchBuilder builder;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<std::optional<std::string>, std::string>> rows;
    std::vector<int64_t> times;
    const auto n = 1 + random.below(300);
    for (uint64_t i = 0; i < n; ++i) {
      std::optional<std::string> key;
      if (!random.chance(3)) key = std::string(random.below(200), 'k');
      rows.emplace_back(key, std::string(random.below(20'000 / n + 1), static_cast<char>(random.next())));
      times.push_back(static_cast<int64_t>(random.next() >> 3) * (random.chance(2) ? 1 : -1));
      builder.add(rows.back().first, rows.back().second, times.back());
    }
    const size_t announced = builder.bytes();
    const std::string batch = builder.finish();
    EXPECT_EQ(announced, batch.size());
    EXPECT_TRUE(builder.empty());
    const auto view = RecordBatchView::parse(batch, true);
    ASSERT_TRUE(view.ok()) << view.error().to_string();
    ASSERT_EQ(view->count(), n);
    EXPECT_EQ(view->last_offset().value, static_cast<int64_t>(n) - 1);
    EXPECT_EQ(view->max_timestamp_ms(), *std::max_element(times.begin(), times.end()));
    RecordBatchView::Cursor cursor(*view);
    Record record;
    for (uint64_t i = 0; i < n; ++i) {
      ASSERT_TRUE(cursor.next(record));
      EXPECT_EQ(record.key, rows[i].first);
      EXPECT_EQ(record.value, rows[i].second);
      EXPECT_EQ(record.timestamp_ms, times[i]);
      EXPECT_EQ(record.offset.value, static_cast<int64_t>(i));
    }
    EXPECT_FALSE(cursor.next(record));
    EXPECT_TRUE(cursor.ok());
  }
}

TEST(RecordBatch, EveryFlippedBitBehindTheLogsOwnFieldsIsSeen) {
  const std::string batch = sample();
  for (size_t bit = 8 * 8; bit < batch.size() * 8; ++bit) {
    if (bit / 8 >= 12 && bit / 8 < 16) continue;  // the leader epoch is the log's, like the base offset
    std::string flipped = batch;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(RecordBatchView::parse(flipped, true).ok()) << "bit " << bit;
  }
}

TEST(RecordBatch, DamageNeverReadsOutside) {
  // Each damaged batch lies alone in its allocation, so that the address sanitizer sees a step outside.
  Random random(11);
  const std::string batch = sample();
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = batch.substr(0, random.chance(4) ? random.below(batch.size() + 1) : batch.size());
    for (uint64_t n = random.below(4); n > 0 && !damaged.empty(); --n) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    }
    if (damaged.size() >= 12)
      store_be<int32_t>(damaged.data() + 8, static_cast<int32_t>(damaged.size() - 12));
    const std::vector<char> exact(damaged.begin(), damaged.end());
    const auto view = RecordBatchView::parse({exact.data(), exact.size()}, false);
    if (!view.ok()) continue;
    RecordBatchView::Cursor cursor(*view);
    Record record;
    size_t bytes = 0;
    while (cursor.next(record)) bytes += record.value.size() + (record.key ? record.key->size() : 0);
    EXPECT_LE(bytes, exact.size());
  }
}

TEST(RecordBatch, RefusesCompressionAndOtherFormats) {
  std::string batch = sample();
  batch[22] = 1;
  EXPECT_EQ(RecordBatchView::parse(batch, false).error().code, Code::kUnsupported);
  batch = sample();
  batch[16] = 1;
  EXPECT_EQ(RecordBatchView::parse(batch, false).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace millrace::log
