// Retention and what must not go with it: histories that queries begin with, definitions without a mark,
// snapshots. And queries that a start cannot bring back: they stop, the others go on.
#include "node/node_testing.h"

namespace millrace::node {
namespace {

using Rows = std::vector<std::string>;

class Floor : public NodeTest {
 protected:
  Floor() {
    options_.journal.segment_bytes = 64u << 10;
    options_.journal.tail_bytes = 64u << 10;
  }
  // So many segments of a stream that keeps its events for a minute, and everything else saved.
  void fill(int segments) {
    for (int i = 0; i < segments; ++i) push("s", i * 100, i * 100 + 100, 600);
    settle();
  }
  void save_and_reopen() {
    close();
    open();
    settle();
  }
  uint64_t first() { return node_->journal().first_cut().value; }
  std::string state_of(const std::string& query) {
    for (const auto& row : sql("SHOW QUERIES").rows) {
      if (row.find("\"name\":\"" + query + "\"") == std::string::npos) continue;
      const size_t from = row.find("\"state\":\"") + 9;
      return row.substr(from, row.find("\",", from) - from);
    }
    return "";
  }
};

constexpr const char* kMinute = "CREATE STREAM s (n BIGINT, text TEXT) WITH (retention = '1 minute')";

TEST_F(Floor, ExpiredSegmentsGoAndTheirFilesAreUsedAgain) {
  open();
  run(kMinute);
  fill(20);
  save_and_reopen();
  clock_.advance_us(70'000'000);
  run_until([&] { return first() > 20; });
  settle();
  EXPECT_EQ(sql("SELECT n FROM s LIMIT 1").rows, Rows{R"({"n":1900})"});  // of the newest segment
  push("s", 5000, 5001);
  EXPECT_EQ(sql("SELECT n FROM s").rows.back(), R"({"n":5000})");
  EXPECT_LT(files_.list("/data/journal")->size(), 8u);
}

// Removal is undone by a crash: a query that began behind it begins there still.
TEST_F(Floor, AQueryBeginsWhereItBeganAfterACrash) {
  open();
  run(kMinute);
  fill(80);
  save_and_reopen();
  clock_.advance_us(70'000'000);
  run_until([&] { return first() > 20; });
  const uint64_t removed_up_to = first();
  run("CREATE STREAM d AS SELECT n FROM s");
  push("s", 9000, 9010);
  run_until([&] { return !sql("SELECT n FROM d LIMIT 1").rows.empty(); });
  const Rows before = sql("SELECT n FROM d").rows;
  crash();
  open();
  EXPECT_LT(first(), removed_up_to) << "the crash has undone nothing: the test proves nothing";
  settle();
  EXPECT_EQ(sql("SELECT n FROM d").rows, before);
}

TEST_F(Floor, AStartThatHasNotComeIsNow) {
  open();
  run("CREATE STREAM s (n BIGINT)");
  push("s", 0, 5);
  run("CREATE MATERIALIZED VIEW v WITH (start = '2023-11-15T00:00:00Z') AS SELECT count(*) AS c FROM s");
  push("s", 5, 8);
  EXPECT_EQ(sql("SELECT * FROM v").rows, Rows{R"({"c":3})"});
  crash();
  open();
  settle();
  EXPECT_EQ(sql("SELECT * FROM v").rows, Rows{R"({"c":3})"});
}

TEST_F(Floor, AHistoryThatAQueryIsStillBuiltOverIsKept) {
  open();
  run(kMinute);
  fill(20);
  save_and_reopen();
  options_.snapshot_after_bytes = 1u << 30;
  options_.snapshot_after_us = INT64_MAX;
  save_and_reopen();
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  settle();
  clock_.advance_us(70'000'000);
  turns(100);
  EXPECT_EQ(first(), 1u);
  crash();
  open();
  settle();
  EXPECT_EQ(sql("SELECT * FROM v").rows, Rows{R"({"c":2000})"});
}

TEST_F(Floor, ANodeWithoutAProcessorRemovesNothingThatAQueryMayNeed) {
  open();
  run(kMinute);
  fill(20);
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  settle();
  crash();
  options_.process = false;
  open();
  save_and_reopen();
  clock_.advance_us(70'000'000);
  turns(100);
  EXPECT_EQ(first(), 1u);
  crash();
  options_.process = true;
  open();
  settle();
  EXPECT_EQ(sql("SELECT * FROM v").rows, Rows{R"({"c":2000})"});
}

// A query that has failed must not fill the disk. What it would go on from may be gone then.
TEST_F(Floor, AQueryThatHasFailedHoldsNothing) {
  options_.state_bytes = 64u << 10;
  open();
  run(kMinute);
  run("CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  fill(20);
  EXPECT_EQ(state_of("v").substr(0, 20), "failed: MR-STEP-0005");
  save_and_reopen();
  clock_.advance_us(70'000'000);
  run_until([&] { return first() > 20; });
  turns(50);  // the files go one by one
  save_and_reopen();
  EXPECT_EQ(state_of("v").substr(0, 20), "failed: MR-STEP-0009");
  run("DROP VIEW v");
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  EXPECT_EQ(sql("SELECT * FROM v").rows, Rows{R"({"c":100})"});  // the newest segment's
  const std::string state = state_of("v");
  EXPECT_EQ(state.substr(0, 33), "running, complete from 2023-11-14");
  save_and_reopen();
  EXPECT_EQ(state_of("v"), state);
  options_.workers = 2;
  save_and_reopen();
  EXPECT_EQ(state_of("v"), state);
}

class Detached : public Floor {
 protected:
  void expect_only_v_has_failed(const std::string& code) {
    EXPECT_EQ(state_of("v").substr(0, 20), "failed: " + code);
    EXPECT_EQ(sql("SELECT * FROM v").error, code);
    push("s", 0, 1);
    EXPECT_EQ(sql("SELECT * FROM w").rows, Rows{R"({"c":2001})"});
    run("DROP VIEW v");
  }
};

TEST_F(Detached, AStateThatIsTooLargeNowStopsItsQueryAndNotTheStart) {
  open();
  run(kMinute);
  run("CREATE MATERIALIZED VIEW v AS SELECT n, text, sum(1 / (n - 1999)) AS x FROM s GROUP BY n, text");
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c FROM s");
  fill(20);
  EXPECT_EQ(sql("SELECT cause FROM dead_letters").rows.size(), 1u);  // so a step stands in the journal
  crash();
  options_.state_bytes = 64u << 10;
  open();
  settle();
  expect_only_v_has_failed("MR-STEP-0005");
}

// Not with those that go on.
TEST_F(Detached, AQueryThatHasFailedLagsFromWhereItStopped) {
  options_.state_bytes = 64u << 10;
  open();
  run(kMinute);
  run("CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c FROM s");
  fill(20);
  settle();
  const auto shown = [&](const std::string& member) {  // of v, the first of them
    const std::string row = sql("SHOW QUERIES").rows.at(0);
    return std::stod(row.substr(row.find('"' + member + "\":") + member.size() + 3));
  };
  const double position = shown("position");
  clock_.advance_us(30'000'000);
  push("s", 0, 1);
  settle();
  EXPECT_EQ(state_of("v").substr(0, 20), "failed: MR-STEP-0005");
  EXPECT_GE(shown("lag_seconds"), 30);
  EXPECT_EQ(shown("position"), position);
  EXPECT_EQ(sql("SELECT * FROM w").rows, Rows{R"({"c":2001})"});
  run("DROP VIEW v");
}

// Its groups come by a repartition: they do not fit where they are merged.
TEST_F(Detached, AStateOverItsBoundIsSaidOverRestartsUntilThereIsRoom) {
  options_.state_bytes = 64u << 10;
  options_.workers = 2;
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT) WITH (key = 'text', partitions = 4)");
  run("CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c FROM s");
  fill(60);
  for (int start = 0; start < 3; ++start) {
    EXPECT_EQ(state_of("v").substr(0, 68),
              "failed: MR-STEP-0005: the state of v is larger than its bound: it ta");
    EXPECT_EQ(sql("SELECT * FROM v").error, "MR-STEP-0005");
    static_cast<void>(sql("RESUME v"));  // where nothing has changed it fails again
    settle();
    EXPECT_EQ(state_of("v").substr(0, 20), "failed: MR-STEP-0005");
    EXPECT_EQ(sql("SELECT * FROM w").rows, Rows{R"({"c":6000})"});
    start == 0 ? crash() : close();
    if (start == 2) options_.state_bytes = 64u << 20;
    open();
    settle();
  }
  EXPECT_EQ(state_of("v").substr(0, 7), "running");
  EXPECT_EQ(sql("SELECT count(*) AS c FROM v").rows, Rows{R"({"c":6000})"});
}

TEST_F(Detached, DamageStopsTheQueriesThatStandBeforeIt) {
  open();
  run(kMinute);
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c FROM s");
  fill(20);
  close();
  files_.flip_bit("/data/journal/000000000005.seg", 30'000, 3);
  open();
  run("CREATE MATERIALIZED VIEW v AS SELECT sum(n) AS c FROM s");
  settle();
  EXPECT_EQ(state_of("v").substr(0, 19), "failed: MR-LOG-0007");
  crash();
  open();
  settle();
  EXPECT_EQ(state_of("v").substr(0, 19), "failed: MR-LOG-0007");
  push("s", 0, 1);
  EXPECT_EQ(sql("SELECT * FROM w").rows, Rows{R"({"c":2001})"});
  run("DROP VIEW v");
}

TEST_F(Detached, ANumberOfWorkersDoesNotChangeWhileAQueryHasFailed) {
  options_.state_bytes = 64u << 10;
  open();
  run(kMinute);
  run("CREATE MATERIALIZED VIEW v AS SELECT n, count(*) AS c FROM s GROUP BY n");
  fill(20);
  close();
  options_.workers = 2;
  const Status refused = try_open();
  EXPECT_EQ(refused.ok() ? "" : refused.error().id, "MR-STEP-0032");
  end();
  options_.workers = 1;
  open();
  run("DROP VIEW v");
  close();
  options_.workers = 2;
  open();
  push("s", 0, 1);
}

TEST_F(Detached, FoldersThatACrashLeftBehindAreEmptied) {
  open();
  run(kMinute);
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c FROM s");
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS c FROM s");
  fill(3);
  close();
  open();
  settle();
  const std::string folder = "/data/snapshots/layout-0/query-3-worker-0";
  EXPECT_FALSE(files_.list(folder)->empty());
  run("DROP VIEW v");
  background_.drop_all();
  crash();
  open();
  settle();
  EXPECT_TRUE(files_.list(folder)->empty());
  EXPECT_FALSE(files_.list("/data/snapshots/layout-0/query-4-worker-0")->empty());
  options_.workers = 2;
  close();
  open();
  settle();
  EXPECT_TRUE(files_.list("/data/snapshots/layout-0/query-4-worker-0")->empty());
  push("s", 0, 1);
  EXPECT_EQ(sql("SELECT * FROM w").rows, Rows{R"({"c":301})"});
}

// What a look at the segments costs must not grow with them: their indexes are read once.
TEST_F(Floor, ALookForExpiredSegmentsReadsNoFiles) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  fill(90);
  save_and_reopen();
  for (int i = 0; i < 3; ++i) {
    clock_.advance_us(1'100'000);
    settle();
    turns(3);
  }
  const uint64_t before = files_.calls();
  for (int i = 0; i < 10; ++i) {
    clock_.advance_us(1'100'000);
    turns(3);
  }
  EXPECT_LT(files_.calls() - before, 200u);
}

}  // namespace
}  // namespace millrace::node
