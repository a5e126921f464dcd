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
      const auto got = from.pull(100, [&](std::string_view, const std::string&) { ++seen; });
      if (!got.ok()) end = got.error().id;
      return !end.empty() || seen >= rows;
    });
    return end.empty() ? std::to_string(seen) : end;
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

}  // namespace
}  // namespace millrace::node
