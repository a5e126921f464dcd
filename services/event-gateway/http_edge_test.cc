// What every answer has: a request's id, and what browsers want to know; OPTIONS and HEAD.
#include <string>

#include "event-gateway/http_cors.h"
#include "event-gateway/http_testing.h"
#include "event-gateway/request_ids.h"

namespace millrace::gateway {
namespace {

using testing::Client;
using testing::HttpAnswerSeen;
using testing::HttpTest;

class HttpEdgeTest : public HttpTest {
 protected:
  static std::string with_method(const std::string& method, const std::string& target,
                                 const std::string& fields = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
  }
  static std::string origin(const std::string& of) { return "Origin: " + of + "\r\n"; }
  static bool has(const HttpAnswerSeen& answer, const char* field) { return answer.fields.contains(field); }
};

TEST_F(HttpEdgeTest, EveryAnswerHasItsRequestsId) {
  start();
  auto c = client();
  EXPECT_EQ(c.call(get("/livez", "X-Request-Id: order-7/a\r\n")).fields["x-request-id"], "order-7/a");
  const std::string made = c.call(get("/livez")).fields["x-request-id"];
  EXPECT_TRUE(is_request_id(made)) << made;
  EXPECT_NE(c.call(get("/livez")).fields["x-request-id"], made);
  auto missing = c.call(get("/nothing", "X-Request-Id: m\r\n"));
  EXPECT_EQ(missing.fields["x-request-id"], "m");
  EXPECT_NE(missing.body.find(R"(,"request_id":"m"})"), std::string::npos) << missing.body;
  EXPECT_EQ(missing.fields["content-length"], std::to_string(missing.body.size()));
  auto bad = c.call("not HTTP\r\n\r\n");
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.body.find("\"request_id\":\"" + bad.fields["x-request-id"] + "\"}"), std::string::npos);
}

TEST_F(HttpEdgeTest, OddIdsAreReplaced) {
  start();
  auto c = client();
  EXPECT_EQ(c.call(get("/livez", "X-Request-Id: " + std::string(128, 'x') + "\r\n")).fields["x-request-id"],
            std::string(128, 'x'));
  for (const std::string& odd : {std::string(129, 'x'), std::string(), std::string("two words"),
                                 std::string("\xC3\xA9"), std::string("a\tb")}) {
    const auto answer = c.call(get("/livez", "X-Request-Id: " + odd + "\r\n"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.fields.at("x-request-id"), odd);
    EXPECT_TRUE(is_request_id(answer.fields.at("x-request-id")));
  }
  EXPECT_EQ(c.call(get("/livez", "X-Request-Id: a\r\nX-Request-Id: b\r\n")).status, 400);
}

TEST_F(HttpEdgeTest, AFailureOfTheServerIsLoggedWithIt) {
  std::vector<std::string> logged;
  backend.log_failure = [&](std::string_view problem) { logged.emplace_back(problem); };
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    return error(Code::kCorrupt, "MR-TEST-0009", "damaged");
  };
  start();
  auto c = client();
  EXPECT_EQ(c.call(post("{}", "X-Request-Id: r1\r\n")).status, 500);
  EXPECT_EQ(c.call(get("/nothing")).status, 404);
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_NE(logged[0].find("MR-TEST-0009"), std::string::npos);
  EXPECT_NE(logged[0].find(R"("request_id":"r1")"), std::string::npos);
}

TEST_F(HttpEdgeTest, WithoutAnOriginThatMayThereIsNoCors) {
  start();
  auto c = client();
  const auto plain = c.call(get("/livez", origin("http://localhost")));
  EXPECT_EQ(plain.status, 200);
  EXPECT_FALSE(has(plain, "access-control-allow-origin") || has(plain, "vary"));
  const auto foreign = c.call(get("/livez", origin("https://app.example.com")));
  EXPECT_EQ(foreign.status, 403);
  EXPECT_FALSE(has(foreign, "access-control-allow-origin"));
  EXPECT_EQ(c.call(with_method("OPTIONS", "/v1/sql", origin("https://app.example.com"))).status, 403);
}

TEST_F(HttpEdgeTest, PagesOfNamedOriginsMayCall) {
  options.cors_origins = {"https://app.example.com", "http://other:3000"};
  start();
  auto c = client();
  auto answer = c.call(get("/v1/streams/quakes/events", origin("https://app.example.com")));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields["access-control-allow-origin"], "https://app.example.com");
  EXPECT_EQ(answer.fields["vary"], "Origin");
  EXPECT_NE(answer.fields["access-control-expose-headers"].find("Millrace-Cursor"), std::string::npos);
  EXPECT_FALSE(has(answer, "access-control-allow-credentials"));
  // A problem can be read, too.
  EXPECT_EQ(c.call(get("/nothing", origin("http://other:3000"))).fields["access-control-allow-origin"],
            "http://other:3000");
  EXPECT_EQ(c.call(get("/livez")).fields["vary"], "Origin");
  for (const char* wrong : {"https://app.example.com.evil", "http://app.example.com",
                            "https://app.example.com:443", "null", "https://APP.example.com", "*", ""}) {
    const auto refused = c.call(get("/livez", origin(wrong)));
    EXPECT_EQ(refused.status, 403) << wrong;
    EXPECT_FALSE(has(refused, "access-control-allow-origin")) << wrong;
  }
}

