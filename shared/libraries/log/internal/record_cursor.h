// RecordBatchView::Cursor: the records of a batch, in order. Part of log/record_batch.h, inline: a call would cost as
// much as what it does.
#pragma once

#include <algorithm>

#include "base/bytes.h"
#include "log/record_batch.h"

namespace millrace::log {

class RecordBatchView::Cursor {
 public:
  explicit Cursor(const RecordBatchView& batch)
      : p_(batch.bytes_.data() + std::min(batch.bytes_.size(), kRecordBatchHeader)),
        end_(batch.bytes_.data() + batch.bytes_.size()),
        base_offset_(batch.bytes_.empty() ? 0 : batch.base_offset().value),
        base_timestamp_ms_(batch.bytes_.empty() ? 0 : batch.base_timestamp_ms()),
        left_(batch.bytes_.empty() ? 0 : batch.count()) {}

  bool next(Record& out);          // false at the end or on damage
  bool ok() const { return ok_; }  // false: the records do not parse

 private:
  static const char* take_varint(const char* p, const char* end, int64_t& out);
  static const char* take_bytes(const char* p, const char* end, std::string_view& out, bool& present);
  bool take(const char* p, const char* end, Record& out) const;

  const char* p_;
  const char* end_;
  int64_t base_offset_;
  int64_t base_timestamp_ms_;
  uint32_t left_;
  bool ok_ = true;
};

// nullptr if it does not end before `end`.
inline const char* RecordBatchView::Cursor::take_varint(const char* p, const char* end, int64_t& out) {
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
inline const char* RecordBatchView::Cursor::take_bytes(const char* p, const char* end, std::string_view& out,
                                                       bool& present) {
  int64_t length = 0;
  p = take_varint(p, end, length);
  if (p == nullptr || length < -1 || length > end - p) return nullptr;
  present = length >= 0;
  out = present ? std::string_view(p, static_cast<size_t>(length)) : std::string_view();
  return present ? p + length : p;
}

inline bool RecordBatchView::Cursor::take(const char* p, const char* end, Record& out) const {
  if (p == end) return false;
  ++p;  // attributes: unused in format 2
  int64_t time_delta = 0;
  int64_t offset_delta = 0;
  if ((p = take_varint(p, end, time_delta)) == nullptr) return false;
  if ((p = take_varint(p, end, offset_delta)) == nullptr || offset_delta < 0) return false;
  std::string_view key;
  bool has_key = false;
  if ((p = take_bytes(p, end, key, has_key)) == nullptr) return false;
  if ((p = take_bytes(p, end, out.value, out.has_value)) == nullptr) return false;
  out.key = has_key ? std::optional(key) : std::nullopt;
  // Unsigned, so that a hostile delta wraps instead of overflowing.
  out.timestamp_ms =
      static_cast<int64_t>(static_cast<uint64_t>(base_timestamp_ms_) + static_cast<uint64_t>(time_delta));
  out.offset =
      Offset(static_cast<int64_t>(static_cast<uint64_t>(base_offset_) + static_cast<uint64_t>(offset_delta)));
  out.headers = std::string_view(p, static_cast<size_t>(end - p));
  return !out.headers.empty();  // at least the count of headers
}

inline bool RecordBatchView::Cursor::next(Record& out) {
  if (left_ == 0) {
    ok_ = ok_ && p_ == end_;
    return false;
  }
  int64_t length = 0;
  const char* const p = take_varint(p_, end_, length);
  if (p == nullptr || length < 0 || length > end_ - p || !take(p, p + length, out)) {
    left_ = 0;
    p_ = end_;
    return ok_ = false;
  }
  p_ = p + length;
  --left_;
  return true;
}

}  // namespace millrace::log
