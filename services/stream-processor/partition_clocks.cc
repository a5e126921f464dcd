#include "stream-processor/partition_clocks.h"

#include <algorithm>

namespace millrace::processor {

int64_t PartitionClocks::next_expiry(const std::vector<uint8_t>& own) const {
  int64_t next = INT64_MAX;
  if (idle_timeout_us_ == 0) return next;
  for (size_t p = 0; p < clocks_.size(); ++p) {
    const auto& clock = clocks_[p];
    if (own[p] && clock.seen && !clock.idle) next = std::min(next, clock.last_append_us + idle_timeout_us_);
  }
  return next;
}

bool PartitionClocks::expire(const std::vector<uint8_t>& own, AppendTime time) {
  bool any = false;
  if (idle_timeout_us_ == 0) return any;
  for (size_t p = 0; p < clocks_.size(); ++p) {
    auto& clock = clocks_[p];
    if (!own[p] || !clock.seen || clock.idle) continue;
    if (time.value - clock.last_append_us < idle_timeout_us_) continue;
    clock.idle = true;
    any = true;
  }
  return any;
}

void PartitionClocks::restart(AppendTime time) {
  for (auto& clock : clocks_) {
    if (clock.seen) clock.last_append_us = time.value;
  }
}

void PartitionClocks::settle() {
  int64_t minimum = INT64_MAX;
  for (const auto& clock : clocks_) {
    if (clock.seen && !clock.idle) minimum = std::min(minimum, clock.watermark_us);
  }
  if (minimum != INT64_MAX) raise_closed(minimum);
}

void PartitionClocks::save(std::string& out) const {
  append_le(out, closed_us_);
  append_varint(out, clocks_.size());
  for (const auto& clock : clocks_) {
    append_le<uint8_t>(out, static_cast<uint8_t>((clock.seen ? 1 : 0) | (clock.idle ? 2 : 0)));
    append_le(out, clock.watermark_us);
    append_le(out, clock.last_append_us);
    append_le(out, clock.last_batch.value);
  }
}

bool PartitionClocks::load(ByteReader& in) {
  closed_us_ = in.le<int64_t>();
  if (in.varint() != clocks_.size()) return false;
  for (auto& clock : clocks_) {
    const auto flags = in.le<uint8_t>();
    clock.seen = (flags & 1) != 0;
    clock.idle = (flags & 2) != 0;
    clock.watermark_us = in.le<int64_t>();
    clock.last_append_us = in.le<int64_t>();
    clock.last_batch = Cut(in.le<uint64_t>());
  }
  return in.ok();
}

}  // namespace millrace::processor
