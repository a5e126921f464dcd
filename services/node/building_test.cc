// What a query that is being built over history may take from the others.
#include "node/node_testing.h"

namespace millrace::node {
namespace {

class Building : public NodeTest {
 protected:
  uint64_t ticks() {
    uint64_t ticks = 0;
    auto& journal = node_->journal();
    for (Cut at(0); at < journal.end_cut();) {
      const auto frames = journal.read_frames(at, journal.end_cut(), 1u << 20);
      EXPECT_TRUE(frames.ok());
      for (const auto& frame : *frames) {
        for (const auto& control : frame->controls) ticks += control.kind == log::ControlKind::kTick ? 1 : 0;
      }
      at = frames->back()->cut;
    }
    return ticks;
  }
};

TEST_F(Building, ASlowDiskIsNotFilledWithHistory) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  for (int i = 0; i < 3000; ++i) push("s", i * 20, i * 20 + 20, 100);
  run("CREATE STREAM d AS SELECT n, text FROM s");
  const uint64_t before = node_->journal().counters().bytes;
  files_.set_stall(4'000);
  turns(300);
  // A step over history, or two, and no more until they are on the disk.
  EXPECT_LT(node_->journal().counters().bytes - before, 2u << 20);
  files_.set_stall(0);
  files_.heal();
  settle();
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c, sum(n) AS s FROM d");
  settle();
  EXPECT_EQ(sql("SELECT * FROM v").rows, std::vector<std::string>{R"({"c":60000,"s":1799970000})"});
}

// The only query of a worker is its live one, wherever it stands; one that begins now does not wait for it.
TEST_F(Building, AQueryThatBeginsNowDoesNotWaitForHistory) {
  options_.max_step_bytes = 1;
  open();
  run("CREATE STREAM s (n BIGINT)");
  for (int i = 0; i < 3000; ++i) push("s", i, i + 1);
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  turns(5);
  run("CREATE MATERIALIZED VIEW w WITH (start = 'now') AS SELECT count(*) AS c FROM s");
  push("s", 0, 1);
  EXPECT_EQ(sql("SELECT * FROM w").rows, std::vector<std::string>{R"({"c":1})"});
  EXPECT_NE(sql("SHOW QUERIES").rows[0].find("building"), std::string::npos);
  settle();
  EXPECT_EQ(sql("SELECT * FROM v").rows, std::vector<std::string>{R"({"c":3001})"});
  push("s", 0, 1);
  EXPECT_EQ(sql("SELECT * FROM v").rows, std::vector<std::string>{R"({"c":3002})"});
  EXPECT_EQ(sql("SELECT * FROM w").rows, std::vector<std::string>{R"({"c":2})"});
}

// The steps that a start has to take again stand at the log's end, wherever in history the task is.
TEST_F(Building, AStartDoesNotReadTheHistoryThatIsStillToCome) {
  options_.journal.tail_bytes = 64u << 10;
  options_.snapshot_after_bytes = 300'000;
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  for (int i = 0; i < 200; ++i) push("s", i * 100, i * 100 + 100, 900);
  options_.max_step_bytes = 1;
  close();
  const uint64_t at_rest = files_.calls();
  open();
  const uint64_t usual = files_.calls() - at_rest;
  run("CREATE STREAM d AS SELECT n FROM s");
  run_until([&] {
    const auto snapshots = files_.list("/data/snapshots/layout-0/query-3-worker-0");
    return snapshots.ok() && !snapshots->empty();
  });
  turns(5);
  crash();
  const uint64_t at_crash = files_.calls();
  open();
  EXPECT_LT(files_.calls() - at_crash, usual + 100);
  settle();
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM d");
  settle();
  EXPECT_EQ(sql("SELECT * FROM v").rows, std::vector<std::string>{R"({"c":20000})"});
}

TEST_F(Building, TheTimeOfHistoryIsNotTheTimeOfNow) {
  open();
  run("CREATE STREAM s (n BIGINT, at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (idle_timeout = '20 "
      "seconds')");
  for (int i = 0; i < 50; ++i) {
    push("s", i, i + 1, 100);
    clock_.advance_us(30'000'000);
  }
  options_.max_step_bytes = 1;
  close();
  open();
  const uint64_t before = ticks();
  run("CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS c FROM TUMBLE(s, at, INTERVAL '10 "
      "seconds') GROUP BY window_start EMIT ON WINDOW CLOSE");
  settle();
  EXPECT_LE(ticks() - before, 1u);
}

// What is appended finds no room any more: the end says so instead of waiting for it.
TEST_F(Building, ANodeEndsOnAFullDisk) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE STREAM d AS SELECT n, text FROM s");
  settle();
  files_.set_capacity(0);
  for (int i = 0; i < 8; ++i) send("s", i * 100, i * 100 + 100, 900);
  const Status closed = node_->close();
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().id, "MR-LOG-0004");
  end();
}

}  // namespace
}  // namespace millrace::node
