#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "base/buffer.h"
#include "base/hash.h"
#include "event-gateway/event_values.h"
#include "event-gateway/gateway.h"
#include "event-gateway/idempotency.h"
#include "event-gateway/ingest_target.h"
#include "formats/json.h"
#include "log/record_batch.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/memory_store.h"

namespace millrace::gateway {
namespace {

using metadata::DefinitionKind;

struct Answered {
  bool done = false;
  std::optional<Error> failure;
  IngestAnswer answer;
  std::string id() const { return failure ? failure->id : ""; }
};
using AnsweredPtr = std::shared_ptr<Answered>;

class IngestTest : public testing::Test {
 protected:
  void SetUp() override {
    auto stored = std::make_shared<fakes::StoredDefinitions>();
    auto opened = sql::Definitions::open(std::make_unique<fakes::MemoryStore>(stored), journal_);
    ASSERT_TRUE(opened.ok());
    definitions_ = std::move(opened).value();
    tenant_ = *definitions_->ensure_tenant("default", nullptr);
    define(DefinitionKind::kStream, "clicks",
           "CREATE STREAM clicks (visitor TEXT, n BIGINT) WITH (key = 'visitor', partitions = 4)");
    define(DefinitionKind::kStream, "spread", "CREATE STREAM spread (n BIGINT) WITH (partitions = 3)");
    define(DefinitionKind::kDerivedStream, "derived", "CREATE STREAM derived AS SELECT n FROM clicks");
    restart();
  }
  void define(DefinitionKind kind, const char* name, const char* text) {
    std::string failure = "no answer";
    definitions_->create(tenant_, kind, name, text,
                         [&](auto made) { failure = made.ok() ? "" : made.error().to_string(); });
    journal_.sync();
    definitions_->on_durable(journal_.durable_cut());
    ASSERT_EQ(failure, "");
  }
  // Whatever a test did: no event and no request is unaccounted for.
  void TearDown() override { check_accounts(); }
  void check_accounts() const {
    const IngestAccounts& a = ingest_->accounts();
    const auto sum = [](const auto& reasons) {
      return std::accumulate(reasons.begin(), reasons.end(), uint64_t{0});
    };
    EXPECT_EQ(a.received_events,
              a.stored_events + a.duplicate_events + a.dead_letters + sum(a.rejected_events));
    EXPECT_EQ(a.requests, a.accepted_requests + a.replayed_requests + sum(a.refused_requests));
  }
  void restart(Ingest::Limits limits = {}) {
    if (ingest_ != nullptr) check_accounts();
    ingest_ = std::make_unique<Ingest>(journal_, *definitions_, limits);
  }
  AnsweredPtr send(std::string body, const std::string& key = "", const char* stream = "clicks",
                   IngestRequest::Format format = IngestRequest::Format::kNdjson) {
    const Buffer padded = Buffer::copy(body);
    IngestRequest request{tenant_, stream, format, padded.view(), key};
    auto answered = std::make_shared<Answered>();
    ingest_->ingest(request, [answered](Result<IngestAnswer> result) {
      EXPECT_FALSE(answered->done) << "answered twice";
      answered->done = true;
      if (result.ok()) answered->answer = std::move(*result);
      if (!result.ok()) answered->failure = result.error();
    });
    return answered;
  }
  void make_durable() {
    journal_.sync();
    ingest_->on_durable(journal_.durable_cut());
  }
  const log::Frame& last_frame() {
    frames_ = *journal_.read_frames(Cut(journal_.end_cut().value - 1), journal_.end_cut(), 1);
    return *frames_.front();
  }

