// Statements that read too long, or for nobody: they end, their work ends, and their memory goes back.
#include "event-gateway/statement_limits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/buffer.h"
#include "event-gateway/gateway.h"
#include "tests/fakes/background.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/memory_store.h"

namespace millrace::gateway {
namespace {

using std::chrono::milliseconds;

class SetClock final : public Clock {
 public:
  int64_t monotonic_ns() const override { return now_ms * 1'000'000; }
  int64_t wall_us() const override { return now_ms * 1'000; }
  int64_t now_ms = 1'000;
};

// A hundred events, ten a page.
class Events final : public engine::StreamReads {
 public:
  engine::StreamPlace start_of(const engine::StreamDef&) override { return {Cut(0), 0}; }
  engine::StreamPlace end_of() override { return {Cut(kEvents), 0}; }
  void read(engine::StreamReadRequest request,
            std::function<void(Result<engine::StreamReadAnswer>)> done) override {
    ++reads;
    engine::StreamReadAnswer answer;
    uint64_t at = request.place->cut.value;
    for (const uint64_t end = at + 10; at < end; ++at) {
      answer.events.push_back({PartitionId(0), Offset(static_cast<int64_t>(at)), AppendTime(0), event_.view(),
                               engine::StreamPlace{Cut(at + 1), 0}});
    }
    answer.next = {Cut(at), 0};
    answer.at_end = at == kEvents;
    done(std::move(answer));
  }
  Result<std::unique_ptr<engine::Subscription>> follow(engine::StreamReadRequest, bool) override {
    return error(Code::kUnsupported, "MR-TEST-0001", "not here");
  }
  size_t reads = 0;

 private:
  static constexpr uint64_t kEvents = 100;
  const Buffer event_ = Buffer::copy(R"({"n":1})");
};

class StatementLimitsTest : public ::testing::Test {
 protected:
  StatementLimitsTest() {
    auto opened = sql::Definitions::open(
        std::make_unique<fakes::MemoryStore>(std::make_shared<fakes::StoredDefinitions>()), journal_);
    definitions_ = std::move(opened).value();
    tenant_ = *definitions_->ensure_tenant("default", nullptr);
    service_ = std::make_unique<SqlService>(*definitions_, nullptr, streams_, background_, clock_, budget_);
    run("CREATE STREAM s (n BIGINT)");
    journal_.sync();
    definitions_->on_durable(journal_.durable_cut());
    ends_.clear();
    answers_ = 0;
    background_.hold = true;
  }
  SqlService::Cancel run(const std::string& text, milliseconds timeout = milliseconds(0)) {
    SqlText statements{text};
    statements.timeout = timeout;
    return service_->execute(
        tenant_, statements, [this](const StatementResult&) { ++answers_; },
        [this](const Status& end) { ends_.push_back(end.ok() ? "ok" : end.error().id); });
  }
  void pass(int64_t ms) {
    clock_.now_ms += ms;
    service_->expire();
  }

