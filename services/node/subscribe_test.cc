// What a view's subscriber hears to the end, from a whole node with one worker inside turn().
#include <gtest/gtest.h>

#include <filesystem>

#include "base/buffer.h"
#include "base/files.h"
#include "node/node.h"
#include "tests/fakes/background.h"

namespace millrace::node {
namespace {

class SubscribeTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "millrace-subscribe-" + std::to_string(getpid());
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override {
    if (node_ != nullptr) {
      EXPECT_TRUE(node_->close().ok());
    }
    node_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open(size_t state_bytes) {
    NodeOptions options;
    options.directory = directory_;
    options.state_bytes = state_bytes;
    options.journal.segment_bytes = 8u << 20;
    options.journal.reserve_bytes = 1u << 20;
    auto opened = Node::open(*files_, clock_, background_, options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    node_ = std::move(*opened);
    tenant_ = *node_->tenant("default");
  }
  void run_until(const std::function<bool()>& done) {
    const int64_t limit = clock_.monotonic_ns() + 60'000'000'000;
    while (!done()) {
      ASSERT_LT(clock_.monotonic_ns(), limit) << "the node does not get there";
      node_->turn();
    }
  }
  std::unique_ptr<engine::Subscription> sql(const std::string& text) {
    std::optional<Status> ended;
    std::unique_ptr<engine::Subscription> made;
    node_->sql().execute(
        tenant_, text,
        [&](gateway::StatementResult r) {
          if (r.subscription) made = std::move(r.subscription);
        },
        [&](Status status) { ended = std::move(status); });
    run_until([&] { return ended.has_value(); });
    EXPECT_TRUE(ended->ok()) << text;
    return made;
  }
  void send(int from, int to) {
    std::string body;
    for (int n = from; n < to; ++n) body += "{\"n\":" + std::to_string(n) + "}\n";
    send(body);
  }
  void send(const std::string& body) {
    const Buffer padded = Buffer::copy(body);
    bool done = false;
    node_->ingest().ingest({tenant_, "s", gateway::IngestRequest::Format::kNdjson, padded.view(), ""},
                           [&](Result<gateway::IngestAnswer> answer) {
                             EXPECT_TRUE(answer.ok());
                             done = true;
                           });
    run_until([&] { return done; });
  }
  // Rows until there are so many, or the error that ends them.
  std::string hear(engine::Subscription& from, size_t rows) {
    size_t seen = 0;
    std::string end;
    run_until([&] {
      const auto got = from.pull(100, [&](std::string_view, std::string_view) { ++seen; });
      if (!got.ok()) end = got.error().id;
      return !end.empty() || seen >= rows;
    });
    return end.empty() ? std::to_string(seen) : end;
  }

  // The same, and what they say.
  std::string hear_text(engine::Subscription& from, size_t rows) {
    size_t seen = 0;
    std::string text;
    run_until([&] {
      const auto got = from.pull(100, [&](std::string_view json, std::string_view) {
        ++seen;
        text += std::string(json) + "\n";
      });
      EXPECT_TRUE(got.ok());
      return seen >= rows;
    });
    return text;
  }
  // An event a second of 2001.
  static std::string events(const std::string& key, std::initializer_list<int> seconds) {
    std::string body;
    for (const int s : seconds)
      body += "{\"k\":\"" + key + "\",\"at\":" + std::to_string((978'307'200LL + s) * 1000) + "}\n";
    return body;
  }

  std::string directory_;
  SystemClock clock_;
  std::unique_ptr<Files> files_ = make_system_files();
  fakes::Background background_;
  std::unique_ptr<Node> node_;
  TenantId tenant_;
};

TEST_F(SubscribeTest, ADroppedViewEndsItsSubscriptions) {
  open(16u << 20);
  sql("CREATE STREAM s (n BIGINT); CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  send(0, 10);
  const auto first = sql("SUBSCRIBE TO v");
  const auto second = sql("SUBSCRIBE TO v");
  bool told = false;
  first->on_ready([&] { told = true; });
  EXPECT_EQ(hear(*first, 10), "10");
  EXPECT_EQ(hear(*second, 10), "10");
  told = false;
  sql("DROP VIEW v");
  run_until([&] { return told; });
  EXPECT_EQ(hear(*first, 1), "MR-STEP-0020");
  EXPECT_EQ(hear(*second, 1), "MR-STEP-0020");
  first->on_ready(nullptr);
}

TEST_F(SubscribeTest, AReplacedViewEndsItsSubscriptions) {
  open(16u << 20);
  sql("CREATE STREAM s (n BIGINT); CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  send(0, 10);
  const auto first = sql("SUBSCRIBE TO v");
  EXPECT_EQ(hear(*first, 10), "10");
  sql("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT count(*) AS c, n FROM s GROUP BY n");
  EXPECT_EQ(hear(*first, 1), "MR-STEP-0029");
  const auto second = sql("SUBSCRIBE TO v");
  EXPECT_EQ(hear(*second, 10), "10");
}

// Grouped by another column, a view's reading takes two rounds: there is time to leave in between.
TEST_F(SubscribeTest, WhoLeavesBeforeItBeginsTakesNothingFromOthers) {
  open(16u << 20);
  sql("CREATE STREAM s (n BIGINT) WITH (partitions = 4);"
      "CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  send(0, 10);
  const auto first = sql("SUBSCRIBE TO v");
  EXPECT_EQ(hear(*first, 10), "10");
  const Buffer body = Buffer::copy(std::string_view("{\"n\":100}\n"));
  node_->ingest().ingest({tenant_, "s", gateway::IngestRequest::Format::kNdjson, body.view(), ""},
                         [](Result<gateway::IngestAnswer> answer) { EXPECT_TRUE(answer.ok()); });
  sql("SUBSCRIBE TO v").reset();
  EXPECT_EQ(hear(*first, 1), "1");
}

TEST_F(SubscribeTest, AFailedQueryEndsItsSubscriptions) {
  open(2u << 20);
  sql("CREATE STREAM s (n BIGINT); CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  send(0, 10);
  const auto subscription = sql("SUBSCRIBE TO v");
  EXPECT_EQ(hear(*subscription, 10), "10");
  bool told = false;
  subscription->on_ready([&] { told = true; });
  send(10, 200'000);
  run_until([&] { return told; });
  EXPECT_EQ(hear(*subscription, 1'000'000), "MR-STEP-0005");
  subscription->on_ready(nullptr);
  const auto late = sql("SUBSCRIBE TO v");
  EXPECT_EQ(hear(*late, 1), "MR-STEP-0005");
}

TEST_F(SubscribeTest, SessionsThatAnotherOneTakesInAreDeleted) {
  open(16u << 20);
  sql("CREATE STREAM s (k TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at - INTERVAL '1 hour') WITH (key = 'k');"
      "CREATE MATERIALIZED VIEW v AS SELECT k, window_start, count(*) AS c FROM SESSION(s, at, INTERVAL '5 "
      "seconds') GROUP BY k, window_start HAVING count(*) < 4");
  const auto subscription = sql("SUBSCRIBE TO v");
  send(events("a", {11, 19}));
  EXPECT_EQ(hear_text(*subscription, 2),
            R"({"_op":"upsert","k":"a","window_start":"2001-01-01T00:00:11Z","c":1}
{"_op":"upsert","k":"a","window_start":"2001-01-01T00:00:19Z","c":1}
)");
  send(events("a", {15}));
  EXPECT_EQ(hear_text(*subscription, 2),
            R"({"_op":"delete","k":"a","window_start":"2001-01-01T00:00:19Z"}
{"_op":"upsert","k":"a","window_start":"2001-01-01T00:00:11Z","c":3}
)");
  send(events("a", {20}));
  EXPECT_EQ(hear_text(*subscription, 1), R"({"_op":"delete","k":"a","window_start":"2001-01-01T00:00:11Z"}
)");
}

TEST_F(SubscribeTest, AWindowThatIsNamedByItsEndAloneIsDeletedByIt) {
  open(16u << 20);
  sql("CREATE STREAM s (k TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at - INTERVAL '1 hour') WITH (key = 'k');"
      "CREATE MATERIALIZED VIEW v AS SELECT k, window_end, count(*) AS c FROM TUMBLE(s, at, INTERVAL '5 "
      "seconds') GROUP BY k, window_end HAVING count(*) < 2");
  const auto subscription = sql("SUBSCRIBE TO v");
  send(events("a", {1, 6}));
  send(events("a", {7}));
  EXPECT_EQ(hear_text(*subscription, 3),
            R"({"_op":"upsert","k":"a","window_end":"2001-01-01T00:00:05Z","c":1}
{"_op":"upsert","k":"a","window_end":"2001-01-01T00:00:10Z","c":1}
{"_op":"delete","k":"a","window_end":"2001-01-01T00:00:10Z"}
)");
}

TEST_F(SubscribeTest, AWindowWithoutAWatermarkIsDeletedByBothItsEnds) {
  open(16u << 20);
  sql("CREATE STREAM s (k TEXT, at TIMESTAMPTZ) WITH (key = 'k');"
      "CREATE MATERIALIZED VIEW v AS SELECT window_start, k, count(*) AS c, window_end FROM TUMBLE(s, at, "
      "INTERVAL '5 seconds') GROUP BY window_start, window_end, k HAVING count(*) < 2");
  const auto subscription = sql("SUBSCRIBE TO v");
  send(events("a", {1}));
  send(events("a", {2}));
  EXPECT_EQ(
      hear_text(*subscription, 2),
      R"({"_op":"upsert","window_start":"2001-01-01T00:00:00Z","k":"a","c":1,"window_end":"2001-01-01T00:00:05Z"}
{"_op":"delete","window_start":"2001-01-01T00:00:00Z","k":"a","window_end":"2001-01-01T00:00:05Z"}
)");
}

TEST_F(SubscribeTest, OfSessionsWhatWasToldIsNotToldAgainAnIntervalLater) {
  open(16u << 20);
  sql("CREATE STREAM s (k TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at - INTERVAL '1 hour') WITH (key = 'k');"
      "CREATE MATERIALIZED VIEW v AS SELECT k, window_start, count(*) AS c FROM SESSION(s, at, INTERVAL '5 "
      "seconds') GROUP BY k, window_start EMIT EVERY INTERVAL '1 millisecond'");
  const auto subscription = sql("SUBSCRIBE TO v");
  send(events("a", {11}));
  EXPECT_EQ(hear_text(*subscription, 1),
            R"({"_op":"upsert","k":"a","window_start":"2001-01-01T00:00:11Z","c":1}
)");
  send(events("b", {11}));
  EXPECT_EQ(hear_text(*subscription, 1),
            R"({"_op":"upsert","k":"b","window_start":"2001-01-01T00:00:11Z","c":1}
)");
}

TEST_F(SubscribeTest, SessionsThatEndAreToldOnce) {
  open(16u << 20);
  sql("CREATE STREAM s (k TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (key = 'k', partitions = 1);"
      "CREATE MATERIALIZED VIEW v WITH (retention = '1 minute') AS SELECT k, window_end, count(*) AS c FROM "
      "SESSION(s, at, INTERVAL '5 seconds') GROUP BY k, window_end EMIT ON WINDOW CLOSE");
  const auto subscription = sql("SUBSCRIBE TO v");
  send(events("a", {11, 14}) + events("b", {15}) + events("a", {18}) + events("b", {22}));
  EXPECT_EQ(hear_text(*subscription, 1), R"({"k":"b","window_end":"2001-01-01T00:00:20Z","c":1}
)");
  send(events("c", {200, 300}));
  EXPECT_EQ(hear_text(*subscription, 3), R"({"k":"a","window_end":"2001-01-01T00:00:23Z","c":3}
{"k":"b","window_end":"2001-01-01T00:00:27Z","c":1}
{"k":"c","window_end":"2001-01-01T00:03:25Z","c":1}
)");
}

}  // namespace
}  // namespace millrace::node
