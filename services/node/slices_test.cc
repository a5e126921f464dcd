// Outputs of a step that one frame does not take: written in several, each row once, whatever comes in between.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "log/record_batch.h"
#include "node/node_testing.h"

namespace millrace::node {
namespace {

using Rows = std::vector<std::string>;

constexpr int kEvents = 60;

class Slices : public NodeTest {
 protected:
  Slices() {
    options_.max_slice_bytes = 300;
    options_.snapshot_after_bytes = 2'000;
    options_.journal.max_group_bytes = 1'000;  // a few frames a write
  }
  void make_queries() {
    run("CREATE STREAM s (n BIGINT, text TEXT) WITH (partitions = 2)");
    run("CREATE STREAM twice AS SELECT n FROM s UNION ALL SELECT n + 1000 AS n FROM s");
    run("CREATE MATERIALIZED VIEW v AS SELECT n % 3 AS k, text, count(DISTINCT n) AS c FROM s GROUP BY "
        "GROUPING SETS ((n % 3), (text), ())");
  }
  void expect_answers() {
    EXPECT_EQ(
        sql("SELECT count(*) AS c, count(DISTINCT n) AS d, min(n) AS a, max(n) AS z FROM twice").rows,
        Rows{fmt::format(R"({{"c":{},"d":{},"a":0,"z":{}}})", 2 * kEvents, 2 * kEvents, kEvents + 999)});
    EXPECT_EQ(sql("SELECT sum(c) AS c, count(*) AS g FROM v").rows,
              Rows{fmt::format(R"({{"c":{},"g":5}})", 3 * kEvents)});
  }
  // What stands in the log, not what is going to.
  uint64_t count(const std::string& stream) {
    const StreamId id = node_->definitions().catalog()->find(tenant_, stream)->stream->id;
    uint64_t records = 0;
    auto& journal = node_->journal();
    const auto frames = journal.read_frames(Cut(0), journal.end_cut(), SIZE_MAX);
    for (const auto& frame : *frames) {
      for (const auto& batch : frame->batches) {
        if (batch.where.stream == id)
          records += log::RecordBatchView::parse(batch.bytes.view(), false)->count();
      }
    }
    return records;
  }
  std::string state_of(const std::string& query) {
    for (const auto& row : sql("SHOW QUERIES").rows) {
      if (row.find("\"name\":\"" + query + "\"") != std::string::npos) return row;
    }
    return "";
  }
};

TEST_F(Slices, OfOneRequestAreInManyFrames) {
  open();
  make_queries();
  const uint64_t before = node_->journal().end_cut().value;
  push("s", 0, kEvents);
  settle();
  EXPECT_GT(node_->journal().end_cut().value, before + 20);
  expect_answers();
  close();
}

// The power goes off at the 1st, 2nd, … call of the disk, and again in the recovery, with slices of another size.
TEST_F(Slices, AreWrittenOnceWhereverACrashCutsThem) {
  int cut = 0;
  for (uint64_t calls = 0; calls < 40 && !HasFailure(); ++calls) {
    options_.directory = fmt::format("/data{}", calls);
    options_.workers = 1 + calls % 2;
    options_.max_slice_bytes = 300;
    open();
    make_queries();
    send("s", 0, kEvents);
    files_.power_off_after(calls);
    for (int i = 0; i < 200 && !files_.off(); ++i) {
      node_->turn();
      background_.step();
      clock_.advance_us(100);
    }
    crash();
    files_.power_on();
    options_.max_slice_bytes = calls % 3 == 0 ? 1 : 5'000;
    open();
    const uint64_t twice = count("twice");
    cut += twice > 0 && twice < 2 * kEvents;
    turns(static_cast<int>(calls % 4));
    crash();
    open();
    if (count("s") == 0) push("s", 0, kEvents);  // it had not been acknowledged
    settle();
    expect_answers();
    end();
  }
  EXPECT_GT(cut, 0);
}

TEST_F(Slices, OfOneRowThatNoFrameTakesEndTheQuery) {
  options_.max_slice_bytes = 8u << 20;
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE STREAM wide AS SELECT text AS a, text AS b FROM s");
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  push("s", 0, 1, 900'000);
  settle();
  EXPECT_THAT(state_of("wide"), testing::HasSubstr("failed: MR-STEP-0008: one row makes an output"));
  EXPECT_EQ(sql("SELECT * FROM v").rows, Rows{R"({"c":1})"});
  close();
}

}  // namespace
}  // namespace millrace::node
