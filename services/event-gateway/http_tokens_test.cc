// Tokens over HTTP: every route by every scope and tenant, made and ended while the server runs, verified off the loop.
#include <nlohmann/json.hpp>

#include "event-gateway/http_routes.h"
#include "event-gateway/http_testing.h"
#include "event-gateway/token_secret.h"
#include "event-gateway/websocket_testing.h"
#include "tests/fakes/memory_store.h"

namespace millrace::gateway {
namespace {

using nlohmann::json;
using testing::HttpAnswerSeen;
using testing::HttpTest;

constexpr Scope kScopes[] = {Scope::kIngest, Scope::kRead, Scope::kQuery, Scope::kAdmin};

class HttpTokensTest : public HttpTest {
 protected:
  HttpTokensTest() {
    auto opened = TokenStore::open(metadata);
    EXPECT_TRUE(opened.ok());
    store = std::move(*opened);
    backend.token_store = store.get();
    backend.now_us = [this] { return now_us; };
    sql = [](TenantId, std::string, SqlService::Each, SqlService::Done done) { done({}); };
    options.heartbeat = HttpOptions::Duration(20);
  }
  std::string make(const std::string& tenant, const std::vector<std::string>& scopes, bool all = false) {
    Token token;
    token.tenant = tenant;
    token.scopes = *Scopes::parse(scopes);
    token.all_tenants = all;
    token.created_us = now_us;
    const auto text = store->create(token, *make_secret());
    EXPECT_TRUE(text.ok()) << text.error().to_string();
    return *text;
  }
  static std::string id_of(const std::string& text) { return std::string(parse_token(text)->id); }
  static std::string ask(const std::string& method, const std::string& target, const std::string& token,
                         const std::string& body = "", const std::string& more = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" +
           (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + more +
           (body.empty() ? ""
                         : "Content-Type: application/json\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n") +
           "\r\n" + body;
  }
  static json body_of(const HttpAnswerSeen& answer) { return json::parse(answer.body); }

  std::shared_ptr<fakes::StoredDefinitions> stored = std::make_shared<fakes::StoredDefinitions>();
  fakes::MemoryStore metadata{stored};
  std::unique_ptr<TokenStore> store;
  int64_t now_us = 1'000'000'000'000'000;
};

// A request that the route takes, of tenant a's things.
std::string request_of(const Operation& operation, std::string& body) {
  std::string path(operation.path);
  for (const auto& [part, name] : {std::pair{"{stream}", "of_a"},
                                   {"{view}", "v"},
                                   {"{query}", "v"},
                                   {"{tenant}", "a"},
                                   {"{token}", "0"}}) {
    if (const size_t at = path.find(part); at != std::string::npos)
      path.replace(at, std::string(part).size(), name);
  }
  body = operation.bodies.empty() ? "" : operation.route == Route::kSql ? R"({"sql":"SELECT 1"})" : "{}";
  return path;
}

TEST_F(HttpTokensTest, EveryRouteAsksForItsScope) {
  std::map<std::string, std::map<Scope, std::string>> tokens;
  for (const char* tenant : {"a", "b"}) {
    tokens[tenant][Scope::kAdmin] = make(tenant, {"admin"});
    for (const Scope scope : kScopes) {
      if (scope != Scope::kAdmin) tokens[tenant][scope] = make(tenant, {std::string(name_of(scope))});
    }
  }
  start();
  size_t allowed = 0, denied = 0;
  for (const auto& operation : operations()) {
    std::string body;
    const std::string path = request_of(operation, body);
    const std::string method(operation.method);
    const auto status = [&](const std::string& token) {
      return client().call(ask(method, path, token, body));
    };
    const bool open = operation.access == Operation::Access::kOpen;
    EXPECT_EQ(status("").status == 401, !open) << method << " " << path;
    EXPECT_EQ(status("mrt_0000000000000000_" + std::string(64, '0')).status == 401, !open) << path;
    if (open) continue;
    for (const auto& [tenant, of_tenant] : tokens) {
      for (const auto& [scope, token] : of_tenant) {
        const auto answer = status(token);
        const bool may = (static_cast<ScopeSet>(operation.access) & static_cast<ScopeSet>(scope)) != 0;
        ++(may ? allowed : denied);
        const bool lacks = answer.status == 403 && body_of(answer)["code"] == "MR-AUTH-0002";
        EXPECT_EQ(lacks, !may) << method << " " << path << " " << tenant << " " << name_of(scope);
        EXPECT_NE(answer.status, 401);
        // What is tenant a's is not there for b.
        if (may && tenant == "b" && path.find("of_a") != std::string::npos &&
            operation.route != Route::kIngest)
          EXPECT_EQ(answer.status, 404) << method << " " << path;
      }
    }
  }
  EXPECT_GT(allowed, 50u);
  EXPECT_GT(denied, 50u);
  for (const auto& ingest : seen) EXPECT_TRUE(ingest.tenant == TenantId(2) || ingest.tenant == TenantId(3));
}

TEST_F(HttpTokensTest, PatternsOfNames) {
  define(8, 2, metadata::DefinitionKind::kStream, "orders", "CREATE STREAM orders (id TEXT)");
  make("a", {"admin"});
  const std::string token = make("a", {"read:of_*", "ingest:orders"});
  start();
  auto c = client();
  EXPECT_EQ(c.call(ask("GET", "/v1/streams/of_a/events", token)).status, 200);
  EXPECT_EQ(c.call(ask("GET", "/v1/streams/orders/events", token)).status, 403);
  EXPECT_EQ(c.call(ask("POST", "/v1/streams/orders/events", token, "{}")).status, 200);
  EXPECT_EQ(c.call(ask("POST", "/v1/streams/of_a/events", token, "{}")).status, 403);
  const json streams = body_of(c.call(ask("GET", "/v1/streams", token)));
  ASSERT_EQ(streams["items"].size(), 2u);  // and not the dead letters
  EXPECT_EQ(c.call(ask("GET", "/v1/streams/dead_letters", token)).status, 404);
}

TEST_F(HttpTokensTest, TheFirstTokenClosesTheServer) {
  start();
  auto c = client();
  EXPECT_EQ(c.call(ask("GET", "/v1/streams", "")).status, 200);
  EXPECT_EQ(body_of(c.call(ask("POST", "/v1/tokens", "", R"({"scopes":["read"]})")))["code"], "MR-AUTH-0006");
  const auto made = c.call(ask("POST", "/v1/tokens", "", R"({"scopes":["admin"],"all_tenants":true})"));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.fields.at("cache-control"), "no-store");
  const std::string admin = body_of(made)["token"];
  EXPECT_EQ(c.call(ask("GET", "/v1/streams", "")).status, 401);
  const auto reader =
      body_of(c.call(ask("POST", "/v1/tokens", admin, R"({"scopes":["read"],"tenant":"a"})")));
  EXPECT_EQ(reader["tenant"], "a");
  EXPECT_TRUE(reader["expires_at"].is_null());
  EXPECT_EQ(c.call(ask("GET", "/v1/streams/of_a/events", reader["token"])).status, 200);
  const auto page = c.call(ask("GET", "/v1/tokens", admin));
  EXPECT_EQ(body_of(page)["items"].size(), 2u);
  EXPECT_EQ(page.body.find(admin.substr(admin.size() - 64)), std::string::npos);
  EXPECT_EQ(body_of(c.call(ask("GET", "/v1/tokens/" + id_of(reader["token"]), admin)))["last_used_at"],
            "2001-09-09T01:46:40Z");
  EXPECT_EQ(body_of(c.call(ask("GET", "/v1/tokens?limit=1", admin)))["items"].size(), 1u);
}

TEST_F(HttpTokensTest, ATenantsAdminSeesItsOwn) {
  const std::string a = make("a", {"admin"}), b = make("b", {"admin"});
  start();
  auto c = client();
  EXPECT_EQ(body_of(c.call(ask("GET", "/v1/tokens", a)))["items"].size(), 1u);
  EXPECT_EQ(body_of(c.call(ask("DELETE", "/v1/tokens/" + id_of(b), a)))["code"], "MR-AUTH-0007");
  EXPECT_EQ(body_of(c.call(ask("POST", "/v1/tokens", a, R"({"scopes":["read"],"tenant":"b"})")))["code"],
            "MR-AUTH-0010");
  EXPECT_EQ(c.call(ask("DELETE", "/v1/tokens/" + id_of(a), a)).status, 204);
  EXPECT_EQ(c.call(ask("GET", "/v1/tokens", a)).status, 401);
}

// A body that comes in parts may take hours.
TEST_F(HttpTokensTest, AnUploadEndsWithItsToken) {
  options.max_body_bytes = 1'000;
  const std::string admin = make("a", {"admin"}), token = make("a", {"ingest"});
  start();
  auto c = client(), other = client();
  const std::string line = R"({"id":"x"})"
                           "\n";
  std::string lines;
  for (int i = 0; i < 150; ++i) lines += line;
  c.send(ask("POST", "/v1/streams/of_a/events", token, "",
             "Content-Type: application/x-ndjson\r\nContent-Length: 1000000\r\n") +
         lines);
  ASSERT_TRUE(wait_seen(1));
  ASSERT_EQ(other.call(ask("DELETE", "/v1/tokens/" + id_of(token), admin)).status, 204);
  const size_t before = seen.size();
  c.send(lines);
  const auto answer = c.answer();
  EXPECT_EQ(answer.status, 401);
  EXPECT_NE(answer.body.find("events were taken before"), std::string::npos) << answer.body;
  EXPECT_EQ(seen.size(), before);
}

TEST_F(HttpTokensTest, RotationAndExpiryOnAnOpenConnection) {
  const std::string old = make("a", {"admin", "read"});
  start();
  auto c = client();
  ASSERT_EQ(c.call(ask("GET", "/v1/tokens", old)).status, 200);
  const auto rotated = c.call(ask("POST", "/v1/tokens/" + id_of(old) + "/rotate?overlap_seconds=60", old));
  ASSERT_EQ(rotated.status, 200);
  const std::string fresh = body_of(rotated)["token"];
  EXPECT_FALSE(body_of(rotated)["old_secret_until"].is_null());
  EXPECT_EQ(c.call(ask("GET", "/v1/tokens", old)).status, 200);
  now_us += 60'000'000;
  EXPECT_EQ(body_of(c.call(ask("GET", "/v1/tokens", old)))["code"], "MR-AUTH-0001");
  EXPECT_EQ(c.call(ask("GET", "/v1/tokens", fresh)).status, 200);
  EXPECT_EQ(client().call(ask("GET", "/v1/tokens", old)).status, 401);
  for (const char* bad : {"-1", "x", "2592001", ""})
    EXPECT_EQ(
        c.call(ask("POST", "/v1/tokens/" + id_of(old) + "/rotate?overlap_seconds=" + bad, fresh)).status,
        400);
}

TEST_F(HttpTokensTest, ASubscriptionEndsWithItsToken) {
  make("a", {"admin"});
  const std::string token = make("a", {"read"});
  start();
  auto c = client();
  c.send(ask("GET", "/v1/streams/of_a/events", token, "", "Accept: text/event-stream\r\n"));
  ASSERT_TRUE(c.receive_text("200 OK"));
  turn(50);
  EXPECT_FALSE(c.closed);
  ASSERT_TRUE(store->revoke(id_of(token), now_us).ok());
  EXPECT_TRUE(c.receive_end());
}

TEST_F(HttpTokensTest, AWebSocketsMessagesByTheirScopes) {
  define(8, 2, metadata::DefinitionKind::kStream, "orders", "CREATE STREAM orders (id TEXT)");
  define(10, 2, metadata::DefinitionKind::kView, "hidden",
         "CREATE MATERIALIZED VIEW hidden AS SELECT id FROM of_a");
  make("a", {"admin"});
  const std::string token = make("a", {"read:of_a", "ingest:orders"});
  Quota quota;
  quota.subscriptions = 1;
  auto quotas_of = TenantQuotas::open(nullptr, quota, [](TenantId, Quota) {});
  backend.quotas = quotas_of->get();
  options.heartbeat = HttpOptions::Duration(15'000);  // no pings among the answers
  start();
  auto c = client();
  c.send(ask("GET", "/v1/ws", token, "",
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  ASSERT_EQ(c.answer().status, 101);
  const auto told = [&](std::string_view message) {
    c.send(testing::ws_text(message));
    std::optional<testing::WsFrameSeen> frame;
    c.receive([&] { return (frame = testing::take_ws_frame(c.got)).has_value(); });
    return frame.value_or(testing::WsFrameSeen{0, "none"}).payload;
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(told(R"({"publish":"of_a","id":1,"events":[{}]})"), "MR-AUTH-0002"));
  EXPECT_TRUE(has(told(R"({"publish":"orders","id":2,"events":[{}]})"), R"("ack":2)"));
  // Whether the view has a schema is not told either.
  EXPECT_TRUE(has(told(R"({"subscribe":"hidden","id":3,"encoding":"binary"})"), "MR-AUTH-0002"));
  EXPECT_TRUE(has(told(R"({"subscribe":"orders","id":3})"), "MR-AUTH-0002"));
  EXPECT_TRUE(has(told(R"({"subscribe":"of_a","id":4})"), R"("subscribed":4)"));
  EXPECT_TRUE(has(told(R"({"subscribe":"of_a","id":5})"), "MR-AUTH-0016"));
  EXPECT_TRUE(has(told(R"({"unsubscribe":4})"), R"("unsubscribed":4)"));
  EXPECT_TRUE(has(told(R"({"subscribe":"of_a","id":6})"), R"("subscribed":6)"));
  EXPECT_TRUE(has((*quotas_of)->metrics(TenantId(2)), "millrace_tenant_connections{tenant=\"a\"} 1\n"));
  ASSERT_TRUE(store->revoke(id_of(token), now_us).ok());
  std::optional<testing::WsFrameSeen> last;
  c.receive([&] { return (last = testing::take_ws_frame(c.got)).has_value(); });
  ASSERT_TRUE(last && last->is_close());
  EXPECT_EQ(last->close_code(), 1008);
  EXPECT_TRUE(c.receive_end());
  c.half_close();
  turn(50);
  EXPECT_TRUE(has((*quotas_of)->metrics(TenantId(2)), "millrace_tenant_connections{tenant=\"a\"} 0\n"));
  server.reset();
}

// Argon2 runs elsewhere: the request waits for it, what comes behind it waits, too, and so does nobody else.
TEST_F(HttpTokensTest, VerifiedOffTheLoop) {
  std::vector<std::pair<std::function<void()>, std::function<void()>>> waiting;
  size_t most = 2;
  backend.verifying = [&](std::function<void()> work, std::function<void()> done) {
    if (waiting.size() >= most) return false;
    waiting.emplace_back(std::move(work), std::move(done));
    return true;
  };
  make("a", {"admin"});
  const std::string token = make("a", {"ingest"}), other = make("a", {"read"});
  start();
  auto c = client(), d = client(), e = client();
  const std::string body(100'000, ' ');
  c.send(ask("POST", "/v1/streams/of_a/events", token, "{}") +
         ask("POST", "/v1/streams/of_a/events", token, body + "{}") + ask("GET", "/livez", ""));
  d.send(ask("GET", "/v1/streams/of_a/events", other));
  d.half_close();
  turn(20);
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_TRUE(seen.empty());
  const auto refused = e.call(ask("GET", "/v1/streams/of_a/events", other));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(body_of(refused)["code"], "MR-AUTH-0003");
  EXPECT_EQ(client().call(ask("GET", "/livez", "")).status, 200);
  for (auto& [work, done] : std::exchange(waiting, {})) {
    work();
    done();
  }
  EXPECT_EQ(c.answer().status, 200);
  EXPECT_EQ(c.answer().status, 200);
  EXPECT_EQ(c.answer().status, 200);
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(d.answer().status, 200);
  {
    auto gone = client();
    gone.send(ask("GET", "/v1/tokens", make("b", {"admin"})));
    turn(20);
  }
  turn(20);
  ASSERT_EQ(waiting.size(), 1u);
  server.reset();  // and what was verified for a server that is gone finds nobody
  waiting[0].first();
  waiting[0].second();
}

}  // namespace
}  // namespace millrace::gateway
