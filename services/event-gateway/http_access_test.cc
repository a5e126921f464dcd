// Hosts, origins, tokens, and that a tenant sees its own things only.
#include "event-gateway/http_target.h"
#include "event-gateway/http_testing.h"

namespace millrace::gateway {
namespace {

using testing::HttpTest;

std::string entry(const std::string& tenant, const std::string& token, const std::string& more = "") {
  return "  - {tenant: " + tenant + ", sha256: " + token_hash(token) + more + "}\n";
}

class HttpAccessTest : public HttpTest {
 protected:
  void start_with_tokens() {
    auto parsed =
        Tokens::parse("tokens:\n" + entry("a", "secret-a", ", events_per_s: 100, bytes_per_s: 5e6") +
                      entry("b", "secret-b") + entry("b", "secret-ops", ", metrics: all"));
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    tokens = std::move(*parsed);
    backend.tokens = tokens.get();
    start();
  }
  static std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }
  std::unique_ptr<Tokens> tokens;
};

TEST_F(HttpAccessTest, Hosts) {
  options.allowed_hosts = {"millrace.example"};
  start();
  auto c = client();
  const auto status = [&](const std::string& fields) {
    return c.call("GET /livez HTTP/1.1\r\n" + fields + "\r\n").status;
  };
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:8080",
                           "millrace.example", "Millrace.Example:443"}) {
    EXPECT_EQ(status("Host: " + std::string(host) + "\r\n"), 200) << host;
  }
  for (const char* host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]"}) {
    EXPECT_EQ(status("Host: " + std::string(host) + "\r\n"), 421) << host;
  }
  for (const char* host : {"", "localhost:x", "user@localhost", "local host", "[::1", "localhost:123456",
                           "a,b", "localhost/x"}) {
    EXPECT_EQ(status("Host: " + std::string(host) + "\r\n"), 400) << host;
  }
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("Host: localhost\r\nHost: localhost\r\n"), 400);
  EXPECT_EQ(status("Host: localhost\r\nHost: evil.example\r\n"), 400);
  EXPECT_EQ(status("Host: \r\nHost: evil.example\r\n"), 400);
}

TEST_F(HttpAccessTest, Origins) {
  start();
  auto c = client();
  const auto status = [&](const std::string& origin) {
    return c.call(post("{}", "Origin: " + origin + "\r\n")).status;
  };
  EXPECT_EQ(status("http://127.0.0.1"), 200);
  for (const char* origin : {"http://evil.example", "null", "", "http://127.0.0.1:3000",
                             "http://127.0.0.1.evil.example", "127.0.0.1"}) {
    EXPECT_EQ(status(origin), 403) << origin;
  }
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(HttpAccessTest, EveryCallNeedsAToken) {
  sql = [](TenantId, std::string, SqlService::Each, SqlService::Done done) { done({}); };
  start_with_tokens();
  auto c = client();
  const std::vector<std::function<std::string(const std::string&)>> calls = {
      [](const std::string& f) { return post("{}", f); },
      [](const std::string& f) { return post("{}", f, "/v1/streams/of_a/events"); },
      [](const std::string& f) { return get("/v1/streams/of_a/events", f); },
      [](const std::string& f) {
        return get("/v1/streams/of_a/events", f + "Accept: text/event-stream\r\n");
      },
      [](const std::string& f) { return statement("SELECT 1", f); },
      [](const std::string& f) { return get("/metrics/full", f); },
  };
  for (const auto& call : calls) {
    for (const std::string& fields :
         {std::string(), bearer("secret"), bearer("secret-a "), bearer("secret-ab"), bearer(""),
          std::string("Authorization: Basic secret-a\r\n"), std::string("Authorization: secret-a\r\n"),
          bearer(token_hash("secret-a"))}) {
      if (fields == bearer("secret-a ")) continue;  // blanks at a field's end are not the field's
      const auto answer = c.call(call(fields));
      EXPECT_EQ(answer.status, 401) << call(fields);
      EXPECT_EQ(answer.fields.at("www-authenticate"), "Bearer");
    }
  }
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(c.call(post("{}", bearer("secret-a") + bearer("secret-b"))).status, 400);
  EXPECT_EQ(c.call(get("/livez")).status, 200);
  EXPECT_EQ(c.call(get("/readyz")).status, 200);
  EXPECT_EQ(c.call(get("/metrics/full", bearer("secret-b"))).status, 200);
}

TEST_F(HttpAccessTest, ATokenIsItsTenant) {
  std::vector<TenantId> asked;
  sql = [&](TenantId tenant, std::string, SqlService::Each, SqlService::Done done) {
    asked.push_back(tenant);
    done({});
  };
  streams.events = {"{\"of\":\"a\"}"};
  start_with_tokens();
  auto c = client();  // one connection, changing hands: nothing may be remembered of the one before
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(c.call(post("{}", bearer("secret-a"))).status, 200);
    EXPECT_EQ(seen.back().tenant, TenantId(2));
    EXPECT_EQ(c.call(post("{}", bearer("secret-b"))).status, 200);
    EXPECT_EQ(seen.back().tenant, TenantId(3));
    EXPECT_EQ(c.call(post("{}")).status, 401);
    c.call(statement("SELECT 1", bearer("secret-b")));
    EXPECT_EQ(asked.back(), TenantId(3));
    c.call(statement("SELECT 1", bearer("secret-a")));
    EXPECT_EQ(asked.back(), TenantId(2));
    EXPECT_EQ(c.call(get("/v1/streams/of_a/events", bearer("secret-a"))).body, "{\"of\":\"a\"}\n");
    EXPECT_EQ(c.call(get("/v1/streams/of_a/events", bearer("secret-b"))).status, 404);
    EXPECT_EQ(
        c.call(get("/v1/streams/of_a/events", bearer("secret-b") + "Accept: text/event-stream\r\n")).status,
        404);
    EXPECT_EQ(c.call(get("/v1/streams/quakes/events", bearer("secret-a"))).status,
              404);  // the default tenant's
  }
  EXPECT_EQ(quotas.at(2).events_per_s, 100);
  EXPECT_EQ(quotas.at(2).bytes_per_s, 5e6);
  EXPECT_EQ(quotas.count(3), 0u);
}

