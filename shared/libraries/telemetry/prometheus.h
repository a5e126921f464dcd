// PrometheusText: a /metrics page in the Prometheus text exposition format, version 0.0.4.
//
// Order:  all samples of a metric stand together: name it once with family(), then add its samples.
// Labels: values are escaped; names are ours and are not checked.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "telemetry/histogram.h"
#include "telemetry/power_histogram.h"

namespace millrace::telemetry {

// Which buckets of a PowerHistogram a page shows: those that end at 2^first, 2^(first + step), … 2^last.
struct BucketScale {
  size_t first, last, step;
  double unit;  // of what was recorded, in the page's
};
inline constexpr BucketScale kSecondsScale{6, 26, 1, 1e-6};        // 64 µs … 67 s
inline constexpr BucketScale kCoarseSecondsScale{6, 26, 2, 1e-6};  // of which there may be hundreds
inline constexpr BucketScale kBytesScale{8, 26, 2, 1};             // 256 B … 64 MiB
inline constexpr BucketScale kCountScale{0, 20, 2, 1};             // 1 … 1,048,576

class PrometheusText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void family(std::string_view name, std::string_view type, std::string_view help);
  // One sample of the family that was named last. `suffix` is for summaries: _sum and _count.
  void sample(double value, Labels labels = {}, std::string_view suffix = {});

  void counter(std::string_view name, std::string_view help, double value) {
    family(name, "counter", help);
    sample(value);
  }
  void gauge(std::string_view name, std::string_view help, double value) {
    family(name, "gauge", help);
    sample(value);
  }
  // Quantiles 0.5, 0.9, 0.99, 0.999 and 1 since the start. The histogram holds microseconds, the page
  // seconds.
  void summary_seconds(std::string_view name, std::string_view help, const Histogram& microseconds);

  // One histogram of the family that was named last.
  void histogram(const PowerHistogram& values, const BucketScale& scale, Labels labels = {});

  std::string take() { return std::move(out_); }

 private:
  void start_sample(Labels labels, std::string_view suffix, double bucket_end);

  std::string out_;
  std::string family_;
};

}  // namespace millrace::telemetry
