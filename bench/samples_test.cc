#include "bench/samples.h"

#include <gtest/gtest.h>

#include <string>

#include "bench/server_process.h"
#include "bench/sse_rows.h"

namespace millrace::bench {
namespace {

TEST(Samples, QuantilesAreNearestRank) {
  Samples samples;
  for (int i = 100; i >= 1; --i) samples.record(i * 1'000'000);
  EXPECT_DOUBLE_EQ(samples.ms(0.5), 50);
  EXPECT_DOUBLE_EQ(samples.ms(0.99), 99);
  EXPECT_DOUBLE_EQ(samples.ms(0.999), 100);
  EXPECT_DOUBLE_EQ(samples.ms(0), 1);
  EXPECT_DOUBLE_EQ(Samples().ms(0.5), 0);
}

TEST(Samples, MedianOfRounds) {
  EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median({}), 0);
}

// The same answer cut at every place.
TEST(SseRows, ChunkedAnswersInAnyPieces) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "c\r\ndata: {\"a\":1\r\n4\r\n}\n\n:\r\n13\r\n\n\nid: 7\ndata: {}\n\n\n\r\n0\r\n\r\n";
  for (size_t cut = 1; cut < answer.size(); ++cut) {
    SseRows reader;
    std::string rows;
    const auto each = [&](std::string_view row) { rows.append(row).append("|"); };
    for (size_t at = 0; at < answer.size(); at += cut)
      reader.add(std::string_view(answer).substr(at, cut), each);
    EXPECT_EQ(rows, " {\"a\":1}| {}|") << cut;
    EXPECT_EQ(reader.status(), 200);
  }
}

TEST(SseRows, PlainBodiesAndRefusals) {
  SseRows reader;
  std::string rows;
  reader.add("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\ndata: x\n\n",
             [&](std::string_view row) { rows = row; });
  EXPECT_EQ(reader.status(), 503);
  EXPECT_EQ(rows, " x");
}

TEST(MetricValue, SumsLabelsAndKnowsNames) {
  const std::string text =
      "# HELP a b\nsyncs_total 7\nrequests{class=\"2xx\"} 3\nrequests{class=\"4xx\"} 2\nrequests_more 9\n";
  EXPECT_EQ(metric_value(text, "syncs_total"), 7);
  EXPECT_EQ(metric_value(text, "requests"), 5);
  EXPECT_EQ(metric_value(text, "requests{class=\"4xx\"}"), 2);
  EXPECT_EQ(metric_value(text, "nothing"), -1);
}

}  // namespace
}  // namespace millrace::bench