TEST_F(HttpAccessTest, MetricsAreOfTheCallersTenant) {
  start_with_tokens();
  auto c = client();
  const auto page = [&](const char* token) { return c.call(get("/metrics/full", bearer(token))).body; };
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(page("secret-a").ends_with("\ntenant 2\n"));
    EXPECT_TRUE(page("secret-b").ends_with("\ntenant 3\n"));
    EXPECT_TRUE(page("secret-ops").ends_with("\ntenant all\n"));
  }
}

TEST_F(HttpAccessTest, AnOpenServersMetricsAreOfAll) {
  start();
  EXPECT_TRUE(client().call(get("/metrics/full")).body.ends_with("\ntenant all\n"));
}

TEST_F(HttpAccessTest, OpenServersStayOnLoopback) {
  for (const char* address : {"0.0.0.0", "::", "[::]", "192.0.2.1", "128.0.0.1"}) {
    HttpOptions open = options;
    open.address = address;
    HttpServer refused(loop, open, backend);
    const auto listening = refused.listen();
    ASSERT_FALSE(listening.ok()) << address;
    EXPECT_EQ(listening.error().id, "MR-API-0030");
  }
  HttpOptions nonsense = options;
  nonsense.address = "127.0.0";
  HttpServer refused(loop, nonsense, backend);
  EXPECT_FALSE(refused.listen().ok());
  options.address = "0.0.0.0";
  start_with_tokens();
  auto c = client();
  EXPECT_EQ(c.call(post("{}", bearer("secret-a"))).status, 200);
}

TEST(TokensTest, Files) {
  EXPECT_EQ(token_hash("test"), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
  const std::string hash = token_hash("t");
  for (const std::string& bad :
       {std::string(), std::string("tokens:"), std::string("tokens: []"), std::string("- a"),
        std::string("tokens: [x]"), std::string("tokens: [{tenant: a}]"),
        std::string("tokens: [{tenant: a, sha256: abc}]"), "tokens: [{tenant: '', sha256: " + hash + "}]",
        "tokens: [{tenant: a, sha256: g" + hash.substr(1) + "}]",
        "tokens: [{tenant: a/b, sha256: " + hash + "}]",
        "tokens: [{tenant: \"a\\nb\", sha256: " + hash + "}]",
        "tokens: [{tenant: a, sha256: " + hash + ", events_per_s: -1}]",
        "tokens: [{tenant: a, sha256: " + hash + ", events_per_s: many}]",
        "tokens: [{tenant: a, sha256: " + hash + ", event_per_s: 1}]",
        "tokens: [{tenant: a, sha256: " + hash + ", metrics: some}]",
        "tokens: [{tenant: a, sha256: " + hash + ", metrics: [all]}]",
        "tokens: [{tenant: a, sha256: " + hash + "}, {tenant: b, sha256: " + hash + "}]",
        std::string("tokens: [{tenant: a"), std::string("tokens: {a: [}")}) {
    const auto parsed = Tokens::parse(bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.error().id, "MR-API-0032") << bad;
  }
  const auto missing = Tokens::load("/nonexistent/tokens.yaml");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().id, "MR-API-0031");
  const auto two = Tokens::parse("tokens:\n" + entry("a", "x", ", events_per_s: 5") +
                                 entry("a", "y", ", events_per_s: 7"));
  ASSERT_TRUE(two.ok());
  EXPECT_EQ((*two)->tenants().at("a").events_per_s, 7);
  EXPECT_EQ((*two)->caller_of("y")->tenant, "a");
  EXPECT_FALSE((*two)->caller_of("y")->all_metrics);
  EXPECT_EQ((*two)->caller_of(""), nullptr);
}

TEST(HttpTargetTest, Authorities) {
  std::string_view host, port;
  ASSERT_TRUE(split_authority("[::1]:80", host, port));
  EXPECT_EQ(host, "::1");
  EXPECT_EQ(port, "80");
  ASSERT_TRUE(split_authority("a.b", host, port));
  EXPECT_EQ(host, "a.b");
  EXPECT_EQ(port, "");
  EXPECT_FALSE(split_authority("[::1]x", host, port));
  EXPECT_FALSE(split_authority(":80", host, port));
  EXPECT_FALSE(split_authority("a:8:0", host, port));
}

TEST(HttpTargetTest, Parts) {
  const auto target = parse_target("/v1/a%20b/?x=1%262&&y&z=a+b");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "a b", ""}));
  EXPECT_EQ(*target->parameter("x"), "1&2");
  EXPECT_EQ(*target->parameter("y"), "");
  EXPECT_EQ(*target->parameter("z"), "a+b");  // RFC 3986: a plus is a plus
  EXPECT_EQ(target->parameter("w"), nullptr);
}

}  // namespace
}  // namespace millrace::gateway