TEST_F(HttpEdgeTest, PreflightsNeedNoToken) {
  const auto tokens = Tokens::parse(
      "tokens:\n  - {tenant: a, sha256: 1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0}\n");
  ASSERT_TRUE(tokens.ok());
  backend.tokens = tokens->get();
  options.cors_origins = {"*"};
  start();
  auto c = client();
  auto answer = c.call(with_method("OPTIONS", "/v1/streams/of_a/events",
                                   origin("https://any.example") +
                                       "Access-Control-Request-Method: POST\r\n"
                                       "Access-Control-Request-Headers: authorization,ce-id\r\n"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.fields["access-control-allow-origin"], "*");
  EXPECT_EQ(answer.fields["access-control-allow-methods"], "GET, HEAD, POST, OPTIONS");
  EXPECT_NE(answer.fields["access-control-allow-headers"].find("Authorization"), std::string::npos);
  EXPECT_FALSE(has(answer, "access-control-allow-credentials") || has(answer, "vary"));
  EXPECT_EQ(c.call(get("/v1/streams/of_a/events", origin("https://any.example"))).status, 401);
}

TEST_F(HttpEdgeTest, OptionsSaysWhatAPathTakes) {
  start();
  auto c = client();
  for (const auto& [target, methods] : std::vector<std::pair<std::string, std::string>>{
           {"/", "GET, HEAD, OPTIONS"},
           {"/metrics", "GET, HEAD, OPTIONS"},
           {"/v1/sql", "POST, OPTIONS"},
           {"/v1/ws", "GET, OPTIONS"},
           {"/v1/streams/quakes/events", "GET, HEAD, POST, OPTIONS"},
           {"/v1/streams/quakes", "GET, HEAD, DELETE, OPTIONS"},
           {"*", "GET, HEAD, POST, PUT, DELETE, OPTIONS"}}) {
    const auto answer = c.call(with_method("OPTIONS", target));
    EXPECT_EQ(answer.status, 204) << target;
    EXPECT_EQ(answer.fields.at("allow"), methods) << target;
    EXPECT_FALSE(has(answer, "content-length") || has(answer, "access-control-allow-methods"));
  }
  EXPECT_EQ(c.call(with_method("OPTIONS", "/nothing")).status, 404);
  EXPECT_EQ(c.call(with_method("DELETE", "/v1/sql")).fields["allow"], "POST, OPTIONS");
  c.send(with_method("HEAD", "/v1/ws"));
  ASSERT_TRUE(c.receive_text("\r\n\r\n"));
  EXPECT_TRUE(c.got.starts_with("HTTP/1.1 405 "));
}

TEST_F(HttpEdgeTest, HeadOfAStreamsEventsIsItsHead) {
  streams.events = {"{\"n\":0}", "{\"n\":1}"};
  start();
  auto c = client();
  const auto whole = c.call(get("/v1/streams/quakes/events"));
  for (const char* fields : {"", "Accept: text/event-stream\r\n"}) {
    c.send(with_method("HEAD", "/v1/streams/quakes/events", fields));
    ASSERT_TRUE(c.receive_text("\r\n\r\n"));
    EXPECT_TRUE(c.got.starts_with("HTTP/1.1 200 OK"));
    EXPECT_TRUE(c.got.ends_with("\r\n\r\n"));
    if (*fields == 0) {
      EXPECT_NE(c.got.find("Millrace-Cursor: " + whole.fields.at("millrace-cursor")), std::string::npos);
      EXPECT_NE(c.got.find("Content-Length: " + whole.fields.at("content-length")), std::string::npos);
    }
    c.got.clear();
  }
  EXPECT_EQ(c.call(get("/livez")).body, "live\n");
  EXPECT_NE(server->metrics().find("millrace_http_subscriptions 0\n"), std::string::npos);
}

TEST_F(HttpEdgeTest, ManyOriginsAreTooMany) {
  options.cors_origins = {"*"};
  start();
  std::string origins;
  for (int i = 0; i < 10'000; ++i) origins += "Origin: http://a\r\n";
  auto c = client();
  EXPECT_EQ(c.call(get("/livez", origins)).status, 431);
  auto two = client();
  EXPECT_EQ(two.call(get("/livez", origin("http://a") + origin("http://a"))).status, 400);
}

TEST(Cors, OriginsAsBrowsersSendThem) {
  for (const char* good : {"*", "https://app.example.com", "http://localhost:3000", "http://[::1]:80"})
    EXPECT_EQ(check_cors_origin(good), "") << good;
  for (const char* bad :
       {"", "app.example.com", "https://", "https://app.example.com/", "https://App.example.com",
        "https://*.example.com", "null", "ftp://a", "https://a b", "https://a\r\nX: y", "**"})
    EXPECT_NE(check_cors_origin(bad), "") << bad;
}

}  // namespace
}  // namespace millrace::gateway