  fakes::MemoryJournal journal_;
  std::unique_ptr<sql::Definitions> definitions_;
  TenantId tenant_;
  Events streams_;
  fakes::Background background_;
  SetClock clock_;
  std::shared_ptr<ReadBudget> budget_ = std::make_shared<ReadBudget>();
  std::unique_ptr<SqlService> service_;
  std::vector<std::string> ends_;
  int answers_ = 0;
};

using Ids = std::vector<std::string>;

TEST_F(StatementLimitsTest, AStatementThatTakesTooLongEnds) {
  service_->set_statement_timeout(milliseconds(100));
  EXPECT_EQ(service_->wait_us(), INT64_MAX);
  run("SELECT 1");
  EXPECT_EQ(service_->wait_us(), 100'000);
  pass(99);
  EXPECT_EQ(service_->wait_us(), 1'000);
  EXPECT_EQ(ends_, Ids{});
  pass(1);
  EXPECT_EQ(ends_, Ids{"MR-QRY-0010"});
  EXPECT_EQ(service_->wait_us(), INT64_MAX);
  EXPECT_EQ(service_->counters().running, 1);  // its work still waits for its turn
  background_.run_held();
  EXPECT_EQ(ends_, Ids{"MR-QRY-0010"});
  EXPECT_EQ(answers_, 0);
  EXPECT_EQ(service_->counters().running, 0);
  EXPECT_EQ(service_->counters().timed_out, 1u);
}

TEST_F(StatementLimitsTest, AQuickOneIsNotTimedAnyMore) {
  service_->set_statement_timeout(milliseconds(100));
  run("SELECT 1");
  background_.run_held();
  EXPECT_EQ(ends_, Ids{"ok"});
  EXPECT_EQ(service_->wait_us(), INT64_MAX);
  pass(1'000);
  EXPECT_EQ(service_->counters().timed_out, 0u);
}

TEST_F(StatementLimitsTest, WithoutATimeItTakesAsLongAsItDoes) {
  run("SELECT 1");
  pass(1'000'000'000);
  EXPECT_EQ(ends_, Ids{});
  background_.run_held();
  EXPECT_EQ(ends_, Ids{"ok"});
}

TEST_F(StatementLimitsTest, ARequestMayAskForLess) {
  service_->set_statement_timeout(milliseconds(100));
  run("SELECT 1", milliseconds(10));
  EXPECT_EQ(service_->wait_us(), 10'000);
  pass(10);
  run("SELECT 1", milliseconds(86'400'000));
  EXPECT_EQ(service_->wait_us(), 100'000);
  service_->set_statement_timeout(milliseconds(0));
  pass(100);
  run("SELECT 1", milliseconds(7'000));
  EXPECT_EQ(service_->wait_us(), 7'000'000);
}

TEST_F(StatementLimitsTest, EachStatementHasItsOwnTime) {
  service_->set_statement_timeout(milliseconds(100));
  run("SELECT 1; SELECT 2");
  pass(90);
  background_.run_one();
  EXPECT_EQ(answers_, 1);
  pass(90);
  EXPECT_EQ(ends_, Ids{});
  pass(10);
  EXPECT_EQ(ends_, Ids{"MR-QRY-0010"});
}

// A definition that waits for the disk is not taken back, so it is not answered as if it were.
TEST_F(StatementLimitsTest, WhatIsInTheLogIsWaitedFor) {
  service_->set_statement_timeout(milliseconds(100));
  run("CREATE STREAM t (n BIGINT)");
  pass(1'000);
  EXPECT_EQ(ends_, Ids{});
  journal_.sync();
  definitions_->on_durable(journal_.durable_cut());
  EXPECT_EQ(ends_, Ids{"ok"});
}

// Between pages; what was read goes back at once, though its decoding still waits for its turn.
TEST_F(StatementLimitsTest, AScanStopsAndFreesItsMemory) {
  service_->set_statement_timeout(milliseconds(100));
  run("SELECT n FROM s ORDER BY n");
  EXPECT_EQ(streams_.reads, 1u);
  background_.run_one();
  EXPECT_EQ(streams_.reads, 2u);
  EXPECT_GT(budget_->used(), 0u);
  pass(100);
  EXPECT_EQ(budget_->used(), 0u);
  EXPECT_EQ(ends_, Ids{"MR-QRY-0010"});
  background_.run_held();
  EXPECT_EQ(streams_.reads, 2u);
  EXPECT_EQ(service_->counters().running, 0);
}

// All is read, and the sorting waits.
TEST_F(StatementLimitsTest, RowsThatWaitToBeSortedGoBack) {
  const auto cancel = run("SELECT n FROM s ORDER BY n");
  for (int page = 0; page < 10; ++page) background_.run_one();
  EXPECT_EQ(streams_.reads, 10u);
  EXPECT_GT(budget_->used(), 0u);
  cancel();
  EXPECT_EQ(budget_->used(), 0u);
  background_.run_held();
  EXPECT_EQ(service_->counters().running, 0);
}

TEST_F(StatementLimitsTest, NothingIsCalledBackOnceItIsCancelled) {
  const auto cancel = run("SELECT 1; CREATE STREAM never (n BIGINT)");
  cancel();
  cancel();
  background_.run_held();
  EXPECT_EQ(ends_, Ids{});
  EXPECT_EQ(answers_, 0);
  EXPECT_EQ(service_->counters().cancelled, 1u);
  EXPECT_EQ(service_->counters().running, 0);
  EXPECT_EQ(definitions_->catalog()->find(tenant_, "never"), nullptr);
}

TEST_F(StatementLimitsTest, ACancelThatComesLateDoesNothing) {
  const auto cancel = run("SELECT 1");
  background_.run_held();
  cancel();
  run("not SQL")();
  EXPECT_EQ(service_->counters().cancelled, 0u);
  const auto after = run("SELECT 1");
  service_.reset();
  after();
  background_.run_held();
}

// Every moment at which it may be stopped: nothing is answered twice, nothing stays behind.
TEST_F(StatementLimitsTest, WheneverItIsStoppedNothingStays) {
  for (int pieces = 0; pieces < 13; ++pieces) {
    ends_.clear();
    const auto cancel = run("SELECT n FROM s GROUP BY n UNION SELECT n FROM s ORDER BY n", milliseconds(100));
    for (int piece = 0; piece < pieces; ++piece) background_.run_one();
    if (pieces % 2 == 0) cancel();
    pass(100);
    background_.run_held();
    EXPECT_LE(ends_.size(), 1u);
    EXPECT_EQ(service_->counters().running, 0);
    EXPECT_EQ(budget_->used(), 0u);
  }
}

}  // namespace
}  // namespace millrace::gateway
