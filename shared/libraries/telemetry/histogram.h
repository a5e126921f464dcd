// Histogram: how often which duration occurred, at a fixed relative precision, in constant memory.
//
// Shape:   buckets are linear within a power of two (32 each), so a quantile is at most 1/32 = 3.2 % too
//          high.
// Source:  the log-linear bucketing of HdrHistogram (Gil Tene).
// Unit:    whatever is recorded, as long as it is one; Millrace records microseconds.
// Threads: confined to one.
// Bound:   values above 2^40 count as 2^40; negative ones as 0. About 9 KB.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace millrace::telemetry {

class Histogram {
 public:
  static constexpr uint64_t kLargest = uint64_t{1} << 40;

  void record(int64_t value) {
    const uint64_t v = std::min(static_cast<uint64_t>(std::max<int64_t>(value, 0)), kLargest);
    ++buckets_[bucket_of(v)];
    ++count_;
    sum_ += v;
    max_ = std::max(max_, v);
  }

  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }
  uint64_t max() const { return max_; }

  // The upper end of the bucket in which the quantile (0 … 1) lies, never above max(); 0 if nothing was
  // recorded.
  uint64_t quantile(double q) const {
    if (count_ == 0) return 0;
    const auto rank = static_cast<uint64_t>(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_ - 1)) + 1;
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= rank) return std::min(upper_end(i), max_);
    }
    return max_;
  }

 private:
  static constexpr int kLinearBits = 5;
  static constexpr uint64_t kLinear = uint64_t{1} << kLinearBits;

  static size_t bucket_of(uint64_t v) {
    if (v < kLinear) return v;
    const int shift = std::bit_width(v) - 1 - kLinearBits;
    return static_cast<size_t>(shift + 1) * kLinear + ((v >> shift) - kLinear);
  }
  static uint64_t upper_end(size_t bucket) {
    if (bucket < kLinear) return bucket;
    const uint64_t shift = bucket / kLinear - 1;
    return ((bucket % kLinear + kLinear + 1) << shift) - 1;
  }

  std::array<uint64_t, (40 - kLinearBits + 2) * kLinear> buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

}  // namespace millrace::telemetry
