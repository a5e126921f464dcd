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

TEST(PowerHistogram, ABucketTakesItsUpperEnd) {
  PowerHistogram h;
  for (const int64_t v : {-1, 0, 1, 2, 3, 4, 5}) h.record(v);
  EXPECT_EQ(h.in_bucket(0), 3u);  // -1, 0, 1
  EXPECT_EQ(h.in_bucket(1), 1u);  // 2
  EXPECT_EQ(h.in_bucket(2), 2u);  // 3, 4
  EXPECT_EQ(h.in_bucket(3), 1u);  // 5
  h.record(INT64_MAX);
  EXPECT_EQ(h.in_bucket(PowerHistogram::kBuckets - 1), 1u);
  EXPECT_EQ(h.count(), 8u);
}

TEST(PowerHistogram, WhatIsTakenAwayIsGone) {
  PowerHistogram all, part;
  all.record(3);
  all.record(100);
  part.record(100);
  all.subtract(part);
  EXPECT_EQ(all.count(), 1u);
  EXPECT_EQ(all.sum(), 3u);
}

TEST(PrometheusText, BucketsAddUpAndNoneIsLost) {
  PowerHistogram h;
  for (const int64_t v : {1, 2, 8, 9, 1'000}) h.record(v);
  PrometheusText page;
  page.family("b", "histogram", "What b is.");
  page.histogram(h, {1, 5, 2, 0.5}, {{"k", "x"}});
  EXPECT_EQ(
      page.take(),
      "# HELP b What b is.\n# TYPE b histogram\nb_bucket{k=\"x\",le=\"1\"} 2\nb_bucket{k=\"x\",le=\"4\"} 3\n"
      "b_bucket{k=\"x\",le=\"16\"} 4\nb_bucket{k=\"x\",le=\"+Inf\"} 5\nb_sum{k=\"x\"} 510\n"
      "b_count{k=\"x\"} 5\n");
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
