#include "log/record_batch.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace millrace::log {
namespace {

// Where the header's fields stand.
constexpr size_t kBaseOffset = 0;
constexpr size_t kBatchLength = 8;
constexpr size_t kMagic = 16;
constexpr size_t kCrc = 17;
constexpr size_t kAttributes = 21;
constexpr size_t kLastOffsetDelta = 23;
constexpr size_t kBaseTimestamp = 27;
constexpr size_t kMaxTimestamp = 35;
constexpr size_t kProducerId = 43;
constexpr size_t kProducerEpoch = 51;
constexpr size_t kBaseSequence = 53;
constexpr size_t kCount = 57;
constexpr size_t kAfterLength = 12;    // batchLength counts the bytes from here
constexpr size_t kSmallestRecord = 7;  // length, attributes, two deltas, null key, null value, no headers
constexpr size_t kVarintRoom = 10;
constexpr uint16_t kCompressionBits = 7;

size_t varint_size(uint64_t v) {
  return (static_cast<size_t>(std::bit_width(v | 1)) + 6) / 7;
}

// Unsigned, so that far-apart times wrap (and come back when added) instead of overflowing.
int64_t wrapping_difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

Error damaged(const char* what) {
  return error(Code::kCorrupt, "MR-LOG-0001", std::string("the record batch is damaged: ") + what);
}

}  // namespace

char* RecordBatchBuilder::room(size_t size) {
  if (bytes_.size() < used_ + size)
    bytes_.resize(std::max(used_ + size, std::max<size_t>(4096, 2 * bytes_.size())));
  return bytes_.data() + used_;
}

// What stands before a record's value.
struct RecordBatchBuilder::Head {
  uint64_t body;  // the record's bytes behind its length
  uint64_t time_delta, offset_delta, key_length, value_length;

  char* put_up_to_key(char* p) const {
    p = store_varint(p, zigzag(static_cast<int64_t>(body)));
    *p++ = 0;  // attributes
    p = store_varint(p, time_delta);
    p = store_varint(p, offset_delta);
    return store_varint(p, key_length);
  }
};

RecordBatchBuilder::Head RecordBatchBuilder::head_of(std::optional<std::string_view> key, size_t value_size,
                                                     int64_t timestamp_ms) {
  if (count_ == 0) base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  Head head{.body = 0,
            .time_delta = zigzag(wrapping_difference(timestamp_ms, base_timestamp_ms_)),
            .offset_delta = zigzag(count_),
            .key_length = zigzag(key ? static_cast<int64_t>(key->size()) : -1),
            .value_length = zigzag(static_cast<int64_t>(value_size))};
  head.body = 2 + varint_size(head.time_delta) + varint_size(head.offset_delta) +
              varint_size(head.key_length) + (key ? key->size() : 0) + varint_size(head.value_length) +
              value_size;
  return head;
}

void RecordBatchBuilder::add(std::optional<std::string_view> key, std::string_view value,
                             int64_t timestamp_ms) {
  const Head head = head_of(key, value.size(), timestamp_ms);
  if (count_ == 0) used_ = kRecordBatchHeader;
  char* const begin = room(head.body + kVarintRoom);
  char* p = head.put_up_to_key(begin);
  if (key && !key->empty()) std::memcpy(p, key->data(), key->size());
  p = store_varint(p + (key ? key->size() : 0), head.value_length);
  if (!value.empty()) std::memcpy(p, value.data(), value.size());
  p += value.size();
  *p++ = 0;  // no headers
  used_ += static_cast<size_t>(p - begin);
  ++count_;
}

size_t RecordBatchBuilder::begin_in_place() {
  if (count_ == 0) used_ = kRecordBatchHeader;
  room(last_head_);
  return used_ + last_head_;
}

std::string_view RecordBatchBuilder::end_in_place(size_t at, size_t end, int64_t timestamp_ms) {
  const size_t size = end - at;
  const Head head = head_of(std::nullopt, size, timestamp_ms);
  last_head_ = varint_size(zigzag(static_cast<int64_t>(head.body))) + head.body - size - 1;
  char* const begin = room(last_head_ + size + 1);
  char* const value = begin + last_head_;
  if (at != used_ + last_head_) std::memmove(value, bytes_.data() + at, size);
  store_varint(head.put_up_to_key(begin), head.value_length);
  value[size] = 0;  // no headers
  used_ += last_head_ + size + 1;
  ++count_;
  return {value, size};
}

