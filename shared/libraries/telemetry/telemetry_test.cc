#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "telemetry/histogram.h"
#include "telemetry/prometheus.h"

namespace millrace::telemetry {
namespace {

TEST(Histogram, EmptyAnswersZero) {
  const Histogram h;
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.quantile(0.99), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram h;
  for (int i = 1; i <= 31; ++i) h.record(i);
  EXPECT_EQ(h.quantile(0), 1u);
  EXPECT_EQ(h.quantile(0.5), 16u);
  EXPECT_EQ(h.quantile(1), 31u);
  EXPECT_EQ(h.sum(), 31u * 16);
}

TEST(Histogram, ValuesOutOfRangeAreKeptAtItsEnds) {
  Histogram h;
  h.record(-5);
  h.record(INT64_MAX);
  EXPECT_EQ(h.quantile(0), 0u);
  EXPECT_EQ(h.quantile(1), Histogram::kLargest);
}

// Against sorted values: never below the true quantile, and at most a thirty-second above.
TEST(Histogram, QuantilesAgreeWithSortedValues) {
  Random random(7);
  Histogram h;
  std::vector<uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random.next() >> (24 + random.below(32)));
    h.record(static_cast<int64_t>(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const uint64_t exact = values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
    EXPECT_GE(h.quantile(q), exact) << q;
    EXPECT_LE(h.quantile(q), exact + exact / 32 + 1) << q;
  }
}

TEST(PrometheusText, WritesFamiliesAndEscapesLabels) {
  PrometheusText page;
  page.counter("a_total", "What a is.", 1e15 - 1);
  page.family("b", "gauge", "What b is.");
  page.sample(0.5, {{"name", "x\"y\\z\n"}, {"kind", "k"}});
  EXPECT_EQ(page.take(),
            "# HELP a_total What a is.\n# TYPE a_total counter\na_total 999999999999999\n"
            "# HELP b What b is.\n# TYPE b gauge\nb{name=\"x\\\"y\\\\z\\n\",kind=\"k\"} 0.5\n");
}

TEST(PrometheusText, SummariesAreInSeconds) {
  Histogram h;
  h.record(20);
  PrometheusText page;
  page.summary_seconds("t_seconds", "Time.", h);
  const auto text = page.take();
  EXPECT_NE(text.find("t_seconds{quantile=\"0.99\"} 2e-05\n"), std::string::npos) << text;
  EXPECT_NE(text.find("t_seconds_sum 2e-05\n"), std::string::npos) << text;
  EXPECT_NE(text.find("t_seconds_count 1\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace millrace::telemetry
