#include "event-gateway/stream_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/buffer.h"
#include "engine/select.h"
#include "event-gateway/gateway.h"
#include "sql/catalog.h"
#include "sql/sql.h"
#include "tests/fakes/background.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/memory_store.h"

namespace millrace::gateway {
namespace {

// A stream's events in memory; the event i is in frame i, which is appended at the microsecond i.
class Events final : public engine::StreamReads {
 public:
  engine::StreamPlace start_of(const engine::StreamDef&) override { return {Cut(0), 0}; }
  engine::StreamPlace end_of() override { return {Cut(events.size()), 0}; }
  void read(engine::StreamReadRequest request,
            std::function<void(Result<engine::StreamReadAnswer>)> done) override {
    engine::StreamReadAnswer answer;
    const auto& [offsets, times] = request.range;
    const auto first = static_cast<size_t>(std::max<int64_t>({0, offsets.first, times.first}));
    const size_t end = std::min(events.size(), static_cast<size_t>(std::min(offsets.last, times.last)) + 1);
    size_t at = std::max<size_t>(request.place->cut.value, first);
    for (; at < end && answer.events.size() < request.limit; ++at) {
      answer.events.push_back({PartitionId(0), Offset(static_cast<int64_t>(at)),
                               AppendTime(static_cast<int64_t>(at)), events[at].view(),
                               engine::StreamPlace{Cut(at + 1), 0}});
    }
    answer.next = {Cut(at), 0};
    answer.at_end = at >= end;
    read_events += answer.events.size();
    done(std::move(answer));
  }
  Result<std::unique_ptr<engine::Subscription>> follow(engine::StreamReadRequest, bool) override {
    return error(Code::kUnsupported, "MR-TEST-0001", "not here");
  }

  void add(std::string_view event) { events.push_back(Buffer::copy(event)); }

  std::vector<Buffer> events;  // with the room behind them that a decoder may read
  size_t read_events = 0;
};

class StreamScanTest : public ::testing::Test {
 protected:
  StreamScanTest() {
    define(1, metadata::DefinitionKind::kTenant, "default", "");
    define(2, metadata::DefinitionKind::kStream, "s", "CREATE STREAM s (n BIGINT, name TEXT)");
  }
  void define(uint32_t id, metadata::DefinitionKind kind, const char* name, const char* sql) {
    metadata::Definition definition;
    definition.id = metadata::DefinitionId(id);
    definition.tenant = TenantId(1);
    definition.kind = kind;
    definition.name = name;
    definition.sql = sql;
    catalog_ = *catalog_->with(definition);
  }
  void fill(size_t count) {
    for (size_t i = 0; i < count; ++i) streams_.add("{\"n\":" + std::to_string(i) + "}");
  }
  // The column n of the answer, or the error's id.
  std::string select(const std::string& text) {
    streams_.read_events = 0;
    const auto statements = *sql::parse(text);
    const auto bound = *sql::bind(*statements.front(), *catalog_, TenantId(1));
    const engine::SelectPlan plan = std::get<sql::Select>(bound).plan;
    std::string out;
    scan_stream(streams_, background_, scan_for(plan, plan.stream),
                [&](Result<std::shared_ptr<ScannedRows>> scanned) {
                  out = scanned.ok() ? shown(engine::run_select(plan, (*scanned)->rows)) : scanned.error().id;
                });
    return out;
  }
  static std::string shown(const Result<Batch>& rows) {
    if (!rows.ok()) return rows.error().id;
    std::string out;
    for (const int64_t n : rows->columns[0].integers) out += std::to_string(n) + " ";
    return out;
  }