void RecordBatchBuilder::write_header() {
  CHECK(count_ > 0, "a record batch has at least one record");
  CHECK(used_ <= static_cast<size_t>(std::numeric_limits<int32_t>::max()), "a record batch is below 2 GB");
  char* p = bytes_.data();
  store_be<int64_t>(p + kBaseOffset, 0);
  store_be<int32_t>(p + kBatchLength, static_cast<int32_t>(used_ - kAfterLength));
  store_be<int32_t>(p + kAfterLength, 0);  // partition leader epoch
  p[kMagic] = 2;
  store_be<int16_t>(p + kAttributes, 0);
  store_be<int32_t>(p + kLastOffsetDelta, static_cast<int32_t>(count_ - 1));
  store_be<int64_t>(p + kBaseTimestamp, base_timestamp_ms_);
  store_be<int64_t>(p + kMaxTimestamp, max_timestamp_ms_);
  store_be<int64_t>(p + kProducerId, -1);
  store_be<int16_t>(p + kProducerEpoch, -1);
  store_be<int32_t>(p + kBaseSequence, -1);
  store_be<int32_t>(p + kCount, static_cast<int32_t>(count_));
  store_be<uint32_t>(p + kCrc, crc32c(0, {p + kAttributes, used_ - kAttributes}));
}

std::string RecordBatchBuilder::finish() & {
  write_header();
  count_ = 0;
  return bytes_.substr(0, std::exchange(used_, 0));
}
std::string RecordBatchBuilder::finish() && {
  write_header();
  bytes_.resize(used_);
  return std::move(bytes_);
}

Result<RecordBatchView> RecordBatchView::parse(std::string_view bytes, bool check_crc) {
  if (bytes.size() < kRecordBatchHeader) return damaged("shorter than its header");
  const char* p = bytes.data();
  const auto length = load_be<int32_t>(p + kBatchLength);
  if (length < 0 || static_cast<size_t>(length) + kAfterLength != bytes.size())
    return damaged("its length is wrong");
  if (p[kMagic] != 2)
    return error(Code::kUnsupported, "MR-LOG-0006", "only record batches of format 2 are read");
  if ((load_be<uint16_t>(p + kAttributes) & kCompressionBits) != 0) {
    return error(Code::kUnsupported, "MR-LOG-0006", "compressed record batches are not read",
                 "send with compression.type=none");
  }
  const auto count = load_be<int32_t>(p + kCount);
  const auto last = load_be<int32_t>(p + kLastOffsetDelta);
  if (count < 1 || static_cast<size_t>(count) > (bytes.size() - kRecordBatchHeader) / kSmallestRecord) {
    return damaged("its count of records is impossible");
  }
  if (last < count - 1) return damaged("its last offset is before its count");
  const auto base = load_be<int64_t>(p + kBaseOffset);
  if (base < 0 || base > kLargestOffset - last) return damaged("its offsets are out of range");
  if (check_crc && crc32c(0, bytes.substr(kAttributes)) != load_be<uint32_t>(p + kCrc)) {
    return damaged("its checksum does not match");
  }
  RecordBatchView view;
  view.bytes_ = bytes;
  return view;
}

Offset RecordBatchView::base_offset() const {
  return Offset(load_be<int64_t>(bytes_.data() + kBaseOffset));
}
uint32_t RecordBatchView::count() const {
  return load_be<uint32_t>(bytes_.data() + kCount);
}
Offset RecordBatchView::last_offset() const {
  return Offset(base_offset().value + load_be<int32_t>(bytes_.data() + kLastOffsetDelta));
}
int64_t RecordBatchView::base_timestamp_ms() const {
  return load_be<int64_t>(bytes_.data() + kBaseTimestamp);
}
int64_t RecordBatchView::max_timestamp_ms() const {
  return load_be<int64_t>(bytes_.data() + kMaxTimestamp);
}

}  // namespace millrace::log
