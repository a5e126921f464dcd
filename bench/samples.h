// Samples: every latency of a run, kept as it is. A round has some hundred thousand: exact quantiles cost
// less than a histogram's explanation.
//
// Bound: kMax samples; later ones are counted in dropped(), and a run that dropped any is not reported.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::bench {

class Samples {
 public:
  static constexpr size_t kMax = 50'000'000;

  void reserve(size_t n) { values_.reserve(n); }
  void record(int64_t ns) {
    if (values_.size() < kMax) {
      values_.push_back(ns);
    } else {
      ++dropped_;
    }
  }
  size_t count() const { return values_.size(); }
  size_t dropped() const { return dropped_; }
  // The nearest-rank quantile in milliseconds; 0 without samples.
  double ms(double q) {
    if (values_.empty()) return 0;
    const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values_.size())));
    const auto at =
        values_.begin() + static_cast<std::ptrdiff_t>(std::clamp<size_t>(rank, 1, values_.size()) - 1);
    std::nth_element(values_.begin(), at, values_.end());
    return static_cast<double>(*at) / 1e6;
  }
  void clear() { values_.clear(); }

 private:
  std::vector<int64_t> values_;
  size_t dropped_ = 0;
};

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace millrace::bench
