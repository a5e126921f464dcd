// RecordBatch v2, Kafka's on-disk and on-wire layout of a run of records. What comes in over Kafka's
// protocol, what lies on the disk and what goes out are the same bytes.
//
// Layout (big-endian): baseOffset i64, batchLength i32 (bytes after this field), partitionLeaderEpoch i32,
// magic i8 = 2, crc u32 (CRC-32C from attributes to the end), attributes i16, lastOffsetDelta i32,
// baseTimestamp i64 (ms), maxTimestamp i64, producerId i64, producerEpoch i16, baseSequence i32, count i32,
// then the records: length varint, attributes i8, timestampDelta varint, offsetDelta varint, key, value
// (varint length, -1 = null), headers. Source: kafka.apache.org, protocol guide, "Record Batch". baseOffset
// and partitionLeaderEpoch stand outside the CRC: the log sets them without touching the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"

namespace millrace::log {

inline constexpr size_t kRecordBatchHeader = 61;
// No partition gets there; stored offsets beyond are damage, and sums with those below have room.
inline constexpr int64_t kLargestOffset = int64_t{1} << 62;

struct Record {
  Offset offset;
  int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;
  std::string_view value;  // empty and null are told apart by has_value
  bool has_value = true;
  std::string_view headers;  // undecoded; count first
};

// Builds one uncompressed batch. Reusable: finish() leaves it empty, with its capacity.
class RecordBatchBuilder {
 public:
  void add(std::optional<std::string_view> key, std::string_view value, int64_t timestamp_ms);
  // A record without a key, whose value `write(bytes, at)` puts at bytes[at]: it makes `bytes` longer as it needs and
  // answers where the value ends. The value; valid until the next call.
  template <typename Write>
  std::string_view add_in_place(int64_t timestamp_ms, Write&& write) {
    const size_t at = begin_in_place();
    return end_in_place(at, write(bytes_, at), timestamp_ms);
  }
  uint32_t count() const { return count_; }
  size_t bytes() const { return used_; }
  bool empty() const { return count_ == 0; }
  std::string finish() &;   // base offset 0, no producer; keeps its capacity for the next batch
  std::string finish() &&;  // the same, without a copy
  void reserve(size_t bytes) { room(bytes); }

 private:
  struct Head;

  char* room(size_t size);
  Head head_of(std::optional<std::string_view> key, size_t value_size, int64_t timestamp_ms);
  size_t begin_in_place();
  std::string_view end_in_place(size_t at, size_t end, int64_t timestamp_ms);
  void write_header();

  std::string bytes_;  // grown by doubling; the first used_ bytes count
  size_t used_ = 0;
  uint32_t count_ = 0;
  int64_t base_timestamp_ms_ = 0;
  int64_t max_timestamp_ms_ = 0;
  size_t last_head_ =
      0;  // bytes before the value of the last record in place: most often the next one's, too
};

// Reads one batch. parse() checks lengths, magic and, if asked, the CRC; records are checked as they are
// read. The view borrows the bytes.
class RecordBatchView {
 public:
  RecordBatchView() = default;
  static Result<RecordBatchView> parse(std::string_view bytes, bool check_crc);

  Offset base_offset() const;
  uint32_t count() const;
  Offset last_offset() const;
  int64_t base_timestamp_ms() const;
  int64_t max_timestamp_ms() const;
  std::string_view bytes() const { return bytes_; }

  class Cursor;  // its records: next(record) until false, then ok()

 private:
  std::string_view bytes_;
};

}  // namespace millrace::log

#include "log/internal/record_cursor.h"
