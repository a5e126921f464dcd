// What a tenant has, as resources: pages, one by name, changes; and that the table of routes, what it is served by and the
// documents made of it agree.
#include <nlohmann/json.hpp>
#include <set>

#include "event-gateway/api_schemas.h"
#include "event-gateway/http_routes.h"
#include "event-gateway/http_target.h"
#include "event-gateway/http_testing.h"
#include "event-gateway/openapi.h"

namespace millrace::gateway {
namespace {

using nlohmann::json;
using testing::Client;
using testing::HttpAnswerSeen;
using testing::HttpTest;

class FakeViews final : public engine::ViewReads {
 public:
  void read(QueryId, std::function<void(Result<engine::ViewAtCut>)> done) override { done(none()); }
  Result<std::unique_ptr<engine::Subscription>> subscribe(QueryId) override { return none(); }
  Result<engine::QueryStatus> status(QueryId) override { return now; }
  void pauses_changed() override {}
  void retry(QueryId, std::function<void(Status)> done) override { done({}); }
  void inspect(QueryId, std::function<void(Result<engine::QueryReport>)> done) override { done(none()); }
  static Error none() { return error(Code::kNotFound, "MR-STEP-0023", "none"); }

  engine::QueryStatus now{{}, "running", 0.5, 4096, Cut(7)};
};

class HttpResourcesTest : public HttpTest {
 protected:
  void define_view() {
    define(7, 1, metadata::DefinitionKind::kView, "per_id",
           "CREATE MATERIALIZED VIEW per_id AS SELECT id, count(*) AS n FROM quakes GROUP BY id");
  }
  void start_with_tokens() {
    const auto entry = [](const std::string& tenant, const std::string& token, const char* more = "") {
      return "  - {tenant: " + tenant + ", sha256: " + token_hash(token) + more + "}\n";
    };
    auto parsed = Tokens::parse("tokens:\n" + entry("a", "ta") + entry("b", "tb") +
                                entry("b", "ops", ", metrics: all"));
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    tokens = std::move(*parsed);
    backend.tokens = tokens.get();
    start();
  }
  static std::string ask(const std::string& method, const std::string& target,
                         const std::string& token = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" +
           (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n";
  }
  static json body_of(const HttpAnswerSeen& answer) { return json::parse(answer.body); }
  static std::vector<std::string> names_of(const json& page) {
    std::vector<std::string> names;
    for (const auto& item : page["items"]) names.push_back(item["name"]);
    return names;
  }

  FakeViews views;
  std::unique_ptr<Tokens> tokens;
};

TEST_F(HttpResourcesTest, StreamsComeByNamePageByPage) {
  start();
  auto c = client();
  const json all = body_of(c.call(get("/v1/streams")));
  EXPECT_EQ(names_of(all), (std::vector<std::string>{"dead_letters", "orders", "quakes"}));
  EXPECT_TRUE(all["next"].is_null());
  std::vector<std::string> names;
  std::string after;
  do {
    const json page = body_of(c.call(get("/v1/streams?limit=1" + after)));
    ASSERT_EQ(page["items"].size(), 1u);
    names.push_back(page["items"][0]["name"]);
    after = page["next"].is_null() ? "" : "&after=" + page["next"].get<std::string>();
  } while (!after.empty() && names.size() < 9);
  EXPECT_EQ(names, names_of(all));
  const json quakes = body_of(c.call(get("/v1/streams/quakes")));
  EXPECT_EQ(quakes, all["items"][2]);
  EXPECT_EQ(quakes["definition"], "CREATE STREAM quakes (id TEXT, n BIGINT) WITH (partitions = 2)");
  EXPECT_EQ(quakes["columns"][1],
            (json{{"name", "n"}, {"type", "bigint"}, {"key", false}, {"watermark", false}}));
}

TEST_F(HttpResourcesTest, APageEndsAtItsBytes) {
  for (uint32_t i = 0; i < 30; ++i) {
    std::string sql = "CREATE STREAM wide" + std::to_string(i) + " (a TEXT) -- " + std::string(100'000, 'x');
    define(100 + i, 1, metadata::DefinitionKind::kStream, "wide" + std::to_string(i), sql);
  }
  start();
  auto c = client();
  const json page = body_of(c.call(get("/v1/streams?limit=1000")));
  EXPECT_LT(page["items"].size(), 20u);
  EXPECT_TRUE(page["next"].is_string());
}

TEST_F(HttpResourcesTest, WhatIsNoPageIsRefused) {
  start();
  auto c = client();
  for (const char* query : {"limit=0", "limit=1001", "limit=-1", "limit=1x", "limit="})
    EXPECT_EQ(body_of(c.call(get(std::string("/v1/views?") + query)))["code"], "MR-API-0011") << query;
  for (const char* query : {"after=", "after=1", "after=xy", "after=6fg0"})
    EXPECT_EQ(body_of(c.call(get(std::string("/v1/views?") + query)))["code"], "MR-API-0010") << query;
  EXPECT_EQ(body_of(c.call(get("/v1/views?page=2")))["code"], "MR-API-0011");
  EXPECT_EQ(body_of(c.call(get("/v1/streams/quakes?x=1")))["code"], "MR-API-0011");
}

TEST_F(HttpResourcesTest, AQuerySaysHowItIs) {
  define_view();
  backend.views = &views;
  start();
  auto c = client();
  json query = body_of(c.call(get("/v1/queries/per_id")));
  EXPECT_EQ(query["state"], "running");
  EXPECT_EQ(query["lag_seconds"], 0.5);
  EXPECT_EQ(query["state_bytes"], 4096);
  EXPECT_EQ(query["position"], 7);
  EXPECT_TRUE(query["failure"].is_null());
  EXPECT_EQ(body_of(c.call(get("/v1/views/per_id")))["columns"].size(), 2u);
  views.now.failed = error(Code::kExhausted, "MR-STEP-0005", "its state is full", "fewer groups");
  views.now.state = "failed: its state is full";
  query = body_of(c.call(get("/v1/queries/per_id")));
  EXPECT_EQ(query["failure"]["code"], "MR-STEP-0005");
  EXPECT_EQ(query["failure"]["hint"], "fewer groups");
}

TEST_F(HttpResourcesTest, WithoutAProcessorNothingIsMeasured) {
  define_view();
  start();
  auto c = client();
  const json query = body_of(c.call(get("/v1/queries/per_id")));
  EXPECT_EQ(query["state"], "no processor on this node");
  EXPECT_TRUE(query["lag_seconds"].is_null());
}

TEST_F(HttpResourcesTest, ChangesAreStatements) {
  define_view();
  backend.views = &views;
  std::string said;
  std::optional<Error> failure;
  sql = [&](TenantId, const std::string& text, SqlService::Each, SqlService::Done done) {
    said = text;
    done(failure ? Status(*failure) : Status());
  };
  start();
  auto c = client();
  EXPECT_EQ(c.call(ask("DELETE", "/v1/streams/quakes")).status, 204);
  EXPECT_EQ(said, "DROP STREAM quakes");
  EXPECT_EQ(c.call(ask("DELETE", "/v1/views/per_id")).status, 204);
  EXPECT_EQ(said, "DROP MATERIALIZED VIEW per_id");
  const auto paused = c.call(ask("POST", "/v1/queries/per_id/pause"));
  EXPECT_EQ(said, "PAUSE per_id");
  EXPECT_EQ(body_of(paused)["name"], "per_id");
  EXPECT_EQ(c.call(ask("POST", "/v1/queries/per_id/resume")).status, 200);
  EXPECT_EQ(said, "RESUME per_id");
  failure = error(Code::kConflict, "MR-SQL-0017", "it has readers");
  failure->span = SourceSpan{1, 13, 12, 6};
  const auto refused = c.call(ask("DELETE", "/v1/streams/quakes"));
  EXPECT_EQ(refused.status, 409);
  EXPECT_FALSE(body_of(refused).contains("span"));
  said.clear();
  EXPECT_EQ(body_of(c.call(ask("DELETE", "/v1/streams/per_id")))["code"], "MR-API-0046");
  EXPECT_EQ(body_of(c.call(ask("POST", "/v1/queries/quakes/pause")))["code"], "MR-API-0046");
  EXPECT_EQ(said, "");
}

TEST_F(HttpResourcesTest, ANameCannotBecomeAnotherStatement) {
  const std::string name = "a\"; DROP STREAM quakes; --";
  define(8, 1, metadata::DefinitionKind::kStream, name,
         "CREATE STREAM \"a\"\"; DROP STREAM quakes; --\" (a TEXT)");
  std::string said;
  sql = [&](TenantId, const std::string& text, SqlService::Each, SqlService::Done done) {
    said = text;
    done({});
  };
  start();
  auto c = client();
  EXPECT_EQ(c.call(ask("DELETE", "/v1/streams/a%22%3B%20DROP%20STREAM%20quakes%3B%20--")).status, 204);
  EXPECT_EQ(said, "DROP STREAM \"a\"\"; DROP STREAM quakes; --\"");
}

TEST_F(HttpResourcesTest, ATenantSeesItsOwn) {
  start_with_tokens();
  auto c = client();
  EXPECT_EQ(names_of(body_of(c.call(ask("GET", "/v1/streams", "ta")))),
            (std::vector<std::string>{"dead_letters", "of_a"}));
  EXPECT_EQ(names_of(body_of(c.call(ask("GET", "/v1/streams", "tb")))),
            (std::vector<std::string>{"dead_letters"}));
  EXPECT_EQ(names_of(body_of(c.call(ask("GET", "/v1/tenants", "ta")))), (std::vector<std::string>{"a"}));
  EXPECT_EQ(names_of(body_of(c.call(ask("GET", "/v1/tenants", "ops")))),
            (std::vector<std::string>{"a", "b", "default"}));
  EXPECT_EQ(c.call(ask("GET", "/v1/streams")).status, 401);
  EXPECT_EQ(c.call(ask("GET", "/asyncapi.json")).status, 401);
  EXPECT_EQ(c.call(ask("GET", "/openapi.json")).status, 200);
  // What another tenant has answers as what nobody has.
  for (const auto& [there, nowhere] :
       {std::pair{"/v1/streams/of_a", "/v1/streams/of_x"}, std::pair{"/v1/tenants/a", "/v1/tenants/x"}}) {
    json one = body_of(c.call(ask("GET", there, "tb"))), other = body_of(c.call(ask("GET", nowhere, "tb")));
    for (json* answer : {&one, &other})
      answer->erase("title"), answer->erase("message"), answer->erase("request_id");
    EXPECT_EQ(one, other);
    EXPECT_EQ(one["status"], 404);
  }
  EXPECT_EQ(c.call(ask("GET", "/asyncapi.json", "tb")).body.find("of_a"), std::string::npos);
}

TEST_F(HttpResourcesTest, StreamsAreChannels) {
  define(8, 1, metadata::DefinitionKind::kStream, "a b",
         "CREATE STREAM \"a b\" (a TEXT, c BIGINT PATH '$.x.c')");
  start();
  auto c = client();
  const json document = body_of(c.call(get("/asyncapi.json")));
  EXPECT_EQ(document["asyncapi"], "3.0.0");
  EXPECT_EQ(document["servers"]["http"]["host"], "localhost");
  const json& channel = document["channels"]["a.20b"];
  EXPECT_EQ(channel["address"], "/v1/streams/a%20b/events");
  const json& properties = channel["messages"]["event"]["payload"]["properties"];
  EXPECT_EQ(properties.size(), 1u);
  EXPECT_EQ(properties["a"]["type"], (json{"string", "null"}));
  EXPECT_TRUE(document["operations"].contains("send_a.20b"));
  EXPECT_FALSE(document["operations"].contains("send_dead_letters"));
  EXPECT_TRUE(document["operations"].contains("read_dead_letters"));
  const auto first = c.call(get("/asyncapi.json?limit=2"));
  EXPECT_EQ(body_of(first)["channels"].size(), 3u);
  const json rest = body_of(c.call(get("/asyncapi.json?after=" + first.fields.at("millrace-cursor"))));
  EXPECT_EQ(rest["channels"].size(), 3u);
  EXPECT_TRUE(rest["channels"].contains("quakes"));
}

TEST_F(HttpResourcesTest, WhatAProblemHoldsIsInTheDocument) {
  start();
  auto c = client();
  const json document = body_of(c.call(get("/openapi.json")));
  const json& known = document["components"]["schemas"]["Problem"]["properties"];
  for (const char* path : {"/v1/streams/none", "/v1/streams?limit=0", "/nothing"}) {
    const json problem = body_of(c.call(get(path)));
    for (const auto& member : problem.items()) EXPECT_TRUE(known.contains(member.key())) << member.key();
  }
}

TEST(Routes, EveryRowIsFoundByItsOwnPath) {
  std::set<std::string_view> ids;
  for (const auto& operation : operations()) {
    EXPECT_TRUE(ids.insert(operation.id).second) << operation.id;
    const auto target = parse_target(std::string(operation.path));
    ASSERT_TRUE(target.ok()) << operation.path;
    std::string allowed;
    EXPECT_EQ(find_operation(operation.method, target->segments, allowed), &operation) << operation.path;
    EXPECT_EQ(find_operation("BREW", target->segments, allowed), nullptr);
    EXPECT_NE(allowed.find(operation.method), std::string::npos);
    EXPECT_EQ(&operation_of(operation.route), &operation);
    EXPECT_NE(about_text().find(std::string(operation.path) + " "), std::string::npos);
  }
}

TEST(Routes, TheDocumentHasTheTablesRows) {
  const json document = json::parse(openapi_document());
  size_t count = 0;
  for (const auto& path : document["paths"]) count += path.size();
  EXPECT_EQ(count, operations().size());
  for (const auto& schema : api_schemas()) EXPECT_TRUE(json::accept(schema.json)) << schema.name;
}

}  // namespace
}  // namespace millrace::gateway
