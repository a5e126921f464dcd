#include "node/metric_series.h"

#include <gmock/gmock.h>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(NodeTest, SeriesBeyondTheBoundAreOne) {
  open();
  const size_t many = kMostStreamSeries + 5;
  for (size_t i = 0; i < many; ++i) run("CREATE STREAM s" + std::to_string(i) + " (n BIGINT, text TEXT)");
  push("s0", 0, 3);
  push("s" + std::to_string(many - 2), 0, 4);
  push("s" + std::to_string(many - 1), 0, 5);
  settle();
  const std::string page = node_->metrics_full(std::nullopt);
  EXPECT_THAT(page, AllOf(HasSubstr("\nmillrace_stream_events_total{tenant=\"default\",stream=\"s0\"} 3\n"),
                          HasSubstr("\nmillrace_stream_events_total{other=\"true\"} 9\n"),
                          HasSubstr("\nmillrace_metrics_folded{kind=\"streams\"} 5\n")));
  EXPECT_THAT(page,
              HasSubstr("\nmillrace_stream_event_latency_seconds_count{tenant=\"default\",stream=\"s0\","
                        "stage=\"stored\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("_count{stage=\"stored\",other=\"true\"} 2\n"));
  EXPECT_THAT(page, Not(HasSubstr("\"s" + std::to_string(many - 1) + "\"")));
  run("DROP STREAM s0");  // the next one takes its place
  EXPECT_THAT(node_->metrics_full(std::nullopt),
              HasSubstr("\nmillrace_metrics_folded{kind=\"streams\"} 4\n"));
  close();
}

TEST_F(NodeTest, ATenantSeesItsOwnSeries) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  push("s", 0, 3);
  settle();
  const auto other = node_->tenant("other");
  ASSERT_TRUE(other.ok());
  run_until([this] { return node_->definitions().catalog()->tenant("other").has_value(); });
  EXPECT_THAT(node_->metrics_full(*other),
              AllOf(HasSubstr("{tenant=\"other\"}"), Not(HasSubstr("default")), Not(HasSubstr("{other="))));
  EXPECT_THAT(node_->metrics_full(std::nullopt), HasSubstr("{tenant=\"default\",query=\"v\"}"));
  close();
}

}  // namespace
}  // namespace millrace::node
