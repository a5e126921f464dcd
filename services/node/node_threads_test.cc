// A node on the real disk with real threads: three workers, background reads and snapshots, under the thread
// checker. What has to come out is known beforehand.
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/buffer.h"
#include "base/files.h"
#include "node/background.h"
#include "node/node.h"

namespace millrace::node {
namespace {

constexpr int kKeys = 50;
constexpr int kRequests = 120;
constexpr int kEventsPerRequest = 20;

// The core loop without sockets: sleeps until a thread or the disk has news.
class Loop {
 public:
  void wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }
  void sleep() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(5), [this] { return woken_; });
    woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

class NodeThreads : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "millrace-node-threads";
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override {
    node_.reset();
    std::filesystem::remove_all(directory_);
  }

  void open(uint32_t workers) {
    NodeOptions options;
    options.directory = directory_;
    options.workers = workers;
    options.snapshot_after_bytes = 20'000;
    options.journal.segment_bytes = 8u << 20;
    options.journal.reserve_bytes = 1u << 20;
    auto opened = Node::open(*files_, clock_, *background_, options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    node_ = std::move(*opened);
    node_->set_wake([this] { loop_.wake(); });
    background_->set_wake([this] { loop_.wake(); });
    tenant_ = *node_->tenant("default");
  }
  void close() {
    run_until([this] { return node_->idle(); });
    const auto closed = node_->close();
    ASSERT_TRUE(closed.ok()) << closed.error().to_string();
    node_.reset();
  }

  template <typename Done>
  void run_until(Done done) {
    const int64_t limit = clock_.monotonic_ns() + 60'000'000'000;
    while (!done()) {
      ASSERT_LT(clock_.monotonic_ns(), limit) << "the node does not get there";
      ASSERT_FALSE(node_->failed()) << node_->failed()->to_string();
      background_->take_done();
      if (!node_->turn()) loop_.sleep();
    }
  }

  // Runs SQL; rows as {first column: the others, joined by spaces}.
  std::map<std::string, std::string> sql(const std::string& text) {
    bool done = false;
    Status status;
    std::map<std::string, std::string> rows;
    node_->sql().execute(
        tenant_, text,
        [&](gateway::StatementResult result) {
          for (size_t row = 0; row < result.rows.rows; ++row) {
            std::string rest;
            for (size_t c = 1; c < result.rows.columns.size(); ++c) {
              rest += std::to_string(std::get<int64_t>(result.rows.columns[c].scalar(row))) + " ";
            }
            rows[std::get<std::string>(result.rows.columns[0].scalar(row))] = rest;
          }
        },
        [&](Status ended) {
          status = std::move(ended);
          done = true;
        });
    run_until([&] { return done; });
    EXPECT_TRUE(status.ok()) << text << ": " << status.error().to_string();
    return rows;
  }

  void ingest(int from, int to) {
    int waiting = 0;
    for (int request = from; request < to; ++request) {
      std::string body;
      for (int i = 0; i < kEventsPerRequest; ++i) {
        const int n = request * kEventsPerRequest + i;
        body += "{\"k\":\"k" + std::to_string(n % kKeys) + "\",\"city\":\"c" + std::to_string(n % 7) +
                "\",\"n\":" + std::to_string(n) + "}\n";
      }
      const Buffer padded = Buffer::copy(body);
      gateway::IngestRequest ask{tenant_, "s", gateway::IngestRequest::Format::kNdjson, padded.view(), ""};
      ++waiting;
      node_->ingest().ingest(ask, [&waiting](Result<gateway::IngestAnswer> answer) {
        EXPECT_TRUE(answer.ok());
        --waiting;
      });
      if (request % 10 == 9) sql("SELECT k, c FROM by_key");  // reads go on beside
    }
    run_until([&] { return waiting == 0; });
  }

  static std::map<std::string, std::string> expected(const char* prefix, int groups, int events) {
    std::map<std::string, std::pair<int64_t, int64_t>> sums;
    for (int n = 0; n < events; ++n) {
      auto& [count, sum] = sums[prefix + std::to_string(n % groups)];
      ++count;
      sum += n;
    }
    std::map<std::string, std::string> out;
    for (const auto& [key, sum] : sums) {
      out[key] = std::to_string(sum.first) + " " + std::to_string(sum.second) + " ";
    }
    return out;
  }

  std::string directory_;
  SystemClock clock_;
  std::unique_ptr<Files> files_ = make_system_files();
  Loop loop_;
  std::unique_ptr<ThreadBackground> background_ = std::make_unique<ThreadBackground>();
  std::unique_ptr<Node> node_;
  TenantId tenant_;
};

TEST_F(NodeThreads, ThreeWorkersGiveTheAnswersOfOne) {
  open(3);
  sql("CREATE STREAM s (k TEXT, city TEXT, n BIGINT) WITH (key = 'k', partitions = 6);"
      "CREATE MATERIALIZED VIEW by_key AS SELECT k, count(*) AS c, sum(n) AS t FROM s GROUP BY k;"
      "CREATE MATERIALIZED VIEW by_city AS SELECT city, count(*) AS c, sum(n) AS t FROM s GROUP BY city;"
      "CREATE STREAM d AS SELECT k, n FROM s WHERE n % 2 = 0;"
      "CREATE MATERIALIZED VIEW of_d AS SELECT k, count(*) AS c FROM d GROUP BY k");
  ingest(0, kRequests / 2);
  close();
  open(2);
  ingest(kRequests / 2, kRequests);
  constexpr int kEvents = kRequests * kEventsPerRequest;
  EXPECT_EQ(sql("SELECT k, c, t FROM by_key"), expected("k", kKeys, kEvents));
  EXPECT_EQ(sql("SELECT city, c, t FROM by_city"), expected("c", 7, kEvents));
  sql("CREATE MATERIALIZED VIEW later AS SELECT city, count(*) AS c, sum(n) AS t FROM s GROUP BY city");
  EXPECT_EQ(sql("SELECT city, c, t FROM later"), expected("c", 7, kEvents));
  int64_t even = 0;
  for (const auto& [key, count] : sql("SELECT k, c FROM of_d")) even += std::stoll(count);
  EXPECT_EQ(even, kEvents / 2);
  close();
  const auto report = recompute(*files_, clock_, directory_);
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_TRUE(report->differences.empty()) << report->differences.front();
}

}  // namespace
}  // namespace millrace::node
