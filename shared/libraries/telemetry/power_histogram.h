// PowerHistogram: how often which value occurred, in buckets that end at powers of two, as a page of buckets shows it.
//
// Why:     Prometheus adds buckets of several nodes and of any stretch of time, which quantiles do not allow;
//          there may be some thousand of these, one for every stream and stage.
// Unit:    whatever is recorded, as long as it is one; times are microseconds.
// Threads: confined to one; recording is two additions.
// Bound:   values above 2^39 count as 2^39 (six days, of microseconds); negative ones as 0. 328 bytes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace millrace::telemetry {

class PowerHistogram {
 public:
  static constexpr size_t kBuckets = 40;

  void record(int64_t value) {
    const auto v =
        std::min(static_cast<uint64_t>(std::max<int64_t>(value, 0)), uint64_t{1} << (kBuckets - 1));
    ++buckets_[v <= 1 ? 0 : static_cast<size_t>(std::bit_width(v - 1))];
    sum_ += v;
  }
  // Values above 2^(bucket - 1), up to 2^bucket.
  uint64_t in_bucket(size_t bucket) const { return buckets_[bucket]; }
  uint64_t sum() const { return sum_; }
  uint64_t count() const {
    uint64_t all = 0;
    for (const uint64_t n : buckets_) all += n;
    return all;
  }

  // Takes away what `other` counted, all of which was recorded here, too.
  void subtract(const PowerHistogram& other) {
    for (size_t i = 0; i < kBuckets; ++i) buckets_[i] -= other.buckets_[i];
    sum_ -= other.sum_;
  }

 private:
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t sum_ = 0;
};

}  // namespace millrace::telemetry
