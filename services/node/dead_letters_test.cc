// Dead letters over crashes and starts: what was done with them follows from the journal, and so does what queries make
// of it.
#include "event-gateway/dead_letters.h"

#include "node/node_testing.h"

namespace millrace::node {
namespace {

using Action = engine::LetterAction;

TEST(LetterActions, ReadAsTheyWereWritten) {
  Action action{Action::Kind::kRedrive, TenantId(3), Offset(70'000), "token 12ab", {}, QueryId(9)};
  action.event = {{StreamId(16), PartitionId(2)}, Offset(5), R"({"n":1})"};
  const auto read = engine::decode_letter_action(encode(action));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->kind, action.kind);
  EXPECT_EQ(read->tenant, action.tenant);
  EXPECT_EQ(read->letter, action.letter);
  EXPECT_EQ(read->by, action.by);
  EXPECT_EQ(read->query, action.query);
  EXPECT_EQ(read->event.where, action.event.where);
  EXPECT_EQ(read->event.offset, action.event.offset);
  EXPECT_EQ(read->event.payload, action.event.payload);
  const std::string bytes = encode(action);
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(engine::decode_letter_action(std::string_view(bytes).substr(0, size)).ok()) << size;
  EXPECT_FALSE(engine::decode_letter_action(bytes + "x").ok());
}

TEST(LetterStates, AreWhatWasSaved) {
  gateway::LetterStates states;
  states.apply({Action::Kind::kEdit, TenantId(1), Offset(4), "me", {{}, {}, "{}"}, {}}, AppendTime(10),
               Cut(2));
  states.apply({Action::Kind::kRedrive, TenantId(1), Offset(4), "me", {}, QueryId(7)}, AppendTime(11),
               Cut(3));
  states.apply({Action::Kind::kDiscard, TenantId(1), Offset(5), "", {}, {}}, AppendTime(12), Cut(4));
  gateway::LetterStates loaded;
  ASSERT_TRUE(loaded.load(states.save()).ok());
  ASSERT_NE(loaded.find(TenantId(1), Offset(4)), nullptr);
  const auto& state = *loaded.find(TenantId(1), Offset(4));
  EXPECT_EQ(state.name(), "redriven");
  EXPECT_EQ(state.payload, "{}");
  EXPECT_EQ(state.edited->by, "me");
  EXPECT_EQ(state.redriven->cut, Cut(3));
  EXPECT_EQ(loaded.find(TenantId(1), Offset(5))->name(), "discarded");
  EXPECT_EQ(loaded.find(TenantId(2), Offset(4)), nullptr);
  EXPECT_EQ(loaded.save(), states.save());
  loaded.forget_before(TenantId(1), Offset(5));
  EXPECT_EQ(loaded.find(TenantId(1), Offset(4)), nullptr);
  EXPECT_FALSE(loaded.load("\x01").ok());
  EXPECT_NE(loaded.find(TenantId(1), Offset(5)), nullptr);
}

class DeadLettersTest : public NodeTest {
 protected:
  std::string edit(int64_t letter, const std::string& payload) {
    return act([&](auto done) {
      node_->dead_letters().edit({tenant_, Offset(letter), "me"}, payload, done);
    });
  }
  std::string redrive(int64_t letter) {
    return act([&](auto done) { node_->dead_letters().redrive({tenant_, Offset(letter), "me"}, done); });
  }
  // The letter's state then; an error's id.
  std::string act(const std::function<void(gateway::DeadLetters::OneDone)>& ask) {
    auto told = std::make_shared<std::optional<std::string>>();
    ask([told](const Result<gateway::Letter>& letter) {
      *told = letter.ok() ? std::string(letter->state.name()) : letter.error().id;
    });
    run_until([&] { return told->has_value(); });
    return told->value_or("");
  }
  void open_with_a_letter() {
    open();
    run("CREATE STREAM s (n BIGINT, text TEXT)");
    run("CREATE MATERIALIZED VIEW v AS SELECT count(10 / n) AS rows, string_agg(n::text, ',') AS list FROM "
        "s");
    push("s", 0, 3);
    settle();
  }
  void push_lines(const std::string& lines) {
    const Buffer padded = Buffer::copy(lines);
    std::optional<size_t> accepted;
    node_->ingest().ingest(
        {tenant_, "s", gateway::IngestRequest::Format::kNdjson, padded.view(), ""},
        [&](const Result<gateway::IngestAnswer>& answer) { accepted = answer.ok() ? answer->accepted : 0; });
    run_until([&] { return accepted.has_value(); });
    EXPECT_GT(*accepted, 0u);
    settle();
  }
  void expect(const std::string& row) {
    settle();
    EXPECT_EQ(sql("SELECT * FROM v").rows, std::vector<std::string>{row});
  }
};

TEST_F(DeadLettersTest, ARedrivenOneCountsOnceOverACrash) {
  open_with_a_letter();
  expect(R"({"rows":2,"list":"1,2"})");
  EXPECT_EQ(redrive(0), "MR-DLQ-0006");
  EXPECT_EQ(edit(0, R"({"n":5})"), "edited");
  EXPECT_EQ(redrive(0), "redriven");
  crash();
  open();
  expect(R"({"rows":3,"list":"5,1,2"})");
  EXPECT_EQ(redrive(0), "redriven");
  push("s", 3, 4);
  expect(R"({"rows":4,"list":"5,1,2,3"})");
  close();
  open();
  expect(R"({"rows":4,"list":"5,1,2,3"})");
  EXPECT_EQ(edit(0, R"({"n":6})"), "MR-DLQ-0003");
}

TEST_F(DeadLettersTest, TwoAtOnceAreOne) {
  open_with_a_letter();
  EXPECT_EQ(edit(0, R"({"n":5})"), "edited");
  int told = 0;
  for (int i = 0; i < 5; ++i) {
    node_->dead_letters().redrive({tenant_, Offset(0), "me"}, [&](const Result<gateway::Letter>& letter) {
      EXPECT_TRUE(letter.ok() && letter->state.redriven);
      ++told;
    });
  }
  run_until([&] { return told == 5; });
  EXPECT_EQ(node_->dead_letters().redriven(tenant_), 1u);
  expect(R"({"rows":3,"list":"5,1,2"})");
}

// What was asked and not yet durable is as if it had not been asked.
TEST_F(DeadLettersTest, ACrashLeavesAllOfItOrNothing) {
  for (int turns_before = 0; turns_before < 12; ++turns_before) {
    files_ = sim::SimFiles(7);
    open_with_a_letter();
    EXPECT_EQ(edit(0, R"({"n":5})"), "edited");
    node_->dead_letters().redrive({tenant_, Offset(0), "me"}, [](const Result<gateway::Letter>&) {});
    turns(turns_before);
    crash();
    open();
    settle();
    const bool there = sql("SELECT rows FROM v").rows == std::vector<std::string>{R"({"rows":3})"};
    EXPECT_EQ(redrive(0), "redriven");
    EXPECT_EQ(node_->dead_letters().redriven(tenant_), there ? 0u : 1u) << turns_before;
    expect(R"({"rows":3,"list":"5,1,2"})");
    end();
  }
}

TEST_F(DeadLettersTest, OfAUnionIsARowOfItsArm) {
  options_.workers = 3;
  open();
  for (const char* stream : {"a", "b"})
    run(std::string("CREATE STREAM ") + stream + " (n BIGINT, text TEXT) WITH (partitions = 2)");
  run("CREATE MATERIALIZED VIEW v AS SELECT arm, sum(10 / n) AS total FROM (SELECT 'a' AS arm, n FROM a "
      "UNION ALL SELECT 'b', n FROM b) AS u GROUP BY arm");
  push("a", 0, 2);
  push("b", 0, 3);
  settle();
  for (const int64_t letter : {0, 1}) {
    EXPECT_EQ(redrive(letter), "MR-DLQ-0006");
    EXPECT_EQ(edit(letter, R"({"n":10})"), "edited");
    EXPECT_EQ(redrive(letter), "redriven");
  }
  const std::vector<std::string> rows{R"({"arm":"a","total":11})", R"({"arm":"b","total":16})"};
  settle();
  EXPECT_EQ(sql("SELECT * FROM v ORDER BY arm").rows, rows);
  close();
  options_.workers = 2;
  open();
  settle();
  EXPECT_EQ(sql("SELECT * FROM v ORDER BY arm").rows, rows);
}

TEST_F(DeadLettersTest, AStreamThatIsReadTwiceMayHaveUsedIt) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE MATERIALIZED VIEW v AS SELECT sum(x) AS total FROM (SELECT 10 / n AS x FROM s "
      "UNION ALL SELECT n FROM s) AS u");
  push("s", 0, 1);
  settle();
  EXPECT_EQ(edit(0, R"({"n":5})"), "edited");
  EXPECT_EQ(redrive(0), "MR-DLQ-0005");
}

TEST_F(DeadLettersTest, OfProcessingTimeItCountsWhenItIsTakenAgain) {
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT)");
  run("CREATE STREAM o AS SELECT window_end, sum(10 / n) AS total FROM "
      "TUMBLE(s, PROCTIME(), INTERVAL '1 second') GROUP BY window_end EMIT ON WINDOW CLOSE");
  push("s", 0, 2);
  clock_.advance_us(5'000'000);
  settle();
  const auto totals = [this] { return sql("SELECT total FROM o ORDER BY window_end").rows; };
  run_until([&] { return totals() == std::vector<std::string>{R"({"total":10})"}; });
  EXPECT_EQ(edit(0, R"({"n":5})"), "edited");
  EXPECT_EQ(redrive(0), "redriven");
  clock_.advance_us(5'000'000);
  run_until([&] { return totals() == std::vector<std::string>{R"({"total":10})", R"({"total":2})"}; });
}

// A watermark does not wait for a partition that is idle: what was closed meanwhile stays closed.
TEST_F(DeadLettersTest, WhatIsClosedStaysClosed) {
  open();
  run("CREATE STREAM s (k TEXT, n BIGINT, at TIMESTAMPTZ, WATERMARK FOR at AS at) "
      "WITH (key = 'k', partitions = 2, idle_timeout = '1 second')");
  run("CREATE STREAM o AS SELECT window_end, sum(10 / n) AS total FROM TUMBLE(s, at, INTERVAL '10 seconds') "
      "GROUP BY window_end EMIT ON WINDOW CLOSE");
  push_lines(R"({"k":"a","n":0,"at":"2024-01-01T00:00:05Z"}
{"k":"b","n":10,"at":"2024-01-01T00:00:06Z"})");
  EXPECT_EQ(edit(0, R"({"k":"a","n":5,"at":"2024-01-01T00:00:05Z"})"), "edited");
  clock_.advance_us(5'000'000);
  push_lines(R"({"k":"b","n":10,"at":"2024-01-01T00:00:12Z"})");
  clock_.advance_us(5'000'000);
  push_lines(R"({"k":"b","n":10,"at":"2024-01-01T00:00:13Z"})");
  EXPECT_EQ(sql("SELECT total FROM o").rows, std::vector<std::string>{R"({"total":1})"});
  EXPECT_EQ(redrive(0), "MR-DLQ-0006");
  EXPECT_EQ(edit(0, R"({"k":"a","n":5,"at":"2024-01-01T00:00:15Z"})"), "edited");
  EXPECT_EQ(redrive(0), "redriven");
  push_lines(R"({"k":"b","n":10,"at":"2024-01-01T00:00:22Z"})");
  EXPECT_EQ(sql("SELECT total FROM o ORDER BY window_end").rows,
            (std::vector<std::string>{R"({"total":1})", R"({"total":4})"}));
}

// Of an event that its stream did not take: then it is one of the stream, for all that read it.
TEST_F(DeadLettersTest, WhatWasOutsideComesInOnce) {
  for (int turns_before = 0; turns_before < 12; ++turns_before) {
    files_ = sim::SimFiles(7);
    open();
    run("CREATE STREAM s (n BIGINT, text TEXT) WITH (on_invalid = 'dead_letter', partitions = 3)");
    run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS rows, sum(n) AS total FROM s");
    push_lines("{\"n\":1}\n{\"n\":\"x\"}\nnonsense");
    expect(R"({"rows":1,"total":1})");
    EXPECT_EQ(redrive(0), "MR-DLQ-0006");
    EXPECT_EQ(edit(1, R"({"n":"y"})"), "MR-EVT-0006");
    EXPECT_EQ(edit(1, R"({"n":5})"), "edited");
    EXPECT_EQ(edit(0, R"({"n":7})"), "edited");
    node_->dead_letters().redrive({tenant_, Offset(1), "me"}, [](const Result<gateway::Letter>&) {});
    turns(turns_before);
    crash();
    open();
    EXPECT_EQ(redrive(1), "redriven");
    expect(R"({"rows":2,"total":6})");
    EXPECT_EQ(redrive(1), "redriven");
    EXPECT_EQ(redrive(0), "redriven");
    expect(R"({"rows":3,"total":13})");
    run("DROP MATERIALIZED VIEW v");
    run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS rows, sum(n) AS total FROM s");
    expect(R"({"rows":3,"total":13})");
    end();
  }
}

TEST_F(DeadLettersTest, AStreamThatWasMadeAnewTakesNoneOfItsLetters) {
  open();
  run("CREATE STREAM s (n BIGINT) WITH (on_invalid = 'dead_letter')");
  push_lines("{\"n\":1}\n{\"n\":\"x\"}");
  run("DROP STREAM s");
  EXPECT_EQ(redrive(0), "MR-DLQ-0005");
  run("CREATE STREAM s (n TEXT) WITH (on_invalid = 'dead_letter')");
  EXPECT_EQ(redrive(0), "MR-DLQ-0005");
  EXPECT_EQ(edit(0, R"({"n":"y"})"), "MR-DLQ-0005");
}

// An older row would take a newer one's place unseen.
TEST_F(DeadLettersTest, RowsThatReplaceEachOtherComeInOneByOne) {
  open();
  run("CREATE STREAM s (id BIGINT PRIMARY KEY, n BIGINT) WITH (on_invalid = 'dead_letter')");
  push_lines("{\"id\":1,\"n\":1}\n{\"id\":1,\"n\":\"x\"}");
  EXPECT_EQ(edit(0, R"({"id":1,"n":2})"), "edited");
  std::optional<gateway::RedriveReport> report;
  gateway::LetterScanRequest all;
  all.tenant = tenant_;
  node_->dead_letters().redrive_all(all, 10, "me", [&](auto told) { report = std::move(*told); });
  run_until([&] { return report.has_value(); });
  EXPECT_EQ(report->redriven, 0u);
  ASSERT_EQ(report->skipped.size(), 1u);
  EXPECT_EQ(report->skipped[0].why.id, "MR-DLQ-0005");
  EXPECT_EQ(redrive(0), "redriven");
}

// In the file that saves a start the reading of all of the journal.
TEST_F(DeadLettersTest, StatesAreSavedWithTheKeys) {
  options_.save_ingest_after_bytes = 1;
  open_with_a_letter();
  EXPECT_EQ(edit(0, R"({"n":5})"), "edited");
  push("s", 5, 6);
  settle();
  crash();
  open();
  EXPECT_EQ(redrive(0), "redriven");
}

}  // namespace
}  // namespace millrace::node
