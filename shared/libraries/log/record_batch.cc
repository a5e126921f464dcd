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

void RecordBatchBuilder::add(std::optional<std::string_view> key, std::string_view value,
                             int64_t timestamp_ms) {
  if (count_ == 0) {
    room(kRecordBatchHeader);
    used_ = kRecordBatchHeader;
    base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  }
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  const uint64_t time_delta = zigzag(wrapping_difference(timestamp_ms, base_timestamp_ms_));
  const uint64_t offset_delta = zigzag(count_);
  const uint64_t key_length = zigzag(key ? static_cast<int64_t>(key->size()) : -1);
  const uint64_t value_length = zigzag(static_cast<int64_t>(value.size()));
  const size_t key_size = key ? key->size() : 0;
  const size_t body = 2 + varint_size(time_delta) + varint_size(offset_delta) + varint_size(key_length) +
                      key_size + varint_size(value_length) + value.size();
  char* p = room(body + kVarintRoom);
  char* const begin = p;
  p = store_varint(p, zigzag(static_cast<int64_t>(body)));
  *p++ = 0;  // attributes
  p = store_varint(p, time_delta);
  p = store_varint(p, offset_delta);
  p = store_varint(p, key_length);
  if (key_size != 0) std::memcpy(p, key->data(), key_size);
  p = store_varint(p + key_size, value_length);
  if (!value.empty()) std::memcpy(p, value.data(), value.size());
  p += value.size();
  *p++ = 0;  // no headers
  used_ += static_cast<size_t>(p - begin);
  ++count_;
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

RecordBatchView::Cursor::Cursor(const RecordBatchView& batch)
    : rest_(batch.bytes_.substr(std::min(batch.bytes_.size(), kRecordBatchHeader))),
      base_offset_(batch.bytes_.empty() ? 0 : batch.base_offset().value),
      base_timestamp_ms_(batch.bytes_.empty() ? 0 : batch.base_timestamp_ms()),
      left_(batch.bytes_.empty() ? 0 : batch.count()) {}

namespace {

// Takes one varint; nullptr if it does not end before `end`. One byte is the usual case.
inline const char* take_varint(const char* p, const char* end, int64_t& out) {
  if (p < end && static_cast<uint8_t>(*p) < 0x80) {
    out = unzigzag(static_cast<uint8_t>(*p));
    return p + 1;
  }
  uint64_t v = 0;
  for (int shift = 0; shift < 64 && p < end; shift += 7) {
    const auto b = static_cast<uint8_t>(*p++);
    v |= uint64_t{b & 0x7Fu} << shift;
    if (b < 0x80) {
      out = unzigzag(v);
      return p;
    }
  }
  return nullptr;
}

// Takes a length and that many bytes; -1 is null.
inline const char* take_bytes(const char* p, const char* end, std::string_view& out, bool& present) {
  int64_t length = 0;
  p = take_varint(p, end, length);
  if (p == nullptr || length < -1 || length > end - p) return nullptr;
  present = length >= 0;
  out = present ? std::string_view(p, static_cast<size_t>(length)) : std::string_view();
  return present ? p + length : p;
}

const char* take_record(const char* p, const char* end, Record& out) {
  if (p == end) return nullptr;
  ++p;  // attributes: unused in format 2
  int64_t time_delta = 0;
  int64_t offset_delta = 0;
  if ((p = take_varint(p, end, time_delta)) == nullptr) return nullptr;
  if ((p = take_varint(p, end, offset_delta)) == nullptr || offset_delta < 0) return nullptr;
  std::string_view key;
  bool has_key = false;
  if ((p = take_bytes(p, end, key, has_key)) == nullptr) return nullptr;
  if ((p = take_bytes(p, end, out.value, out.has_value)) == nullptr) return nullptr;
  out.key = has_key ? std::optional(key) : std::nullopt;
  out.timestamp_ms = time_delta;
  out.offset = Offset(offset_delta);
  out.headers = std::string_view(p, static_cast<size_t>(end - p));
  return out.headers.empty() ? nullptr : end;  // at least the count of headers
}

}  // namespace

// Each record is found by the length of the one before, which waits for memory: what comes soon is asked for together.
void RecordBatchView::Cursor::warm() {
  constexpr size_t kAtOnce = 8u << 10;
  constexpr size_t kLine = 64;
  const std::string_view soon = rest_.substr(0, kAtOnce);
  for (size_t i = 0; i < soon.size(); i += kLine) __builtin_prefetch(soon.data() + i);
  warm_to_ = soon.data() + soon.size();
}

bool RecordBatchView::Cursor::next(Record& out) {
  if (left_ == 0) {
    ok_ = ok_ && rest_.empty();
    return false;
  }
  if (rest_.data() >= warm_to_) warm();
  const char* p = rest_.data();
  const char* const end = p + rest_.size();
  int64_t length = 0;
  p = take_varint(p, end, length);
  if (p == nullptr || length < 0 || length > end - p || take_record(p, p + length, out) == nullptr) {
    left_ = 0;
    rest_ = {};
    return ok_ = false;
  }
  // Unsigned, so that a hostile delta wraps instead of overflowing.
  out.offset = Offset(
      static_cast<int64_t>(static_cast<uint64_t>(base_offset_) + static_cast<uint64_t>(out.offset.value)));
  out.timestamp_ms = static_cast<int64_t>(static_cast<uint64_t>(base_timestamp_ms_) +
                                          static_cast<uint64_t>(out.timestamp_ms));
  rest_.remove_prefix(static_cast<size_t>(p + length - rest_.data()));
  --left_;
  return true;
}

}  // namespace millrace::log
