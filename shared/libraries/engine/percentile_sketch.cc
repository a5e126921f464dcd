// Percentiles, about: DDSketch (Masson, Rim, Lee, 2019): a count for each of many buckets, every one so narrow that its
// middle is within 1 % of all that is in it.
//
// Buckets: the sign, the exponent and the first six bits of the mantissa of a double in the order of the doubles: each
//          power of two in 64 buckets of one width, a whole number's work, the same on every machine. So a middle is off
//          by at most 1/128.
// State:   buckets that hold something, ascending: number (4 bytes), count (8).
// Bound:   kMostBuckets, 64 powers of two; what is below the largest so many counts in the lowest one of those, in
//          whatever order the values came.
#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "engine/sketch.h"
#include "engine/value_codec.h"

namespace millrace::engine {
namespace {

constexpr size_t kEntryBytes = 12;
constexpr size_t kMostBuckets = 4096;
constexpr int kDroppedBits = 64 - 1 - 11 - 6;
static_assert(kMostBuckets * kEntryBytes <= kMaxSketchBytes);

uint32_t bucket_of(double value) {
  return static_cast<uint32_t>(ordered_bits(value) >> kDroppedBits);
}

double middle_of(uint32_t bucket) {
  const uint64_t first = uint64_t{bucket} << kDroppedBits;
  const double low = from_ordered_bits(first);
  const double high = from_ordered_bits(first | ((uint64_t{1} << kDroppedBits) - 1));
  if (std::isinf(low)) return low;
  if (std::isinf(high)) return high;
  if (std::isnan(low)) return std::nan("");
  if (low == 0 || high == 0) return 0;
  return low + (high - low) / 2;
}

size_t buckets_in(std::string_view state) {
  return state.size() / kEntryBytes;
}
uint32_t bucket_at(std::string_view state, size_t i) {
  return load_le<uint32_t>(state.data() + i * kEntryBytes);
}
uint64_t count_at(std::string_view state, size_t i) {
  return load_le<uint64_t>(state.data() + i * kEntryBytes + 4);
}
void add_count(std::string& state, size_t i, uint64_t count) {
  store_le(state.data() + i * kEntryBytes + 4, count_at(state, i) + count);
}

void add(std::string& state, uint32_t bucket, uint64_t count) {
  const size_t from = first_place(buckets_in(state), [&](size_t i) { return bucket_at(state, i) >= bucket; });
  if (from < buckets_in(state) && bucket_at(state, from) == bucket) return add_count(state, from, count);
  std::string entry;
  append_le(entry, bucket);
  append_le(entry, count);
  state.insert(from * kEntryBytes, entry);
  if (buckets_in(state) <= kMostBuckets) return;
  add_count(state, 1, count_at(state, 0));
  state.erase(0, kEntryBytes);
}

class PercentileSketch : public Sketch {
 public:
  explicit PercentileSketch(double fraction) : fraction_(fraction) {}

  void of_row(std::string& out, const Column& values, size_t row, PartitionId) const override {
    append_le(out, bucket_of(values.doubles[row]));
    append_le(out, uint64_t{1});
  }

  bool merge(std::string& state, std::string_view more) const override {
    if (more.empty() || more.size() % kEntryBytes != 0 || buckets_in(more) > kMostBuckets) return false;
    for (size_t i = 0; i < buckets_in(more); ++i) add(state, bucket_at(more, i), count_at(more, i));
    return true;
  }

  // The least value that the fraction of all is not above: percentile_disc.
  void finish(std::string_view state, Column& out) const override {
    if (state.empty()) return out.append_null();
    double all = 0;
    for (size_t i = 0; i < buckets_in(state); ++i) all += static_cast<double>(count_at(state, i));
    const double rank = std::max(std::ceil(fraction_ * all), 1.0);
    double seen = 0;
    size_t i = 0;
    for (; i + 1 < buckets_in(state); ++i) {
      seen += static_cast<double>(count_at(state, i));
      if (seen >= rank) break;
    }
    append_answer(out, middle_of(bucket_at(state, i)));
  }

 private:
  double fraction_;
};

}  // namespace

std::shared_ptr<const Sketch> percentile_sketch(double fraction) {
  return std::make_shared<PercentileSketch>(fraction);
}

}  // namespace millrace::engine
