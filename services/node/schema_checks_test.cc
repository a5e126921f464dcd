// A schema that is proposed, run against what a node has stored.
#include "event-gateway/schema_checks.h"

#include <fmt/format.h>

#include "metadata/metadata_store.h"
#include "node/node_testing.h"

namespace millrace::node {
namespace {

using gateway::SchemaChecks;

// Takes an event whose "n" ends with another digit than 7.
class NoSevens final : public gateway::EventSchema {
 public:
  explicit NoSevens(std::function<void()> looked) : looked_(std::move(looked)) {}
  Status check(std::string_view event) override {
    looked_();
    for (size_t i = 0; i < Buffer::kPadding; ++i) EXPECT_EQ(event.data()[event.size() + i], '\0');
    if (event.find("7,") == std::string_view::npos) return {};
    return error(Code::kInvalid, "MR-TEST-0001", std::string(1'000, 'x'));
  }

 private:
  const std::function<void()> looked_;
};

class Schemas final : public gateway::EventSchemas {
 public:
  void find(TenantId, const engine::SchemaRef& asked,
            std::function<void(Result<gateway::FoundSchema>)> done) override {
    done(gateway::FoundSchema{{asked.subject, 1, 7}, std::string("n BIGINT, text TEXT")});
  }
  Result<std::unique_ptr<gateway::EventSchema>> of(const engine::StreamDef&) override {
    struct Any final : gateway::EventSchema {
      Status check(std::string_view) override { return {}; }
    };
    return std::unique_ptr<gateway::EventSchema>(std::make_unique<Any>());
  }
  void examine(TenantId, gateway::ProposedSchema, std::vector<int32_t> ids,
               std::function<void(Result<gateway::ExaminedSchema>)> done) override {
    asked = std::move(ids);
    gateway::ExaminedSchema out;
    out.level = "BACKWARD";
    out.check = std::make_shared<NoSevens>([this] {
      ++looked_at;
      if (looked) looked();
    });
    out.columns = gateway::SchemaColumns{{"n", "TEXT", {}}};
    out.columns_of.emplace(7, gateway::SchemaColumns{{"n", "BIGINT", {}}});
    held ? waiting.push_back(std::move(done)) : done(std::move(out));
  }

  std::vector<int32_t> asked;
  size_t looked_at = 0;
  std::function<void()> looked;
  bool held = false;
  std::vector<std::function<void(Result<gateway::ExaminedSchema>)>> waiting;
};

// Takes so many pieces of work, and no more.
class Crowded final : public engine::Background {
 public:
  Crowded(engine::Background& to, size_t room) : to_(to), room_(room) {}
  bool run(engine::Lane lane, std::function<void()> work, std::function<void()> done) override {
    if (room_ == 0) return false;
    --room_;
    return to_.run(lane, std::move(work), std::move(done));
  }
  void finish() override { to_.finish(); }

 private:
  engine::Background& to_;
  size_t room_;
};

class SchemaChecksTest : public NodeTest {
 protected:
  void begin(const char* partitions = "1") {
    open();
    use_node();
    run(std::string("CREATE STREAM s WITH (schema = 'o', partitions = ") + partitions + ")");
    run("CREATE STREAM other (n BIGINT)");
  }
  void use_node(engine::Background* background = nullptr) {
    node_->ingest().use(schemas_);
    node_->sql().use(schemas_);
    checks_ = std::make_unique<SchemaChecks>(
        gateway::TrialServices{node_->journal(), node_->streams(),
                               background == nullptr ? background_ : *background, clock_},
        node_->definitions());
    checks_->use(schemas_);
  }
  Result<SchemaChecks::Verdict> check(size_t events, gateway::CallerPtr caller = nullptr) {
    std::optional<Result<SchemaChecks::Verdict>> answer;
    checks_->check({tenant_, std::move(caller), {"o", "JSON", "{}", {}}, events},
                   [&](Result<SchemaChecks::Verdict> verdict) { answer.emplace(std::move(verdict)); });
    run_until([&] { return answer.has_value(); });
    return std::move(*answer);
  }
  gateway::TriedEvents tried(size_t events) {
    auto verdict = check(events);
    EXPECT_TRUE(verdict.ok() && verdict->streams.size() == 1 && verdict->streams[0].events);
    return *verdict->streams[0].events;
  }
  static gateway::CallerPtr caller(const std::vector<std::string>& scopes) {
    auto made = std::make_shared<gateway::Caller>();
    made->scopes = *gateway::Scopes::parse(scopes);
    return made;
  }

  Schemas schemas_;
  std::unique_ptr<SchemaChecks> checks_;
};

TEST_F(SchemaChecksTest, TheLastEventsAreTried) {
  begin();
  push("s", 0, 100);
  EXPECT_EQ(tried(15).tried, 15u);
  const auto found = tried(15);
  ASSERT_EQ(found.misfits, 2u) << "87 and 97";
  EXPECT_EQ(found.first[0].offset, Offset(87));
  EXPECT_EQ(found.first[1].offset, Offset(97));
  EXPECT_EQ(found.first[1].why.id, "MR-TEST-0001");
  EXPECT_LT(found.first[1].why.message.size(), 600u);
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(tried(1'000).tried, 100u);
  EXPECT_EQ(tried(1'000).misfits, 10u);
  EXPECT_EQ(schemas_.asked, std::vector<int32_t>{7});
}

TEST_F(SchemaChecksTest, NoneUnlessAskedAndNoneOfAnEmptyStream) {
  begin();
  EXPECT_EQ(tried(10).tried, 0u);
  push("s", 0, 100);
  const auto verdict = check(0);
  ASSERT_TRUE(verdict.ok());
  EXPECT_FALSE(verdict->streams[0].events);
  EXPECT_EQ(schemas_.looked_at, 0u);
  ASSERT_TRUE(verdict->broken.ok());
  ASSERT_EQ(verdict->broken->size(), 1u);
  EXPECT_EQ(verdict->broken->front().columns.front().becomes, "TEXT");
}

// Requests go round the partitions: some have more than others.
TEST_F(SchemaChecksTest, OfEachPartitionAsMany) {
  begin("4");
  push("s", 0, 100);
  push("s", 100, 110);
  push("s", 110, 112);
  EXPECT_EQ(tried(9).tried, 9u);
  EXPECT_EQ(tried(60).tried, 60u) << "the small ones whole, the rest of the large one";
  EXPECT_EQ(tried(10'000).tried, 112u);
}

TEST_F(SchemaChecksTest, ItEndsWhenTheTimeIsOver) {
  begin();
  push("s", 0, 1'000);
  schemas_.looked = [this] { clock_.advance_us(100'000); };
  const auto found = tried(1'000);
  EXPECT_FALSE(found.complete);
  EXPECT_GE(found.tried, 90u);
  EXPECT_LE(found.tried, 120u);
}

TEST_F(SchemaChecksTest, ItEndsWhenTheBytesAreOver) {
  begin();
  for (int i = 0; i < 70; ++i) push("s", i, i + 1, 1'000'000);
  const auto found = tried(1'000);
  EXPECT_FALSE(found.complete);
  EXPECT_GE(found.tried, 60u);
  EXPECT_LE(found.tried, 69u);
}

TEST_F(SchemaChecksTest, OnlyWhatTheTokenReads) {
  begin();
  push("s", 0, 10);
  const auto of = [&](const std::vector<std::string>& scopes) { return check(10, caller(scopes)); };
  EXPECT_EQ(of({"read:s"})->streams.at(0).events->tried, 10u);
  EXPECT_EQ(of({"query:s*"})->streams.at(0).events->tried, 10u);
  EXPECT_FALSE(of({"admin"})->streams.at(0).events) << "it sees the stream, and reads no events";
  EXPECT_FALSE(of({"admin"})->broken->empty());
  EXPECT_TRUE(of({"read:other"})->streams.empty());
  EXPECT_TRUE(of({"read:other"})->broken->empty());
}

TEST_F(SchemaChecksTest, WhoHasGoneIsNotWaitedFor) {
  begin();
  push("s", 0, 1'000);
  size_t answers = 0;
  const auto ask = [&] {
    return checks_->check({tenant_, nullptr, {"o", "JSON", "{}", {}}, 1'000},
                          [&](const auto&) { ++answers; });
  };
  std::function<void()> gone = ask();
  schemas_.looked = [&] {
    if (schemas_.looked_at == 100) gone();
  };
  run_until([&] { return answers == 1; });
  EXPECT_LE(schemas_.looked_at, 120u);
  schemas_.looked = nullptr;
  schemas_.looked_at = 0;
  schemas_.held = true;
  gone = ask();
  gone();
  schemas_.held = false;
  schemas_.waiting.front()(gateway::ExaminedSchema());
  EXPECT_EQ(answers, 2u);
  EXPECT_EQ(schemas_.looked_at, 0u);
  EXPECT_EQ(tried(1'000).tried, 1'000u) << "its place is another's";
}

// Streams without events, whose trials end as they begin, and those whose trials find no place on Background.
TEST_F(SchemaChecksTest, OfTenThousandStreams) {
  begin();
  close();
  {
    auto store = metadata::MetadataStore::open(files_, "/data/metadata.db");
    ASSERT_TRUE(store.ok());
    for (int i = 1; i < 10'000; ++i) {
      const std::string name = fmt::format("s{}", i);
      const auto made = (*store)->insert(
          {.tenant = tenant_,
           .kind = metadata::DefinitionKind::kStream,
           .name = name,
           .sql = fmt::format("CREATE STREAM {} (n BIGINT) WITH (schema = 'o', schema_version = 1, "
                              "schema_id = 7)",
                              name),
           .activated_at = Cut(1)});
      ASSERT_TRUE(made.ok()) << made.error().to_string();
    }
  }
  open();
  use_node();
  auto verdict = check(10);
  ASSERT_TRUE(verdict.ok());
  ASSERT_EQ(verdict->streams.size(), 10'000u);
  for (const auto& stream : verdict->streams) ASSERT_TRUE(stream.events && !stream.events->failure);
  Crowded crowded(background_, 1);
  use_node(&crowded);
  verdict = check(10);
  ASSERT_TRUE(verdict.ok() && verdict->streams.size() == 10'000u);
  for (const auto& stream : verdict->streams) ASSERT_EQ(stream.events->failure->id, "MR-QRY-0004");
}

TEST_F(SchemaChecksTest, SoManyAtOnceAndNoneWithoutARegistry) {
  begin();
  schemas_.held = true;
  const auto refused = [&](TenantId tenant) {
    const auto id = std::make_shared<std::string>();  // an answer may come later
    checks_->check({tenant, nullptr, {"o", "", "{}", {}}, 0},
                   [id](const auto& verdict) { *id = verdict.ok() ? "" : verdict.error().id; });
    return *id;
  };
  const TenantId another(90), third(91);
  for (size_t i = 0; i < SchemaChecks::kMostOfATenant; ++i) EXPECT_EQ(refused(tenant_), "");
  EXPECT_EQ(refused(tenant_), "MR-SCH-0008") << "the other places are not this tenant's";
  while (schemas_.waiting.size() < SchemaChecks::kMostAtOnce) EXPECT_EQ(refused(another), "");
  EXPECT_EQ(refused(third), "MR-SCH-0008");
  for (const auto& done : schemas_.waiting) done(error(Code::kInvalid, "MR-SCH-0007", "none"));
  schemas_.held = false;
  EXPECT_TRUE(check(0).ok());
  SchemaChecks none({node_->journal(), node_->streams(), background_, clock_}, node_->definitions());
  std::string id;
  none.check({tenant_, nullptr, {"o", "", "{}", {}}, 0},
             [&](const auto& verdict) { id = verdict.error().id; });
  EXPECT_EQ(id, "MR-SCH-0004");
}

}  // namespace
}  // namespace millrace::node
