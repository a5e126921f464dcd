// POST /v1/schemas/check over a socket.
#include "event-gateway/http_testing.h"
#include "event-gateway/schema_checks.h"
#include "tests/fakes/background.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/memory_store.h"

namespace millrace::gateway {
namespace {

using testing::HttpTest;

// Answers when the test does.
class HeldSchemas final : public EventSchemas {
 public:
  void find(TenantId, const engine::SchemaRef&, std::function<void(Result<FoundSchema>)> done) override {
    done(no_registry());
  }
  Result<std::unique_ptr<EventSchema>> of(const engine::StreamDef&) override { return no_registry(); }
  void examine(TenantId, ProposedSchema, std::vector<int32_t>,
               std::function<void(Result<ExaminedSchema>)> done) override {
    waiting.push_back(std::move(done));
  }

  std::vector<std::function<void(Result<ExaminedSchema>)>> waiting;
};

class SchemaCheckTest : public HttpTest {
 protected:
  SchemaCheckTest() {
    options.header_timeout = Duration(20);  // makes the server look often
    auto opened = sql::Definitions::open(
        std::make_unique<fakes::MemoryStore>(std::make_shared<fakes::StoredDefinitions>()), journal_);
    EXPECT_TRUE(opened.ok());
    definitions_ = std::move(*opened);
    checks_ =
        std::make_unique<SchemaChecks>(TrialServices{journal_, streams, background_, clock_}, *definitions_);
    checks_->use(schemas_);
    backend.schema_checks = checks_.get();
    background_.hold = true;
    start();
  }
  static std::string asked() {
    const std::string body = R"({"subject": "s", "schema": "{}"})";
    return "POST /v1/schemas/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
           "application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  template <typename Done>
  void wait(Done done) {
    const auto until = testing::Clock::now() + std::chrono::seconds(5);
    while (!done() && testing::Clock::now() < until) turn(1);
    ASSERT_TRUE(done());
  }

  fakes::MemoryJournal journal_;
  std::unique_ptr<sql::Definitions> definitions_;
  fakes::Background background_;
  SystemClock clock_;
  HeldSchemas schemas_;
  std::unique_ptr<SchemaChecks> checks_;
};

TEST_F(SchemaCheckTest, IsAnsweredWhoWaits) {
  auto c = client();
  c.send(asked());
  wait([&] { return schemas_.waiting.size() == 1; });
  schemas_.waiting.front()(ExaminedSchema{.level = "FULL"});
  EXPECT_TRUE(background_.run_one());
  ASSERT_TRUE(c.receive_text(R"("level":"FULL")"));
}

TEST_F(SchemaCheckTest, IsNotGoneOnWithForNobody) {
  {
    auto c = client();
    c.send(asked());
    wait([&] { return schemas_.waiting.size() == 1; });
  }
  wait([&] { return server->metrics().find("\nmillrace_http_connections 0\n") != std::string::npos; });
  schemas_.waiting.front()(ExaminedSchema{.level = "FULL"});
  EXPECT_FALSE(background_.run_one());
}

}  // namespace
}  // namespace millrace::gateway
