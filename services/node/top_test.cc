#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/top_page.h"

namespace millrace::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(Top, ReadsAPageOfMetrics) {
  const auto metrics = metrics_of(
      "# HELP a_total words\n# TYPE a_total counter\na_total 3\nb{tenant=\"x \\\"y\\\"\",le=\"+Inf\"} "
      "1e3\nbroken{a=\"b 1\n"
      "nothing NaN\n\nlast 2.5\n");
  ASSERT_EQ(metrics.size(), 3u);
  EXPECT_EQ(metrics[0].value, 3);
  EXPECT_THAT(metrics[1].labels, ElementsAre(Pair("le", "+Inf"), Pair("tenant", "x \"y\"")));
  EXPECT_EQ(metrics[1].value, 1000);
  EXPECT_EQ(metrics[2].name, "last");
}

TEST(Top, NumbersAreShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.25), "0.3");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(1234), "1.2k");
  EXPECT_EQ(short_number(34'000'000), "34M");
  EXPECT_EQ(short_bytes(1'500), "1.5 kB");
  EXPECT_EQ(short_time(0), "0 s");
  EXPECT_EQ(short_time(0.00025), "250 µs");
  EXPECT_EQ(short_time(300), "5 min");
}

TopSample sample(int seconds, const std::string& metrics, std::vector<TopQuery> queries) {
  return {std::chrono::steady_clock::time_point(std::chrono::seconds(seconds)), metrics_of(metrics),
          std::move(queries)};
}

TEST(Top, DeadLettersAreOfQueriesAndOfIngest) {
  const TopSample before =
      sample(1, "millrace_dead_letters_total 1\nmillrace_ingest_dead_letters_total 1\n", {});
  const TopSample now =
      sample(2, "millrace_dead_letters_total 2\nmillrace_ingest_dead_letters_total 4\n", {});
  EXPECT_THAT(top_page(before, now, {}), HasSubstr(" 4 dead letters/s"));
}

TEST(Top, RatesAreWhatCameMeanwhile) {
  const TopSample before =
      sample(1, "millrace_ingest_events_total 100\nmillrace_tenant_dead_letters_total{tenant=\"a\"} 1\n",
             {{"v", "view", "s", "running", 0.0, 10.0, 5.0}});
  const TopSample now = sample(
      3, "millrace_ingest_events_total 300\nmillrace_tenant_dead_letters_total{tenant=\"a\"} 5\n",
      {{"v", "view", "s", "running", 1.0, 10.0, 25.0}, {"w", "view", "s", "failed: x", 9.0, 1.0, 0.0}});
  const std::string page = top_page(before, now, {});
  EXPECT_THAT(page, HasSubstr("in       100 events/s"));
  EXPECT_THAT(page, HasSubstr("2 dead letters/s"));
  EXPECT_THAT(page, HasSubstr(" v     | view | s      | 1 s |       10 B |       10 | running\n"));
  EXPECT_LT(page.find(" w "), page.find(" v "));  // by lag
  TopLook by_name;
  by_name.order = TopOrder::kName;
  const std::string named = top_page(before, now, by_name);
  EXPECT_GT(named.find(" w "), named.find(" v "));
  EXPECT_THAT(page, Not(HasSubstr("events/s\n---")));
}

TEST(Top, StreamsWhereTheServerCountsThem) {
  const TopSample before = sample(0, "millrace_stream_events_total{tenant=\"a\",stream=\"s\"} 1\n", {});
  const TopSample now = sample(2, "millrace_stream_events_total{tenant=\"a\",stream=\"s\"} 2001\n", {});
  EXPECT_THAT(top_page(before, now, {}),
              HasSubstr("no queries\n\n stream | events | events/s\n--------+--------+----------\n s      |  "
                        "   2k |       1k\n"));
}

}  // namespace
}  // namespace millrace::cli
