// State that is ten times as large as the memory that it may have: the same answers, after starts, too; and what a
// disk without room does.
#include "node/node_testing.h"

namespace millrace::node {
namespace {

using Rows = std::vector<std::string>;

class Spill : public NodeTest {
 protected:
  static constexpr int kGroups = 40'000;

  Spill() {
    options_.journal.segment_bytes = 1u << 20;
    options_.state_memory_bytes = 256u << 10;
    options_.snapshot_after_bytes = 400'000;
  }
  void make_views() {
    run("CREATE STREAM s (n BIGINT, text TEXT) WITH (key = 'n', partitions = 4)");
    run("CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c, max(text) AS t FROM s GROUP BY n");
    run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c FROM s");
  }
  void push_all() {
    for (int n = 0; n < kGroups; n += 4'000) push("s", n, n + 4'000, 20);
  }
  void expect_rounds(int rounds) {
    const std::string count = std::to_string(rounds * kGroups);
    EXPECT_EQ(sql("SELECT count(*) AS g, sum(c) AS c, min(c) AS a, max(c) AS z FROM v").rows,
              Rows{"{\"g\":" + std::to_string(kGroups) + ",\"c\":" + count +
                   ",\"a\":" + std::to_string(rounds) + ",\"z\":" + std::to_string(rounds) + "}"});
    EXPECT_EQ(sql("SELECT c, t FROM v WHERE n = 31234").rows,
              Rows{"{\"c\":" + std::to_string(rounds) + ",\"t\":\"xxxxxxxxxxxxxxxxxxxx\"}"});
    EXPECT_EQ(sql("SELECT * FROM w").rows, Rows{"{\"c\":" + count + "}"});
  }
  double metric(const std::string& name) {
    const std::string text = node_->metrics();
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }
  void expect_most_is_on_the_disk() {
    const auto limit = static_cast<double>(options_.state_memory_bytes);
    EXPECT_LE(metric("millrace_state_memory_bytes"), limit * 1.5);
    EXPECT_GT(metric("millrace_state_spilled_bytes"), limit * 9);
    EXPECT_GT(metric("millrace_state_file_bytes"), limit * 9);
    EXPECT_GT(metric("millrace_state_pages_written_total"), 0);
    EXPECT_GE(metric("millrace_state_pages_read_total"), 0);
  }
  void stop_for_room() {
    push("s", 0, 1'000, 20);
    settle();
    files_.set_capacity(files_.used_bytes() + (12u << 20));  // for the journal, not for state
    push_all();
    settle();
    EXPECT_TRUE(says("v", "failed: MR-STATE-0007"));
  }
  void expect_all_there() {
    EXPECT_TRUE(says("v", "running"));
    EXPECT_EQ(sql("SELECT count(*) AS g, sum(c) AS c FROM v").rows, Rows{R"({"g":40000,"c":41000})"});
  }
  bool says(const std::string& query, const std::string& state) {
    for (const auto& row : sql("SHOW QUERIES").rows) {
      if (row.find("\"name\":\"" + query + "\"") != std::string::npos)
        return row.find("\"state\":\"" + state) != std::string::npos;
    }
    return false;
  }
};

TEST_F(Spill, AnswersAreTheSameAndStartsGoOn) {
  open();
  make_views();
  push_all();
  push_all();
  settle();
  expect_most_is_on_the_disk();
  expect_rounds(2);
  crash();
  open();
  settle();
  expect_rounds(2);
  expect_most_is_on_the_disk();
  push_all();
  expect_rounds(3);
  close();
  options_.workers = 3;
  open();
  settle();
  expect_rounds(3);
  expect_most_is_on_the_disk();
  push_all();
  expect_rounds(4);
}

TEST_F(Spill, WithoutRoomOnTheDiskTheLargestStopsAndTheOthersGoOn) {
  open();
  make_views();
  stop_for_room();
  EXPECT_EQ(sql("SELECT * FROM v").error, "MR-STATE-0007");
  EXPECT_EQ(sql("SELECT * FROM w").rows, Rows{R"({"c":41000})"});
  EXPECT_LE(metric("millrace_state_memory_bytes"), static_cast<double>(options_.state_memory_bytes));
  run("RESUME v");  // no room yet
  settle();
  EXPECT_TRUE(says("v", "failed: MR-STATE-0007"));
  files_.set_capacity(UINT64_MAX);
}

TEST_F(Spill, AQueryThatStoppedGoesOnByRESUME) {
  open();
  make_views();
  run("CREATE STREAM big AS SELECT n FROM s WHERE n % 1000 = 0");
  stop_for_room();
  files_.set_capacity(UINT64_MAX);
  run("RESUME v");
  settle();
  expect_all_there();
  push("s", 0, 1'000, 20);
  EXPECT_EQ(sql("SELECT count(*) AS g, sum(c) AS c FROM v").rows, Rows{R"({"g":40000,"c":42000})"});
  crash();
  open();
  settle();
  EXPECT_EQ(sql("SELECT count(*) AS g, sum(c) AS c FROM v").rows, Rows{R"({"g":40000,"c":42000})"});
  EXPECT_EQ(sql("SELECT count(*) AS c FROM big").rows, Rows{R"({"c":42})"});
}

TEST_F(Spill, ACleanStopInARESUMELosesNoGroup) {
  for (const bool loaded : {false, true}) {
    SCOPED_TRACE(loaded);
    files_.set_capacity(UINT64_MAX);
    options_.directory = loaded ? "/loaded" : "/waiting";
    open();
    make_views();
    stop_for_room();
    files_.set_capacity(UINT64_MAX);
    node_->sql().execute(
        tenant_, "RESUME v", [](const auto&) {}, [](const Status&) {});
    std::string second = "none";
    node_->sql().execute(
        tenant_, "RESUME v", [](const auto&) {},
        [&](const Status& status) { second = status.ok() ? "ok" : status.error().id; });
    EXPECT_EQ(second, "MR-STEP-0028");
    if (loaded) run_until([this] { return says("v", "running"); });
    ASSERT_TRUE(node_->close().ok());
    end();
    open();
    settle();
    expect_all_there();
    end();
  }
}

TEST_F(Spill, AQueryThatStoppedGoesOnByAStart) {
  open();
  make_views();
  stop_for_room();
  files_.set_capacity(UINT64_MAX);
  close();
  open();
  settle();
  expect_all_there();
}

}  // namespace
}  // namespace millrace::node