  sql::CatalogPtr catalog_ = sql::Catalog::empty();
  Events streams_;
  fakes::Background background_;
};

TEST_F(StreamScanTest, LimitEndsTheReading) {
  fill(kMaxScanRows + 1);
  EXPECT_EQ(select("SELECT n FROM s"), "MR-QRY-0003");
  EXPECT_EQ(select("SELECT n FROM s LIMIT 3"), "0 1 2 ");
  EXPECT_EQ(streams_.read_events, 3u);
  EXPECT_EQ(select("SELECT n FROM s LIMIT 2 OFFSET 4"), "4 5 ");
  EXPECT_EQ(streams_.read_events, 6u);
  EXPECT_EQ(select("SELECT n FROM s LIMIT 0"), "");
  EXPECT_EQ(streams_.read_events, 0u);
  EXPECT_EQ(select("SELECT n FROM s WHERE n % 2 = 1 LIMIT 2"), "1 3 ");
  EXPECT_LT(streams_.read_events, 100'000u);
  EXPECT_EQ(select("SELECT n FROM s WHERE n >= 300000 LIMIT 2 OFFSET 1"), "300001 300002 ");
  EXPECT_LT(streams_.read_events, 400'000u);
  EXPECT_EQ(select("SELECT n FROM s WHERE n < 0 LIMIT 1"), "MR-QRY-0003");
  EXPECT_EQ(select("SELECT n FROM s ORDER BY n DESC LIMIT 1"), "MR-QRY-0003");
}

TEST_F(StreamScanTest, OnlyTheRangeIsRead) {
  fill(kMaxScanRows + 10);
  EXPECT_EQ(select("SELECT n FROM s WHERE _offset BETWEEN 1000005 AND 1000007"), "1000005 1000006 1000007 ");
  EXPECT_EQ(streams_.read_events, 3u);
  EXPECT_EQ(select("SELECT n FROM s WHERE _offset >= 1000000 AND n % 2 = 1 ORDER BY _offset DESC LIMIT 2"),
            "1000009 1000007 ");
  EXPECT_EQ(streams_.read_events, 10u);
  EXPECT_EQ(
      select("SELECT _offset FROM s WHERE _time < TIMESTAMPTZ '1970-01-01 00:00:00.000003Z' AND n <> 1"),
      "0 2 ");
  EXPECT_EQ(streams_.read_events, 3u);
  EXPECT_EQ(select("SELECT count(*) FROM s WHERE _offset < 1000000"), "1000000 ");
  EXPECT_EQ(select("SELECT count(*) FROM s WHERE _offset <= 1000000"), "MR-QRY-0003");
  EXPECT_EQ(select("SELECT n FROM s WHERE _offset >= 5 LIMIT 2"),
            "5 6 ");  // the range is all that WHERE says
  EXPECT_EQ(streams_.read_events, 2u);
  EXPECT_EQ(select("SELECT n FROM s WHERE _offset >= 5 OR n < 2 LIMIT 3"), "0 1 5 ");
  EXPECT_EQ(select("SELECT n FROM s WHERE _offset > 7 AND _offset < 7"), "");
  EXPECT_EQ(select("SELECT n FROM s WHERE _partition <> 0"), "");
  EXPECT_EQ(streams_.read_events, 0u);
}

TEST_F(StreamScanTest, SystemColumnsStandBesideWhatDecodes) {
  for (const char* event : {R"({"n":"x"})", R"({"n":1})", "nonsense", R"({"n":2})", R"({"n":3})"})
    streams_.add(event);
  EXPECT_EQ(select("SELECT _offset FROM s"), "1 3 4 ");
  EXPECT_EQ(select("SELECT _offset FROM s WHERE _offset + n > 2 LIMIT 1"), "3 ");
  EXPECT_EQ(select("SELECT _time FROM s ORDER BY _time DESC, _partition"), "4 3 1 ");
  EXPECT_EQ(select("SELECT n FROM s ORDER BY _offset DESC"), "3 2 1 ");
}

TEST_F(StreamScanTest, EachRowHasItsOwnAppendTime) {
  for (const char* event : {R"({"n":"x"})", R"({"n":1})", "nonsense", R"({"n":2})", R"({"n":3})"})
    streams_.add(event);
  EXPECT_EQ(select("SELECT PROCTIME() FROM s"), "1 3 4 ");
  EXPECT_EQ(select("SELECT PROCTIME() FROM s ORDER BY PROCTIME() DESC"), "4 3 1 ");
  EXPECT_EQ(
      select("SELECT PROCTIME() FROM s WHERE PROCTIME() > TIMESTAMPTZ '1970-01-01 00:00:00.000001Z' LIMIT 1"),
      "3 ");
  EXPECT_EQ(select("SELECT max(PROCTIME()) FROM s WHERE n < 3"), "3 ");
}

TEST_F(StreamScanTest, WhatDoesNotDecodeDoesNotCount) {
  for (const char* event : {R"({"n":"x"})", R"({"n":1})", "nonsense", R"({"n":2})", R"({"n":3})"})
    streams_.add(event);
  EXPECT_EQ(select("SELECT n FROM s LIMIT 2"), "1 2 ");
  EXPECT_EQ(select("SELECT n FROM s LIMIT 9"), "1 2 3 ");
}

TEST_F(StreamScanTest, ARowBehindTheLimitFailsNothing) {
  for (const char* event : {R"({"n":2})", R"({"n":0})", R"({"n":1})"}) streams_.add(event);
  EXPECT_EQ(select("SELECT n FROM s WHERE 4 / n > 1 LIMIT 1"), "2 ");
  EXPECT_EQ(select("SELECT n FROM s WHERE 4 / n > 1 LIMIT 2"), "MR-SQL-0101");
  EXPECT_EQ(select("SELECT 4 / n FROM s LIMIT 1"), "2 ");
}

TEST_F(StreamScanTest, TextThatTheFilterMakes) {
  for (int i = 0; i < 70'000; ++i) {
    streams_.add("{\"n\":" + std::to_string(i) + ",\"name\":\"a\\u0062" + std::to_string(i) + "\"}");
  }
  EXPECT_EQ(select("SELECT n FROM s WHERE name || '!' = 'ab69999!' LIMIT 5"), "69999 ");
}

// What a scan holds while others are at it, and while nobody has taken its rows.
TEST_F(StreamScanTest, ScansShareTheirMemory) {
  fill(100);
  const auto budget = std::make_shared<ReadBudget>(6'000);  // one scan takes 100 * (2 * 17 bytes + its text)
  const auto stream = catalog_->find(TenantId(1), "s")->stream;
  std::vector<std::shared_ptr<ScannedRows>> kept;
  const auto scan = [&]() -> std::string {
    std::string failed;
    ScanRequest request{stream, nullptr};
    request.share = budget->share();
    auto share = request.share;
    scan_stream(streams_, background_, std::move(request), [&](Result<std::shared_ptr<ScannedRows>> scanned) {
      if (!scanned.ok()) failed = scanned.error().id;
      if (!scanned.ok()) return;
      (*scanned)->keep.push_back(share);
      kept.push_back(*scanned);
    });
    return failed;
  };
  EXPECT_EQ(scan(), "");
  EXPECT_GT(budget->used(), 4'000u);
  EXPECT_EQ(scan(), "MR-QRY-0005");
  EXPECT_EQ(kept.size(), 1u);
  kept.clear();
  EXPECT_EQ(budget->used(), 0u);
  EXPECT_EQ(scan(), "");
}

TEST_F(StreamScanTest, ManyColumnsCount) {
  fill(100);
  ScanRequest request{catalog_->find(TenantId(1), "s")->stream, nullptr};
  request.max_memory = 4'000;
  std::string failed;
  scan_stream(streams_, background_, std::move(request),
              [&](Result<std::shared_ptr<ScannedRows>> scanned) { failed = scanned.error().id; });
  EXPECT_EQ(failed, "MR-QRY-0003");
}

TEST(ReadBudgetTest, Shares) {
  const auto budget = std::make_shared<ReadBudget>(100);
  auto a = budget->share();
  EXPECT_TRUE(a->resize(150));  // alone it may have more
  auto b = budget->share();
  EXPECT_FALSE(b->resize(1));
  EXPECT_TRUE(a->resize(90));
  EXPECT_TRUE(b->resize(10));
  EXPECT_FALSE(b->resize(11));
  EXPECT_TRUE(b->resize(5));
  a.reset();
  EXPECT_EQ(budget->used(), 5u);
  EXPECT_TRUE(b->resize(500));
  b.reset();
  EXPECT_EQ(budget->used(), 0u);
}

// Answers that were not taken count until they are.
TEST_F(StreamScanTest, AnswersShareTheirMemory) {
  fakes::MemoryJournal journal;
  auto opened = sql::Definitions::open(
      std::make_unique<fakes::MemoryStore>(std::make_shared<fakes::StoredDefinitions>()), journal);
  ASSERT_TRUE(opened.ok());
  const auto definitions = std::move(opened).value();
  const TenantId tenant = *definitions->ensure_tenant("default", nullptr);
  const SystemClock clock;
  SqlService service(*definitions, nullptr, streams_, background_, clock, std::make_shared<ReadBudget>(40));
  std::vector<StatementResult> answers;
  const auto run = [&] {
    std::string id;
    service.execute(
        tenant, "SELECT 1", [&](StatementResult result) { answers.push_back(std::move(result)); },
        [&](Status status) { id = status.ok() ? "" : status.error().id; });
    return id;
  };
  EXPECT_EQ(run(), "");  // 17 bytes each
  EXPECT_EQ(run(), "");
  EXPECT_EQ(run(), "MR-QRY-0005");
  answers.pop_back();
  EXPECT_EQ(run(), "");
  EXPECT_EQ(answers.size(), 2u);
}

}  // namespace
}  // namespace millrace::gateway