  fakes::MemoryJournal journal_;
  std::unique_ptr<sql::Definitions> definitions_;
  TenantId tenant_;
  std::unique_ptr<Ingest> ingest_;
  std::vector<log::FramePtr> frames_;
};

TEST_F(IngestTest, AStreamWhoseSchemaIsNotThereTakesNothingAndCostsNothing) {
  define(
      DefinitionKind::kStream, "checked",
      "CREATE STREAM checked (n BIGINT) WITH (schema = 'checked-value', schema_version = 1, schema_id = 1)");
  ingest_->set_quota(tenant_, Quota{.events_per_s = 1});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(send("{\"n\":1}\n{\"n\":2}\n", "", "checked")->failure->id, "MR-SCH-0004");
  EXPECT_EQ(ingest_->accounts().received_events, 0u);
}

TEST_F(IngestTest, WhatDoesNotFitIsKeptWhereTheStreamSaysSo) {
  define(DefinitionKind::kStream, "kept", "CREATE STREAM kept (n BIGINT) WITH (on_invalid = 'dead_letter')");
  const std::string events = "{\"n\":1}\n{\"n\":\"x\"}\nnon\"sense\n{\"n\":\"\xff\"}\n{\"n\":1,\"t\":\"" +
                             std::string(2'000'000, 'x') + "\"}";
  const auto answered = send(events, "k", "kept");
  ASSERT_EQ(last_frame().batches.size(), 2u);
  const auto& letters = last_frame().batches[1];
  EXPECT_EQ(letters.where.stream, definitions_->catalog()->dead_letters(tenant_)->id);
  EXPECT_EQ(letters.count, 2u);
  const std::string bytes(letters.bytes.view());
  EXPECT_NE(bytes.find(R"("cause":"invalid","code":"MR-EVT-0006","message":"column \"n\" (bigint))"),
            std::string::npos);
  EXPECT_NE(
      bytes.find(
          R"("stream":"kept","partition":null,"offset":null,"query":null,"lateness_ms":null,"payload":"non\"sense"})"),
      std::string::npos);
  make_durable();
  const auto check = [](const IngestAnswer& answer) {
    EXPECT_EQ(answer.accepted, 1u);
    EXPECT_EQ(answer.dead_letters, 2u);
    EXPECT_EQ(answer.offsets.size(), 1u);
    ASSERT_EQ(answer.rejected.size(), 2u) << "what is no text, and what is too large";
    EXPECT_EQ(answer.rejected[0].index, 3u);
    EXPECT_NE(to_json(answer).find(R"(],"dead_letters":2,"offsets":[{"partition":0,"first":0,"count":1}])"),
              std::string::npos);
  };
  check(answered->answer);
  const std::string saved = ingest_->save();
  restart();
  ASSERT_TRUE(ingest_->load(saved).ok());
  const auto again = send(events, "k", "kept");
  EXPECT_TRUE(again->answer.replayed);
  check(again->answer);
  const auto none = send("{\"n\":\"x\"}", "", "kept");
  make_durable();
  EXPECT_EQ(none->answer.dead_letters, 1u);
  EXPECT_TRUE(none->answer.offsets.empty());
  journal_.refuse_with(error(Code::kExhausted, "MR-LOG-0003", "too much is pending"));
  EXPECT_EQ(send("{\"n\":\"x\"}", "", "kept")->id(), "MR-LOG-0003");
  journal_.refuse_with(std::nullopt);
  const Cut before = journal_.end_cut();
  const Buffer body = Buffer::copy("{\"n\":1}\n{\"n\":\"x\"}");
  IngestRequest whole{tenant_, "kept", IngestRequest::Format::kNdjson, body.view(), ""};
  whole.all_or_nothing = true;
  std::string refused;
  ingest_->ingest(whole,
                  [&](Result<IngestAnswer> answer) { refused = answer.ok() ? "" : answer.error().id; });
  EXPECT_EQ(refused, "MR-EVT-0006");
  EXPECT_EQ(journal_.end_cut(), before);
}

TEST_F(IngestTest, WhatIsNoTextIsNoLetter) {
  define(DefinitionKind::kStream, "kept", "CREATE STREAM kept (n BIGINT) WITH (on_invalid = 'dead_letter')");
  const auto answered = send("{\"n\":\"\xff\n\xff\xfe\ncaf\xe9\n\"\xff\"\ncaf\xc3\xa9", "", "kept");
  make_durable();
  EXPECT_EQ(answered->answer.rejected.size(), 4u);
  EXPECT_EQ(answered->answer.dead_letters, 1u);
}

// They are longer than what was sent; what is beyond their bound is refused, and the good events are stored.
TEST_F(IngestTest, LettersOfARequestAreBounded) {
  define(DefinitionKind::kStream, "kept", "CREATE STREAM kept (n BIGINT) WITH (on_invalid = 'dead_letter')");
  std::string body = "{\"n\":1}\n";
  for (int i = 0; i < 60'000; ++i) body += "x\n";
  const auto answered = send(body + "{\"n\":2}\n", "", "kept");
  const size_t bytes = last_frame().bytes;
  make_durable();
  EXPECT_EQ(answered->answer.accepted, 2u);
  EXPECT_GT(answered->answer.dead_letters, 20'000u);
  EXPECT_GT(answered->answer.rejected_more, 1'000u);
  EXPECT_LT(bytes, IngestTarget::kMaxLetterBytes + 10'000);
}

TEST_F(IngestTest, ARequestIsOneFrameAndAnsweredWhenDurable) {
  const auto answered = send("{\"visitor\":\"ana\",\"n\":1}\n{\"visitor\":\"bob\",\"n\":2}\n\n{\"n\":3}\n");
  const Cut cut = journal_.end_cut();
  EXPECT_FALSE(answered->done);
  EXPECT_EQ(ingest_->waiting(), 1u);
  make_durable();
  ASSERT_TRUE(answered->done);
  EXPECT_EQ(answered->id(), "");
  EXPECT_EQ(answered->answer.accepted, 3u);
  EXPECT_EQ(answered->answer.cursor, cursor_after(cut));
  EXPECT_EQ(journal_.end_cut(), cut);
  EXPECT_EQ(ingest_->waiting(), 0u);
}

TEST_F(IngestTest, WhatBecameOfEventsIsCounted) {
  send("{\"n\":1}\n{\"n\":\"x\"}\nnonsense\n{\"n\":4}", "k");
  make_durable();
  send("{\"n\":1}\n{\"n\":\"x\"}\nnonsense\n{\"n\":4}", "k");  // again
  send("{\"n\":1}", "", "nothing");
  journal_.refuse_with(error(Code::kExhausted, "MR-LOG-0003", "too much is pending"));
  send("{\"n\":1}\n{\"n\":\"x\"}\n{\"n\":2}");
  journal_.refuse_with(std::nullopt);
  const IngestAccounts& a = ingest_->accounts();
  const auto rejected = [&](Rejection why) { return a.rejected_events[static_cast<size_t>(why)]; };
  const auto refused = [&](Refusal why) { return a.refused_requests[static_cast<size_t>(why)]; };
  EXPECT_EQ(a.received_events, 11u);
  EXPECT_EQ(a.stored_events, 2u);
  EXPECT_EQ(a.duplicate_events, 4u);
  EXPECT_EQ(rejected(Rejection::kSchema), 2u);
  EXPECT_EQ(rejected(Rejection::kMalformed), 1u);
  EXPECT_EQ(rejected(Rejection::kUnstored), 2u);
  EXPECT_EQ(a.requests, 4u);
  EXPECT_EQ(a.accepted_requests, 1u);
  EXPECT_EQ(a.replayed_requests, 1u);
  EXPECT_EQ(refused(Refusal::kNoStream), 1u);
  EXPECT_EQ(refused(Refusal::kOverload), 1u);
}

TEST_F(IngestTest, AnEventGoesToThePartitionOfItsKey) {
  for (const std::string key : {"ana", "bob", "eve", "", "x"}) {
    const auto answered = send("{\"visitor\":\"" + key + "\"}");
    make_durable();
    ASSERT_EQ(answered->answer.offsets.size(), 1u);
    const auto expected = partition_of_key_group(key_group_of(stable_hash(key)), 4);
    EXPECT_EQ(answered->answer.offsets[0].where.partition.value, expected) << key;
  }
  const auto null = send("{\"n\":1}");
  make_durable();
  EXPECT_EQ(null->answer.offsets[0].where.partition.value,
            partition_of_key_group(key_group_of(stable_hash("")), 4));
  auto view = log::RecordBatchView::parse(last_frame().batches[0].bytes.view(), true);
  log::Record record;
  ASSERT_TRUE(log::RecordBatchView::Cursor(*view).next(record));
  EXPECT_FALSE(record.key.has_value());
  EXPECT_EQ(record.value, "{\"n\":1}");
}

TEST_F(IngestTest, WithoutAKeyRequestsGoAroundThePartitions) {
  std::vector<int> seen;
  for (int i = 0; i < 6; ++i) {
    const auto answered = send("{\"n\":1}\n{\"n\":2}", "", "spread");
    make_durable();
    ASSERT_EQ(answered->answer.offsets.size(), 1u);
    EXPECT_EQ(answered->answer.offsets[0].count, 2u);
    seen.push_back(answered->answer.offsets[0].where.partition.value);
  }
  EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST_F(IngestTest, ABadEventDoesNotSinkItsBatch) {
  std::string deep(100'000, '[');
  const auto answered =
      send("{\"n\":1}\n{\"n\":\"x\"}\nnonsense\n{\"a\":" + deep + "\n{\"n\":4}\n[1]\n{\"n\":1e400}");
  make_durable();
  EXPECT_EQ(answered->answer.accepted, 2u);
  std::vector<size_t> bad;
  for (const auto& rejected : answered->answer.rejected) {
    bad.push_back(rejected.index);
    EXPECT_FALSE(rejected.error.id.empty());
    EXPECT_FALSE(rejected.error.message.empty());
  }
  EXPECT_THAT(bad, testing::ElementsAre(1, 2, 3, 5, 6));
}

TEST_F(IngestTest, AllBadIsAnsweredAtOnceWithoutAFrame) {
  const Cut before = journal_.end_cut();
  const auto answered = send("nonsense");
  EXPECT_TRUE(answered->done);
  EXPECT_EQ(answered->answer.accepted, 0u);
  EXPECT_EQ(journal_.end_cut(), before);
}

TEST_F(IngestTest, TheRejectedAreCountedPastTheBound) {
  std::string body;
  for (int i = 0; i < 150; ++i) body += "nonsense\n";
  const auto answered = send(body);
  EXPECT_EQ(answered->answer.rejected.size(), 100u);
  EXPECT_EQ(answered->answer.rejected_more, 50u);
  EXPECT_NE(to_json(answered->answer).find("\"rejected_more\":50"), std::string::npos);
}

TEST_F(IngestTest, JsonObjectsAndArrays) {
  const auto one = send("{\"visitor\":\"ana\"}", "", "clicks", IngestRequest::Format::kJson);
  const auto many =
      send("[{\"visitor\":\"ana\"}, {\"visitor\":\"bob\"}]", "", "clicks", IngestRequest::Format::kJson);
  make_durable();
  EXPECT_EQ(one->answer.accepted, 1u);
  EXPECT_EQ(many->answer.accepted, 2u);
  EXPECT_NE(send("[{\"visitor\":", "", "clicks", IngestRequest::Format::kJson)->id(), "");
}

TEST_F(IngestTest, OnlyDeclaredStreamsTakeEvents) {
  EXPECT_EQ(send("{}", "", "nowhere")->id(), "MR-API-0018");
  EXPECT_NE(send("{}", "", "clics")->failure->hint.find("clicks"), std::string::npos);
  EXPECT_EQ(send("{}", "", "derived")->id(), "MR-ING-0002");
  EXPECT_NE(send("{}", "", "derived")->failure->hint.find("clicks"), std::string::npos);
  EXPECT_EQ(send("{}", "", "dead_letters")->id(), "MR-ING-0002");
}

TEST_F(IngestTest, AnEventOverTheBoundIsRejectedAlone) {
  const std::string large = "{\"visitor\":\"" + std::string(formats::kMaxEventBytes, 'a') + "\"}";
  const auto answered = send(large + "\n{\"n\":1}");
  make_durable();
  EXPECT_EQ(answered->answer.accepted, 1u);
  ASSERT_EQ(answered->answer.rejected.size(), 1u);
  EXPECT_EQ(answered->answer.rejected[0].error.id, "MR-EVT-0005");
}

TEST_F(IngestTest, TooManyEventsAreRefusedWhole) {
  Ingest::Limits limits;
  limits.max_events = 2;
  restart(limits);
  EXPECT_EQ(send("{}\n{}\n{}")->id(), "MR-ING-0006");
}

TEST_F(IngestTest, ADuplicateWaitsForTheSameSyncAndGetsTheSameAnswer) {
  const auto first = send("{\"n\":1}\nbad", "k1");
  const Cut cut = journal_.end_cut();
  const auto twin = send("{\"n\":1}\nbad", "k1");
  EXPECT_FALSE(twin->done);
  EXPECT_EQ(journal_.end_cut(), cut);
  make_durable();
  ASSERT_TRUE(twin->done);
  EXPECT_FALSE(first->answer.replayed);
  EXPECT_TRUE(twin->answer.replayed);
  EXPECT_EQ(to_json(first->answer), to_json(twin->answer));
  const auto late = send("{\"n\":1}\nbad", "k1");
  ASSERT_TRUE(late->done);
  EXPECT_EQ(to_json(first->answer), to_json(late->answer));
  EXPECT_EQ(journal_.end_cut(), cut);
}

TEST_F(IngestTest, AnotherBodyUnderTheKeyIsAConflictAnotherStreamIsNot) {
  send("{\"n\":1}", "k1");
  const auto other = send("{\"n\":2}", "k1");
  EXPECT_EQ(other->id(), "MR-ING-0007");
  EXPECT_EQ(other->failure->code, Code::kConflict);
  const auto elsewhere = send("{\"n\":2}", "k1", "spread");
  make_durable();
  EXPECT_EQ(elsewhere->answer.accepted, 1u);
}

TEST_F(IngestTest, TheTableFollowsFromTheJournal) {
  const auto first = send("{\"n\":1}\nbad", "k1");
  const auto refused = send("bad", "k2");
  make_durable();
  restart();
  const auto frames = journal_.read_frames(Cut(0), journal_.end_cut(), SIZE_MAX);
  for (const auto& frame : *frames) ingest_->replay(*frame);
  const Cut cut = journal_.end_cut();
  EXPECT_EQ(to_json(send("{\"n\":1}\nbad", "k1")->answer), to_json(first->answer));
  EXPECT_EQ(to_json(send("bad", "k2")->answer), to_json(refused->answer));
  const std::string saved = ingest_->save();
  restart();
  ASSERT_TRUE(ingest_->load(saved).ok());
  EXPECT_EQ(to_json(send("{\"n\":1}\nbad", "k1")->answer), to_json(first->answer));
  EXPECT_EQ(journal_.end_cut(), cut);
}

TEST_F(IngestTest, SaveLeavesOutWhatIsNotDurable) {
  send("{\"n\":1}", "k1");
  const std::string saved = ingest_->save();
  restart();
  ASSERT_TRUE(ingest_->load(saved).ok());
  const auto again = send("{\"n\":1}", "k1");
  EXPECT_FALSE(again->done);
}

TEST_F(IngestTest, DamagedTablesAreRefusedWithoutHarm) {
  const auto first = send("{\"n\":1}", "k1");
  make_durable();
  const std::string saved = ingest_->save();
  for (size_t length = 0; length < saved.size(); ++length) {
    restart();
    const auto loaded = ingest_->load(saved.substr(0, length));
    EXPECT_EQ(loaded.ok(), length == 1) << length;  // a version alone is an empty table
  }
}

TEST_F(IngestTest, KeysAreForgottenAfterTheWindowAndPastTheBound) {
  Ingest::Limits limits;
  limits.idempotency_keys = 2;
  limits.idempotency_window_us = 1'000'000;
  restart(limits);
  for (const char* key : {"a", "b", "c"}) {
    send("{\"n\":1}", key);
    make_durable();
  }
  EXPECT_TRUE(send("{\"n\":1}", "c")->answer.replayed);
  EXPECT_FALSE(send("{\"n\":1}", "a")->done);
  make_durable();
  journal_.advance_us(2'000'000);
  EXPECT_FALSE(send("{\"n\":2}", "c")->done);
}

TEST_F(IngestTest, AQuotaRefusesAndSaysWhen) {
  ingest_->set_quota(tenant_, {10, 1'000'000});
  std::string body;
  for (int i = 0; i < 30; ++i) body += "{\"n\":1}\n";
  EXPECT_EQ(send(body)->id(), "");  // into debt
  const auto refused = send("{\"n\":1}");
  EXPECT_EQ(refused->id(), "MR-ING-0008");
  EXPECT_EQ(refused->failure->code, Code::kExhausted);
  EXPECT_NEAR(ingest_->retry_after_s(tenant_), 2.1, 0.01);
  journal_.advance_us(2'200'000);
  EXPECT_EQ(send("{\"n\":1}")->id(), "");
}

// By its head or whole, each refusal is told by its quota, and is in the accounts; what waits for the disk is none.
TEST_F(IngestTest, WhatAQuotaRefusesIsCounted) {
  std::vector<QuotaKind> told;
  ingest_->on_over_quota([&](TenantId tenant, QuotaKind kind) {
    EXPECT_EQ(tenant, tenant_);
    told.push_back(kind);
  });
  ingest_->set_quota(tenant_, {1, 0});
  EXPECT_EQ(send("{\"n\":1}\n{\"n\":1}")->id(), "");
  EXPECT_EQ(send("{\"n\":1}")->id(), "MR-ING-0008");
  EXPECT_FALSE(ingest_->admits(tenant_, 10).ok());
  ingest_->set_quota(tenant_, {0, 5});
  EXPECT_EQ(send("{\"n\":1}")->id(), "");
  EXPECT_FALSE(ingest_->admits(tenant_, 10).ok());
  EXPECT_EQ(told, (std::vector{QuotaKind::kEvents, QuotaKind::kEvents, QuotaKind::kBytes}));
  EXPECT_FALSE(ingest_->admits(tenant_, size_t{1} << 40).ok());
  const auto& accounts = ingest_->accounts();
  EXPECT_EQ(accounts.refused_requests[static_cast<size_t>(Refusal::kQuota)], 3u);
  EXPECT_EQ(accounts.refused_requests[static_cast<size_t>(Refusal::kOverload)], 1u);
  EXPECT_EQ(accounts.requests, 6u);
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(IngestTest, ARepetitionIsNotChargedAgain) {
  const std::string body = "{\"n\":1}";
  ingest_->set_quota(tenant_, {0, 1.5 * static_cast<double>(body.size())});
  EXPECT_EQ(send(body, "k1")->id(), "");
  make_durable();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(send(body, "k1")->answer.replayed) << i;
  EXPECT_EQ(send(body, "k2")->id(), "");  // half of it was left
  EXPECT_EQ(send(body, "k3")->id(), "MR-ING-0008");
}

TEST_F(IngestTest, WaitingBytesAreBounded) {
  Ingest::Limits limits;
  limits.max_waiting_bytes = 100;
  restart(limits);
  const std::string body = "{\"visitor\":\"" + std::string(60, 'a') + "\"}";
  EXPECT_EQ(send(body)->id(), "");
  EXPECT_EQ(send(body)->id(), "MR-ING-0009");
  make_durable();
  EXPECT_EQ(send(body)->id(), "");
}

TEST_F(IngestTest, TheJournalsRefusalIsTheAnswer) {
  journal_.refuse_with(error(Code::kExhausted, "MR-LOG-0004", "the disk is full"));
  EXPECT_EQ(send("{\"n\":1}")->id(), "MR-LOG-0004");
  journal_.refuse_with(std::nullopt);
  const auto answered = send("{\"n\":2}");
  make_durable();
  EXPECT_EQ(answered->answer.accepted, 1u);  // nothing of the refused request is in it
}

TEST_F(IngestTest, CountsByTenant) {
  const TenantId other = *definitions_->ensure_tenant("other", nullptr);
  EXPECT_TRUE(ingest_->by_tenant().empty());
  const std::string body = "{\"n\":1}\nno json\n{\"n\":2}";
  send(body);
  auto counters = ingest_->by_tenant();
  EXPECT_EQ(counters[tenant_].waiting_bytes, body.size());
  make_durable();
  send("nothing of use");
  send("{}", "", "no such stream");
  send("{}", std::string(300, 'k'));
  send("[", "", "clicks", IngestRequest::Format::kJson);
  counters = ingest_->by_tenant();
  EXPECT_EQ(counters[tenant_].accepted_events, 2u);
  EXPECT_EQ(counters[tenant_].accepted_bytes, body.size());
  EXPECT_EQ(counters[tenant_].rejected_events, 2u);
  EXPECT_EQ(counters[tenant_].refused_requests, 3u);
  EXPECT_EQ(counters[tenant_].waiting_bytes, 0u);
  EXPECT_EQ(counters.count(other), 0u);
}

TEST_F(IngestTest, AnswersAsJson) {
  const auto answered = send("{\"visitor\":\"ana\"}\n{\"visitor\":1}");
  make_durable();
  const std::string json = to_json(answered->answer);
  EXPECT_EQ(json.rfind("{\"accepted\":1,\"rejected\":[{\"index\":1,\"code\":\"MR-", 0), 0u) << json;
  EXPECT_NE(json.find("\"offsets\":[{\"partition\":"), std::string::npos) << json;
  EXPECT_NE(json.find(",\"first\":0,\"count\":1}],\"cursor\":\"" +
                      engine::to_cursor(answered->answer.cursor) + "\",\"durability\":\"disk\"}"),
            std::string::npos)
      << json;
}

TEST_F(IngestTest, EventsOfSeveralStreamsAreTakenAgainTogether) {
  Ingest::Limits limits;
  limits.kept_streams = 1;
  restart(limits);
  const auto catalog = definitions_->catalog();
  const auto clicks = catalog->find(tenant_, "clicks")->stream,
             spread = catalog->find(tenant_, "spread")->stream;
  auto taken = ingest_->take_again(tenant_, {{clicks, R"({"visitor":"a"})"},
                                             {spread, R"({"n":1})"},
                                             {clicks, R"({"visitor":1})"},
                                             {clicks, R"({"visitor":"b"})"}});
  ASSERT_EQ(taken.outcomes.size(), 4u);
  EXPECT_TRUE(taken.outcomes[0].ok() && taken.outcomes[1].ok() && taken.outcomes[3].ok());
  EXPECT_FALSE(taken.outcomes[2].ok());
  ASSERT_TRUE(ingest_->append_again(std::move(taken), {}).ok());
  uint32_t events = 0;
  for (const auto& batch : last_frame().batches) events += batch.count;
  EXPECT_EQ(events, 3u);
}

// Values are read as the text behind their framing; writer 7 has one of its own, and 8 cannot be asked for.
class FakeSchemas final : public EventSchemas {
 public:
  class Schema final : public EventSchema {
   public:
    explicit Schema(const FakeSchemas& all) : all_(all) {}
    Status check(std::string_view event) override {
      ++checked;
      if (event.find("bad") == std::string_view::npos) return {};
      return error(Code::kInvalid, "MR-JSCH-0007", "it is bad");
    }
    Result<ReadValue> read(const schema::Framed& value, size_t& made) override {
      if (value.schema == schema::WriterSchema(1)) made += 10;
      if (!all_.known.contains(value.schema)) return error(Code::kInvalid, "MR-SCH-0009", "nobody's");
      return ReadValue{value.payload, value.schema == schema::WriterSchema(7)};
    }
    static inline int checked = 0;

   private:
    const FakeSchemas& all_;
  };
  void find(TenantId, const engine::SchemaRef&, std::function<void(Result<FoundSchema>)>) override {}
  void examine(TenantId, ProposedSchema, std::vector<int32_t>,
               std::function<void(Result<ExaminedSchema>)>) override {}
  Result<std::unique_ptr<EventSchema>> of(const engine::StreamDef&) override {
    return std::unique_ptr<EventSchema>(std::make_unique<Schema>(*this));
  }
  void learn(const engine::StreamDef&, Writers writers, std::function<void(Status)> done) override {
    if (busy) return done(error(Code::kUnavailable, "MR-SCH-0005", "busy"));
    asked.push_back(writers);
    waiting.push_back([this, writers, done] {
      for (const auto& writer : writers) {
        if (writer == schema::WriterSchema(8)) return done(error(Code::kUnavailable, "MR-SCH-0005", "later"));
        if (there.contains(writer)) known.insert(writer);
      }
      done({});
    });
  }
  bool knows(const engine::StreamDef&, const schema::WriterSchema& writer) const override {
    return known.contains(writer);
  }
  void answer() {
    for (const auto& one : std::exchange(waiting, {})) one();
  }

  std::set<schema::WriterSchema> there{1, 7}, known;
  bool busy = false;
  std::vector<Writers> asked;
  std::vector<std::function<void()>> waiting;
};

class ValuesTest : public IngestTest {
 protected:
  void SetUp() override {
    IngestTest::SetUp();
    define(DefinitionKind::kStream, "values",
           "CREATE STREAM values (n BIGINT) WITH (schema = 'v', schema_version = 1, schema_id = 1, "
           "on_invalid = 'dead_letter')");
    ingest_->use(schemas_);
    FakeSchemas::Schema::checked = 0;
  }
  static std::string value(int32_t id, const std::string& text) {
    std::string out;
    schema::append_framing(out, id);
    return out + text;
  }
  static std::string container(const std::vector<std::string>& values) {
    std::string out;
    for (const auto& one : values) append_value(out, one);
    return out;
  }
  AnsweredPtr send_all(const std::vector<std::string>& values, const std::string& key = "") {
    return send(container(values), key, "values", IngestRequest::Format::kValues);
  }

  FakeSchemas schemas_;
};

TEST_F(ValuesTest, WaitForTheRegistryOnce) {
  const auto first = send_all({value(1, R"({"n":1})"), value(1, R"({"n":2})"), value(7, R"({"n":3})")});
  EXPECT_FALSE(first->done);
  EXPECT_EQ(ingest_->waiting(), 1u);
  EXPECT_EQ(schemas_.asked, (std::vector<EventSchemas::Writers>{{1, 7}}));
  schemas_.answer();
  make_durable();
  ASSERT_TRUE(first->done);
  EXPECT_EQ(first->answer.accepted, 3u) << first->id();
  EXPECT_EQ(FakeSchemas::Schema::checked, 2) << "what is resolved to the schema needs no check";
  const auto one = send(value(7, R"({"n":4})"), "", "values", IngestRequest::Format::kValue);
  make_durable();
  EXPECT_EQ(one->answer.accepted, 1u);
  EXPECT_EQ(schemas_.asked.size(), 1u);
  EXPECT_EQ(ingest_->by_tenant().at(tenant_).waiting_bytes, 0u);
}

TEST_F(ValuesTest, AreToldApart) {
  const auto answered =
      send_all({value(1, R"({"n":1})"), value(3, R"({"n":1})"), "\x05zzzzz", "", value(1, "{"),
                value(1, R"({"n":1,"x":"bad"})"), value(1, "{\"n\":\"\xff\"}")});
  schemas_.answer();
  make_durable();
  EXPECT_EQ(answered->answer.accepted, 1u);
  EXPECT_EQ(answered->answer.dead_letters, 2u) << "events that can be read and do not fit";
  std::vector<std::pair<size_t, std::string>> why;
  for (const auto& one : answered->answer.rejected) why.emplace_back(one.index, one.error.id);
  EXPECT_EQ(why, (std::vector<std::pair<size_t, std::string>>{
                     {1, "MR-SCH-0009"}, {2, "MR-FRAME-0001"}, {3, "MR-FRAME-0002"}, {6, "MR-EVT-0003"}}));
}

TEST_F(ValuesTest, LaterOnesOfTheStreamStayBehind) {
  schemas_.known.insert(7);
  const auto first = send_all({value(1, R"({"n":1})")}), second = send_all({value(7, R"({"n":2})")}),
             third = send(R"({"n":3})", "", "values"), other = send(R"({"n":1})");
  make_durable();
  EXPECT_TRUE(other->done);
  EXPECT_FALSE(second->done || third->done);
  schemas_.answer();
  make_durable();
  ASSERT_TRUE(first->done && second->done && third->done);
  EXPECT_LT(first->answer.cursor.cut, second->answer.cursor.cut);
  EXPECT_LT(second->answer.cursor.cut, third->answer.cursor.cut);
  const auto fourth = send(R"({"n":4})", "", "values");
  make_durable();
  EXPECT_TRUE(fourth->done);
}

TEST_F(ValuesTest, NothingIsRejectedThatNobodyCouldJudge) {
  const auto answered = send_all({value(1, R"({"n":1})"), value(8, R"({"n":1})")});
  schemas_.answer();
  EXPECT_EQ(answered->id(), "MR-SCH-0005");
  EXPECT_EQ(answered->failure->code, Code::kUnavailable);
  EXPECT_EQ(ingest_->waiting(), 0u);
}

TEST_F(ValuesTest, OneThatBecomesKnownIsTaken) {
  schemas_.there.clear();
  const auto early = send_all({value(1, R"({"n":1})")});
  schemas_.answer();
  EXPECT_EQ(early->answer.rejected.size(), 1u);
  schemas_.there.insert(1);
  const auto again = send_all({value(1, R"({"n":1})")});
  schemas_.answer();
  make_durable();
  EXPECT_EQ(again->answer.accepted, 1u);
}

TEST_F(ValuesTest, ARepeatedRequestIsAnsweredOnce) {
  const std::vector<std::string> body = {value(1, R"({"n":1})")};
  const auto first = send_all(body, "k"), second = send_all(body, "k");
  schemas_.answer();
  make_durable();
  EXPECT_EQ(first->answer.accepted, 1u);
  EXPECT_FALSE(first->answer.replayed);
  EXPECT_TRUE(second->answer.replayed);
}

// A few bytes may become many.
TEST_F(ValuesTest, WhatARequestBecomesIsBounded) {
  Ingest::Limits limits;
  limits.max_made_bytes = 30;
  restart(limits);
  ingest_->use(schemas_);
  schemas_.known = {1};
  const auto good = value(1, R"({"n":1})"), bad = value(1, "{");
  const auto all = send_all({good, bad, good});
  make_durable();
  EXPECT_EQ(all->answer.accepted + all->answer.dead_letters, 3u) << all->id();
  const auto more = send_all({good, bad, good, good, good});
  EXPECT_EQ(more->id(), "MR-ING-0012");
  const auto next = send_all({good});
  make_durable();
  EXPECT_EQ(next->answer.accepted, 1u) << "nothing of the one before has stayed";
}

TEST_F(ValuesTest, OnlyWhatNamesAWriterAsksForOne) {
  const auto first = send_all({value(1, R"({"n":1})")});
  for (int i = 0; i < 10; ++i) send(R"({"n":2})", "", "values");
  const auto last = send_all({value(7, R"({"n":3})")});
  EXPECT_EQ(schemas_.asked.size(), 1u);
  EXPECT_EQ(ingest_->waiting(), 12u);
  schemas_.answer();
  EXPECT_EQ(schemas_.asked, (std::vector<EventSchemas::Writers>{{1}, {7}}));
  EXPECT_EQ(ingest_->waiting(), 12u) << "eleven for the disk, the last one for its writer";
  schemas_.answer();
  make_durable();
  EXPECT_TRUE(last->done);
  EXPECT_EQ(ingest_->waiting(), 0u);
}

TEST_F(ValuesTest, AnAnswerAtOnceIsOne) {
  schemas_.busy = true;
  const auto refused = send_all({value(1, R"({"n":1})")});
  EXPECT_EQ(refused->id(), "MR-SCH-0005");
  schemas_.busy = false;
  const auto first = send_all({value(1, R"({"n":1})")});
  std::vector<AnsweredPtr> behind;
  for (int i = 0; i < 100; ++i) behind.push_back(send_all({value(7, R"({"n":2})")}));
  schemas_.busy = true;
  schemas_.answer();
  for (const auto& one : behind) EXPECT_EQ(one->id(), "MR-SCH-0005");
  make_durable();
  EXPECT_EQ(first->answer.accepted, 1u);
  EXPECT_EQ(ingest_->waiting(), 0u);
}

TEST_F(ValuesTest, WhatIsKnownByItsKeyNeedsNoRegistry) {
  const std::vector<std::string> body = {value(1, R"({"n":1})")};
  send_all(body, "k");
  schemas_.answer();
  make_durable();
  schemas_.known.clear();
  schemas_.busy = true;
  EXPECT_TRUE(send_all(body, "k")->answer.replayed);
}

TEST_F(ValuesTest, WhatCannotBeTakenApartIsPaidFor) {
  ingest_->set_quota(tenant_, Quota{.bytes_per_s = 10});
  const std::string cut = container({value(1, std::string(1000, 'x'))}).substr(0, 900);
  EXPECT_EQ(send(cut, "", "values", IngestRequest::Format::kValues)->id(), "MR-EVT-0010");
  EXPECT_EQ(send(cut, "", "values", IngestRequest::Format::kValues)->id(), "MR-ING-0008");
}

TEST_F(ValuesTest, AStreamThatGoesMeanwhile) {
  const auto first = send_all({value(1, R"({"n":1})")}), second = send(R"({"n":1})", "", "values");
  definitions_->drop(definitions_->catalog()->find(tenant_, "values")->definition.id, [](auto) {});
  journal_.sync();
  definitions_->on_durable(journal_.durable_cut());
  schemas_.answer();
  EXPECT_EQ(first->id(), "MR-API-0018");
  EXPECT_EQ(second->id(), "MR-API-0018");
}

TEST_F(ValuesTest, WhatWaitsWhenItEndsIsLetGo) {
  const auto answered = send_all({value(1, R"({"n":1})")});
  ingest_ = std::make_unique<Ingest>(journal_, *definitions_, Ingest::Limits());
  schemas_.answer();
  EXPECT_FALSE(answered->done);
}

TEST_F(ValuesTest, Refused) {
  const std::string one = value(1, R"({"n":1})");
  EXPECT_EQ(send(one, "", "clicks", IngestRequest::Format::kValue)->id(), "MR-SCH-0010");
  EXPECT_EQ(send(one, "", "nobody", IngestRequest::Format::kValue)->id(), "MR-API-0018");
  const std::string whole = container({one, one});
  for (size_t size = 1; size < whole.size(); ++size) {
    if (size == whole.size() / 2) continue;
    const auto cut = send(whole.substr(0, size), "", "values", IngestRequest::Format::kValues);
    EXPECT_EQ(cut->id(), "MR-EVT-0010") << size;
  }
  EXPECT_EQ(
      send(std::string("\xff\xff\xff\xff", 4) + one, "", "values", IngestRequest::Format::kValues)->id(),
      "MR-EVT-0010");
  std::vector<std::string> many;
  for (int32_t id = 100; id <= 120; ++id) many.push_back(value(id, "{}"));
  EXPECT_EQ(send_all(many)->id(), "MR-ING-0011");
  many.pop_back();
  const auto most = send_all(many);
  schemas_.answer();
  EXPECT_EQ(most->answer.rejected.size(), 20u);
  for (const auto format : {IngestRequest::Format::kValue, IngestRequest::Format::kValues})
    EXPECT_TRUE(send("", "", "values", format)->answer.is_empty());
}

class CloudEventsTest : public IngestTest {
 protected:
  void SetUp() override {
    IngestTest::SetUp();
    define(DefinitionKind::kStream, "orders",
           "CREATE STREAM orders (ce_id TEXT, n BIGINT) WITH (format = 'cloudevents')");
    define(DefinitionKind::kStream, "once",
           "CREATE STREAM once (n BIGINT) WITH (format = 'cloudevents', deduplicate = '10 minutes')");
  }
  static std::string event(const std::string& id, const std::string& source = "/s") {
    return R"({"specversion":"1.0","type":"t","id":")" + id + R"(","source":")" + source +
           R"(","data":{"n":1}})";
  }
  // What a batch of these ids is answered with.
  AnsweredPtr batch(const std::vector<std::string>& ids, const char* stream = "once") {
    std::string body;
    for (const auto& id : ids) body += (body.empty() ? "[" : ",") + event(id);
    return send(body + "]", "", stream, IngestRequest::Format::kCloudEventBatch);
  }
  size_t accepted(const std::vector<std::string>& ids) {
    const auto answered = batch(ids);
    make_durable();
    EXPECT_EQ(answered->answer.accepted + answered->answer.duplicates, ids.size());
    return answered->answer.accepted;
  }
};

TEST_F(CloudEventsTest, EnvelopesInEveryContainer) {
  using enum IngestRequest::Format;
  const std::string bad = R"({"specversion":"1.0","id":"2","source":"/s","data":{"n":1}})";
  const auto lines = send(event("1") + "\n" + bad, "", "orders", kNdjson);
  const auto one = send(event("3"), "", "orders", kCloudEvent);
  const auto many = send("[" + event("4") + "," + event("5") + "]", "", "orders", kCloudEventBatch);
  const auto none = send("[]", "", "orders", kCloudEventBatch);
  make_durable();
  EXPECT_EQ(lines->answer.accepted, 1u);
  ASSERT_EQ(lines->answer.rejected.size(), 1u);
  EXPECT_EQ(lines->answer.rejected[0].error.id, "MR-CE-0002");
  EXPECT_EQ(one->answer.accepted, 1u);
  EXPECT_EQ(many->answer.accepted, 2u);
  EXPECT_EQ(none->id(), "");
  EXPECT_EQ(send("[" + event("6") + "]", "", "orders", kCloudEvent)->id(), "MR-EVT-0010");
  EXPECT_EQ(send(event("6"), "", "orders", kCloudEventBatch)->id(), "MR-EVT-0010");
  EXPECT_EQ(send("", "", "orders", kCloudEventBatch)->id(), "MR-EVT-0010");
  EXPECT_EQ(send(event("6"), "", "clicks", kCloudEvent)->id(), "MR-CE-0001");
}

TEST_F(CloudEventsTest, WithoutTheOptionTheSameEventComesTwice) {
  EXPECT_EQ(batch({"1", "1"}, "orders")->answer.duplicates, 0u);
}

TEST_F(CloudEventsTest, AnEventCountsOnce) {
  EXPECT_EQ(accepted({"1", "2", "1"}), 2u);
  EXPECT_EQ(accepted({"2", "3"}), 1u);
  const auto again = batch({"1", "2", "3"});
  ASSERT_TRUE(again->done);
  EXPECT_EQ(again->answer.duplicates, 3u);
  EXPECT_NE(to_json(again->answer).find("\"duplicates\":3"), std::string::npos);
  const auto other = send(event("1", "/other"), "", "once", IngestRequest::Format::kCloudEvent);
  make_durable();
  EXPECT_EQ(other->answer.accepted, 1u);
}

TEST_F(CloudEventsTest, ADuplicateOfWhatIsNotDurableWaits) {
  const auto first = batch({"1"});
  const auto again = batch({"1"});
  EXPECT_FALSE(again->done);
  make_durable();
  ASSERT_TRUE(again->done);
  EXPECT_EQ(again->answer.cursor, first->answer.cursor);
}

TEST_F(CloudEventsTest, IdsEndWithTheirWindow) {
  accepted({"1"});
  journal_.advance_us(599'000'000);
  EXPECT_EQ(accepted({"1"}), 0u);
  journal_.advance_us(2'000'000);
  EXPECT_EQ(accepted({"1"}), 1u);
  journal_.advance_us(599'000'000);
  EXPECT_EQ(accepted({"1"}), 0u);
}

TEST_F(CloudEventsTest, TheNewestIdsStay) {
  Ingest::Limits limits;
  limits.event_ids = 2;
  restart(limits);
  EXPECT_EQ(accepted({"1", "2", "3"}), 3u);
  EXPECT_EQ(accepted({"2", "3"}), 0u);
  EXPECT_EQ(accepted({"1"}), 1u);
}

TEST_F(CloudEventsTest, IdsSurviveARestart) {
  const Cut begin = journal_.end_cut();
  accepted({"1", "2"});
  const std::string saved = ingest_->save();
  const Cut cut = journal_.durable_cut();
  batch({"3"});
  const std::string before_durable = ingest_->save();
  make_durable();
  for (const bool from_saved : {true, false}) {
    restart();
    if (from_saved) ASSERT_TRUE(ingest_->load(saved).ok());
    const auto frames = journal_.read_frames(from_saved ? cut : begin, journal_.end_cut(), 1 << 20);
    for (const auto& frame : *frames) ingest_->replay(*frame);
    EXPECT_EQ(accepted({"1", "2", "3"}), 0u);
  }
  restart();
  ASSERT_TRUE(ingest_->load(before_durable).ok());
  EXPECT_EQ(accepted({"1", "3"}), 1u) << "what was not durable may be lost, and must not be missed";
  EXPECT_FALSE(ingest_->load(saved.substr(0, saved.size() - 1)).ok());
}

// A damaged file is only a shortcut lost: what of it was fine is not counted twice when the frames come again.
TEST_F(CloudEventsTest, ADamagedFileLeavesNothingBehind) {
  const Cut begin = journal_.end_cut();
  send("[" + event("1") + "]", "k", "once", IngestRequest::Format::kCloudEventBatch);
  make_durable();
  accepted({"2", "3"});
  const std::string saved = ingest_->save();
  for (const size_t size : {size_t{1}, saved.size() / 2, saved.size() - 1}) {
    restart();
    EXPECT_FALSE(ingest_->load(saved.substr(0, size)).ok());
    const auto frames = journal_.read_frames(begin, journal_.end_cut(), 1 << 20);
    for (const auto& frame : *frames) ingest_->replay(*frame);
    EXPECT_EQ(ingest_->save(), saved) << size;
  }
}

TEST_F(CloudEventsTest, NoIdsAtAllMayBeKept) {
  Ingest::Limits limits;
  limits.event_ids = 0;
  restart(limits);
  EXPECT_EQ(accepted({"1", "2"}), 2u);
  EXPECT_EQ(accepted({"1", "2"}), 2u);
}

TEST_F(CloudEventsTest, ARepeatedRequestHasItsAnswer) {
  accepted({"1"});
  const std::string body = "[" + event("1") + "," + event("2") + "]";
  send(body, "k", "once", IngestRequest::Format::kCloudEventBatch);
  make_durable();
  const std::string saved = ingest_->save();
  restart();
  ASSERT_TRUE(ingest_->load(saved).ok());
  const auto again = send(body, "k", "once", IngestRequest::Format::kCloudEventBatch);
  ASSERT_TRUE(again->done);
  EXPECT_TRUE(again->answer.replayed);
  EXPECT_EQ(again->answer.accepted, 1u);
  EXPECT_EQ(again->answer.duplicates, 1u);
}

}  // namespace
}  // namespace millrace::gateway
