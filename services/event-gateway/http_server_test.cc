// Framing, order, limits and time-outs, over real sockets.
#include "event-gateway/http_testing.h"

namespace millrace::gateway {
namespace {

using testing::accepted;
using testing::HttpTest;
using Duration = HttpOptions::Duration;

constexpr const char* kEvent = R"({"id":"x"})";

class HttpServerTest : public HttpTest {
 protected:
  // A request that is refused, and after which the connection is closed.
  void expect_refused(const std::string& request, int status) {
    auto c = client();
    c.send(request);
    EXPECT_EQ(c.answer().status, status) << request.substr(0, 300);
    EXPECT_TRUE(c.receive_end()) << request.substr(0, 300);
    EXPECT_EQ(c.got, "") << "something was answered behind the refusal";
  }
};

TEST_F(HttpServerTest, AnswersAPost) {
  start();
  auto c = client();
  const auto answer = c.call(post(kEvent, "Idempotency-Key: k1\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            "{\"accepted\":1,\"rejected\":[],\"offsets\":[],\"cursor\":\"7-0\",\"durability\":\"disk\"}\n");
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  EXPECT_EQ(answer.fields.count("date"), 1u);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].stream, "quakes");
  EXPECT_EQ(seen[0].body, kEvent);
  EXPECT_EQ(seen[0].key, "k1");
  EXPECT_EQ(seen[0].tenant, TenantId(1));
  EXPECT_EQ(c.call(post(kEvent)).status, 200);
  EXPECT_EQ(seen[1].key, "");  // nothing is left of the request before
}

TEST_F(HttpServerTest, SmallRoutes) {
  start();
  auto c = client();
  EXPECT_NE(c.call(get("/")).body.find("/v1/sql"), std::string::npos);
  EXPECT_EQ(c.call(get("/livez")).status, 200);
  EXPECT_EQ(c.call(get("/readyz")).status, 200);
  ready = error(Code::kUnavailable, "MR-TEST-0002", "still catching up");
  const auto answer = c.call(get("/readyz"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("still catching up"), std::string::npos);
  EXPECT_EQ(answer.fields.count("retry-after"), 1u);
  EXPECT_NE(c.call(get("/metrics")).body.find("millrace_http_requests_total{class=\"5xx\"} 1"),
            std::string::npos);
  c.send("HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(c.receive_text("\r\n\r\n"));
  EXPECT_TRUE(c.got.ends_with("\r\n\r\n")) << c.got;
}

TEST_F(HttpServerTest, PipelinedAnswersKeepTheirOrder) {
  answer_at_once = nullptr;
  start();
  auto c = client();
  std::string all;
  for (int i = 0; i < 10; ++i) all += post("{\"id\":\"" + std::to_string(i) + "\"}");
  c.send(all + get("/livez"));
  ASSERT_TRUE(wait_seen(10));
  for (int i = 9; i >= 0; --i) seen[i].done(accepted(static_cast<size_t>(100 + i)));  // the last first
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(c.answer().body.find("\"accepted\":" + std::to_string(100 + i) + ","), std::string::npos);
  }
  EXPECT_EQ(c.answer().body, "live\n");
}

TEST_F(HttpServerTest, RequestsInFlightAreBounded) {
  answer_at_once = nullptr;
  options.max_in_flight = 4;
  start();
  auto c = client();
  std::string all;
  for (int i = 0; i < 20; ++i) all += post(kEvent);
  c.send(all);
  turn(50);
  EXPECT_EQ(seen.size(), 4u);
  seen[0].done(accepted(1));
  turn(20);
  EXPECT_EQ(seen.size(), 5u);
  for (size_t i = 1; i < 20; ++i) {
    ASSERT_TRUE(wait_seen(i + 1));
    seen[i].done(accepted(1));
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(c.answer().status, 200);
}

TEST_F(HttpServerTest, BytesOneByOne) {
  start();
  auto c = client();
  const std::string chunked =
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n4;x=\"y\"\r\n{\"id\r\n006\r\n\":\"x\"}\r\n0\r\nX-Trailer: 1\r\n\r\n";
  for (int round = 0; round < 2; ++round) {
    for (const char byte : post(kEvent) + chunked) {
      ASSERT_TRUE(c.send({&byte, 1}));
      loop.poll();
    }
    EXPECT_EQ(c.answer().status, 200);
    EXPECT_EQ(c.answer().status, 200);
  }
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].body, kEvent);
  EXPECT_EQ(seen[1].body, kEvent);
  EXPECT_EQ(seen[1].format, IngestRequest::Format::kJson);
}

// The end of a body without chunks is shorter than any other's.
TEST_F(HttpServerTest, ABodyOfNoChunksInPieces) {
  start();
  const std::string request =
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (size_t last = 1; last <= 5; ++last) {
    auto c = client();
    c.send(request.substr(0, request.size() - last));
    turn(2);
    for (const char byte : request.substr(request.size() - last)) {
      c.send({&byte, 1});
      loop.poll();
    }
    EXPECT_EQ(c.answer().status, 200) << last;
  }
  ASSERT_EQ(seen.size(), 5u);
  EXPECT_EQ(seen[0].body, "");
}

TEST_F(HttpServerTest, LargeBodies) {
  start();
  auto c = client();
  std::string body;
  for (int i = 0; i < 200'000; ++i) body += "{\"id\":\"" + std::to_string(i) + "\"}\n";
  EXPECT_EQ(c.call(post(body)).status, 200);
  std::string chunks =
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < body.size(); at += 70'000) {
    const std::string piece = body.substr(at, 70'000);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    chunks += size + piece + "\r\n";
  }
  EXPECT_EQ(c.call(chunks + "0\r\n\r\n").status, 200);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen[0].body == body);
  EXPECT_TRUE(seen[1].body == body);
  EXPECT_NE(server->metrics().find("millrace_http_arriving_bytes 0\n"), std::string::npos);
}

TEST_F(HttpServerTest, ConflictingFramingIsRefused) {
  start();
  const std::string head =
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n";
  const std::string rest = "\r\n5\r\nhello\r\n0\r\n\r\n";
  const std::vector<std::string> fields = {
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length: +5\r\n",
      "Content-Length: -5\r\n",
      "Content-Length: 0x5\r\n",
      "Content-Length: 5 5\r\n",
      "Content-Length: \r\n",
      "Content-Length: 99999999999999999999999\r\n",
      "Content-Length : 5\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding: gzip, chunked\r\n",
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
      "Transfer-Encoding:\x0b"
      "chunked\r\n",
      "X: a\rb\r\n",
      "X: a\nContent-Length: 5\r\n",
      std::string("X: a\0b\r\n", 8),
      "\tX: a\r\n",
      ": a\r\n",
      "X a\r\n",
  };
  for (const auto& field : fields) expect_refused(head + field + rest, 400);
  expect_refused("POST /v1/sql HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  for (const char* size : {"g", "-1", "+5", "0x5", "5 5", " 5", "", "11111111111111111", "5\n",
                           "5;a=\"\x01\"", "5;a=\"\n\"", "5;a=\"\x7F\"", "5;a=\"", "5;a=\"b\\\""}) {
    expect_refused(head + "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\nhello\r\n0\r\n\r\n", 400);
  }
  expect_refused(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", 400);
  EXPECT_TRUE(seen.empty());
  EXPECT_NE(server->metrics().find("millrace_http_bad_framing_total 4"), std::string::npos);
}

TEST_F(HttpServerTest, WhatMayComeOnceIsRefusedTwice) {
  start();
  for (const char* name :
       {"Content-Type", "Authorization", "Origin", "Expect", "Idempotency-Key", "Last-Event-ID"}) {
    for (const char* first : {"", " a"}) {
      auto c = client();
      const auto answer = c.call(post(kEvent, std::string(name) + ":" + first + "\r\n" + name + ": a\r\n"));
      EXPECT_EQ(answer.status, 400) << name;
      EXPECT_NE(answer.body.find("MR-API-0007"), std::string::npos) << name;
    }
  }
  EXPECT_TRUE(seen.empty());
}

TEST_F(HttpServerTest, AnEmptyIdempotencyKeyIsNone) {
  start();
  auto c = client();
  const auto answer = c.call(post(kEvent, "Idempotency-Key: \r\n"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("MR-ING-0004"), std::string::npos);
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(c.call(get("/livez", "Idempotency-Key: \r\n")).status, 200);
  EXPECT_EQ(c.call(post(kEvent)).status, 200);  // nothing is remembered of the request before
}

TEST_F(HttpServerTest, UnknownCodingsAreRefused) {
  start();
  auto c = client();
  for (const char* encoding : {"br", "identity, gzip", "gzip, zstd", "x"}) {
    const auto answer = c.call(post(kEvent, "Content-Encoding: " + std::string(encoding) + "\r\n"));
    EXPECT_EQ(answer.status, 415) << encoding;
    EXPECT_NE(answer.body.find("MR-API-0023"), std::string::npos) << encoding;
    EXPECT_EQ(answer.fields.at("accept-encoding"), "gzip, deflate, zstd");
  }
  EXPECT_EQ(c.call(statement("SELECT 1", "Content-Encoding: br\r\n")).status, 415);
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(c.call(post(kEvent, "Content-Encoding: Identity\r\n")).status, 200);
  EXPECT_EQ(c.call(post(kEvent)).status, 200);
}

TEST_F(HttpServerTest, BadStartLinesAreRefused) {
  start();
  for (const char* line : {"GET  / HTTP/1.1", "GET / HTTP/1.1 ", "G@T / HTTP/1.1", " GET / HTTP/1.1", "GET /",
                           "\r\n\r\nGET / HTTP/1.1"}) {
    expect_refused(std::string(line) + "\r\nHost: localhost\r\n\r\n",
                   std::string_view(line) == "GET / HTTP/1.1 " ? 505 : 400);
  }
  expect_refused("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505);
  expect_refused("GET / HTTP/0.9\r\nHost: localhost\r\n\r\n", 505);
  auto c = client();
  EXPECT_EQ(c.call("\r\n" + get("/livez")).status, 200);  // one line break in front is forgiven
  auto slow = client();                                   // two are not, however they come
  slow.send("\r\n");
  turn(2);
  EXPECT_EQ(slow.call("\r\n" + get("/livez")).status, 400);
}

TEST_F(HttpServerTest, LimitsOfSizes) {
  options.max_body_bytes = 1'000;
  start();
  expect_refused(post(std::string(1'001, ' ')), 413);
  expect_refused(
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n200\r\n" +
          std::string(0x200, ' ') + "\r\n200\r\n" + std::string(0x200, ' ') + "\r\n",
      413);
  expect_refused(get("/", "X: " + std::string(17'000, 'x') + "\r\n"), 431);
  expect_refused("GET /" + std::string(20'000, 'x'), 431);
  std::string many;
  for (int i = 0; i < 3'000; ++i) many += "X: y\r\n";
  expect_refused(get("/", many), 431);
  auto slow = client();  // field by field the parser forgets what it has seen; the bound must not
  slow.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 300 && !slow.closed; ++i) {
    std::string some;
    for (int n = 0; n < 20; ++n) some += "X: y\r\n";
    slow.send(some);
    loop.poll();
  }
  EXPECT_EQ(slow.answer().status, 431);
  EXPECT_TRUE(seen.empty());
  auto c = client();
  EXPECT_EQ(c.call(post(std::string(1'000, ' '))).status, 200);
  EXPECT_EQ(c.call(get("/", "X: " + std::string(15'000, 'x') + "\r\n")).status, 200);
}

// Its bytes are read to where the body is kept: that must stay while a read is under way.
TEST_F(HttpServerTest, ABodyThatIsGivenUpMayGoOnComing) {
  options.body_timeout = Duration(50);
  start();
  const std::string head =
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 4000000\r\n\r\n";
  auto slow = client();
  slow.send(head + std::string(300'000, ' '));
  turn(1'300);  // time-outs are looked at now and then
  slow.send(std::string(300'000, ' '), 200);
  turn(20);
  EXPECT_EQ(slow.answer().status, 408);
  auto stopped = client();
  stopped.send(head + std::string(300'000, ' '));
  server->drain();
  stopped.send(std::string(300'000, ' '), 200);
  turn(20);
  EXPECT_EQ(stopped.answer().status, 503);
  EXPECT_TRUE(seen.empty());
}

TEST_F(HttpServerTest, RoutesAndMethods) {
  start();
  auto c = client();
  EXPECT_EQ(c.call(get("/nothing")).status, 404);
  EXPECT_EQ(c.call(get("/v1/streams/quakes/")).status, 404);
  EXPECT_EQ(c.call(get("/v1/streams//events")).status, 404);
  const auto answer = c.call("DELETE /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.fields.at("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(answer.fields.at("content-type"), "application/problem+json");
  EXPECT_NE(answer.body.find("\"code\":\"MR-API-0005\""), std::string::npos);
  EXPECT_EQ(c.call(get("/v1/sql")).fields.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(c.call(post("x", "", "/livez")).status, 405);
  // A refused request's small body is read over: the connection goes on.
  EXPECT_EQ(c.call("POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: "
                   "8\r\n\r\nSELECT 1")
                .status,
            415);
  EXPECT_EQ(c.call("POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nSELECT 1").status,
            415);
  EXPECT_EQ(c.call("POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                   "text/plain\r\nContent-Length: 2\r\n\r\n{}")
                .status,
            415);
  EXPECT_EQ(c.call(get("/livez")).status, 200);
  EXPECT_TRUE(seen.empty());
}

TEST_F(HttpServerTest, Targets) {
  start();
  auto c = client();
  const auto status = [&](const std::string& name) {
    return c.call(post(kEvent, "", "/v1/streams/" + name + "/events")).status;
  };
  EXPECT_EQ(status("qu%61kes"), 200);
  EXPECT_EQ(seen.back().stream, "quakes");
  EXPECT_EQ(status("gr%C3%BC%C3%9Fe%20%F0%9F%98%80"), 200);
  EXPECT_EQ(seen.back().stream, "grüße 😀");
  EXPECT_EQ(status("a%2Fb"), 200);
  EXPECT_EQ(seen.back().stream, "a/b");  // a name, not a path
  const size_t before = seen.size();
  for (const char* bad : {"%00", "%0A", "%7F", "%", "%4", "%zz", "%C0%AF", "%E0%80%AF", "%ED%A0%80",
                          "%F4%90%80%80", "%F0%80%80%AF", "%FF", "%C3", "..", "%2E%2E", "."}) {
    EXPECT_EQ(status(bad), 400) << bad;
  }
  EXPECT_EQ(seen.size(), before);
  EXPECT_EQ(c.call("GET http://localhost:99/livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
  EXPECT_EQ(c.call("GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
  EXPECT_EQ(c.call("GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 421);
  EXPECT_EQ(c.call("GET * HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
  EXPECT_EQ(c.call("GET /livez#x HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
}

TEST_F(HttpServerTest, IngestAnswersHaveTheirStatus) {
  start();
  auto c = client();
  const auto with = [&](Code code, const char* id) {
    answer_at_once = [=](const IngestRequest&) -> Result<IngestAnswer> { return error(code, id, "no"); };
    return c.call(post(kEvent));
  };
  EXPECT_EQ(with(Code::kNotFound, "MR-API-0018").status, 404);
  EXPECT_EQ(with(Code::kConflict, "MR-ING-0007").status, 422);
  EXPECT_EQ(with(Code::kConflict, "MR-X-1").status, 409);
  EXPECT_EQ(with(Code::kGone, "MR-X-1").status, 410);
  EXPECT_EQ(with(Code::kInternal, "MR-X-1").status, 500);
  auto busy = with(Code::kExhausted, "MR-ING-0008");
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.fields.at("retry-after"), "3");  // 2.3 s, rounded up
  auto full = with(Code::kExhausted, "MR-LOG-0004");
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(full.fields.count("retry-after"), 1u);
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    IngestAnswer a;
    a.rejected.push_back({0, error(Code::kInvalid, "MR-EVT-0001", "not \"JSON\"")});
    return a;
  };
  const auto rejected = c.call(post(kEvent));
  EXPECT_EQ(rejected.status, 400);
  EXPECT_NE(rejected.body.find(R"("rejected":[{"index":0,"code":"MR-EVT-0001","message":"not \"JSON\""}])"),
            std::string::npos);
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> { return IngestAnswer(); };
  EXPECT_NE(c.call(post("\n")).body.find("MR-API-0012"), std::string::npos);
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    IngestAnswer a = accepted(1);
    a.replayed = true;
    return a;
  };
  EXPECT_EQ(c.call(post(kEvent)).fields.at("idempotency-replayed"), "true");
}

TEST_F(HttpServerTest, Continue) {
  start();
  auto c = client();
  const std::string request = post(kEvent, "Expect: 100-continue\r\n");
  const std::string head = request.substr(0, request.size() - std::string_view(kEvent).size());
  c.send(head);
  ASSERT_TRUE(c.receive_text("\r\n\r\n"));
  EXPECT_EQ(c.got, "HTTP/1.1 100 Continue\r\n\r\n");
  c.got.clear();
  EXPECT_EQ(c.call(kEvent).status, 200);
  EXPECT_EQ(c.call(request).status, 200);  // all at once: nothing to encourage
  expect_refused(post(kEvent, "Expect: miracles\r\n"), 417);
  // A refusal comes instead of the encouragement.
  auto refused = client();
  EXPECT_EQ(
      refused
          .call(
              "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n")
          .status,
      415);
  EXPECT_TRUE(refused.receive_end());
}

TEST_F(HttpServerTest, Closing) {
  start();
  expect_refused(get("/livez", "Connection: close\r\n"), 200);
  expect_refused("GET /livez HTTP/1.0\r\n\r\n", 200);
  auto old = client();
  EXPECT_EQ(old.call("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").status, 200);
  EXPECT_EQ(old.call("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").status, 200);
  // What stands behind a request that ends the connection is not done.
  auto c = client();
  c.send(get("/livez", "Connection: close\r\n") + post(kEvent));
  EXPECT_EQ(c.answer().status, 200);
  EXPECT_TRUE(c.receive_end());
  EXPECT_TRUE(seen.empty());
  // A client that has finished sending still gets its answers.
  answer_at_once = nullptr;
  auto half = client();
  half.send(post(kEvent) + post(kEvent));
  half.half_close();
  ASSERT_TRUE(wait_seen(2));
  turn(20);
  seen[0].done(accepted(1));
  seen[1].done(accepted(2));
  EXPECT_EQ(half.answer().status, 200);
  EXPECT_EQ(half.answer().status, 200);
  EXPECT_TRUE(half.receive_end());
}

TEST_F(HttpServerTest, AnswersForClientsThatHaveGone) {
  answer_at_once = nullptr;
  start();
  {
    auto c = client();
    c.send(post(kEvent));
    ASSERT_TRUE(wait_seen(1));
  }
  turn(20);
  seen[0].done(accepted(1));
  turn(20);
  EXPECT_TRUE(server->idle());
  auto c = client();
  c.send(post(kEvent));
  ASSERT_TRUE(wait_seen(2));
  server.reset();
  seen[1].done(accepted(1));  // nobody is there any more
  EXPECT_TRUE(c.receive_end());
}

TEST_F(HttpServerTest, SlowWriters) {
  options.header_timeout = options.body_timeout = Duration(80);
  options.idle_timeout = Duration(400);
  start();
  auto head = client();
  head.send("GET / HT");
  EXPECT_EQ(head.answer().status, 408);
  EXPECT_TRUE(head.receive_end());
  auto dripping = client();  // progress does not buy a header more time
  for (int i = 0; i < 100 && !dripping.closed; ++i) {
    if (!dripping.send(i == 0 ? "GET / HTTP/1.1\r\nX: " : "y")) break;
    turn(5);
  }
  EXPECT_EQ(dripping.answer().status, 408);
  auto body = client();
  body.send(post(kEvent).substr(0, post(kEvent).size() - 1));
  EXPECT_EQ(body.answer().status, 408);
  EXPECT_TRUE(body.receive_end());
  auto idle = client();
  const auto from = testing::Clock::now();
  EXPECT_TRUE(idle.receive_end());
  EXPECT_GE(testing::Clock::now() - from, Duration(300));
  EXPECT_EQ(idle.got, "");
  auto waiting = client();  // the server's own time is not the client's
  answer_at_once = nullptr;
  waiting.send(post(kEvent));
  turn(600);
  ASSERT_EQ(seen.size(), 1u);
  seen[0].done(accepted(1));
  EXPECT_EQ(waiting.answer().status, 200);
}

TEST_F(HttpServerTest, TooManyConnections) {
  options.max_connections = 2;
  start();
  auto b = client();
  EXPECT_EQ(b.call(get("/livez")).status, 200);
  {
    auto a = client();
    EXPECT_EQ(a.call(get("/livez")).status, 200);
    auto c = client();
    EXPECT_EQ(c.answer().status, 503);
    EXPECT_TRUE(c.receive_end());
    EXPECT_EQ(a.call(get("/livez", "Connection: close\r\n")).status, 200);
    EXPECT_TRUE(a.receive_end());
  }
  turn(20);
  auto d = client();
  EXPECT_EQ(d.call(get("/livez")).status, 200);
}

TEST_F(HttpServerTest, BodiesThatArriveAreBounded) {
  options.max_arriving_bytes = 100'000;
  start();
  auto a = client();
  a.send(
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: 90000\r\n\r\n" +
      std::string(80'000, ' '));
  turn(30);
  auto b = client();
  b.send(
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: 90000\r\n\r\n" +
      std::string(30'000, ' '));
  EXPECT_EQ(b.answer().status, 503);
  EXPECT_EQ(a.call(std::string(10'000, ' ')).status, 200);
  EXPECT_NE(server->metrics().find("millrace_http_arriving_bytes 0\n"), std::string::npos);
}

TEST_F(HttpServerTest, StopAnswersWhatIsInFlight) {
  answer_at_once = nullptr;
  start();
  auto busy = client();
  busy.send(post(kEvent));
  ASSERT_TRUE(wait_seen(1));
  auto arriving = client();
  arriving.send(post(kEvent).substr(0, post(kEvent).size() - 3));
  auto idle = client();
  turn(20);
  server->stop();
  EXPECT_FALSE(server->idle());
  EXPECT_TRUE(idle.receive_end());
  const auto elsewhere = arriving.answer();
  EXPECT_EQ(elsewhere.status, 503);
  EXPECT_EQ(elsewhere.fields.at("retry-after"), "1");
  EXPECT_NE(elsewhere.body.find("MR-NODE-0014"), std::string::npos);
  busy.send(post(kEvent));
  turn(20);
  EXPECT_EQ(seen.size(), 1u);
  seen[0].done(accepted(1));
  const auto answer = busy.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_TRUE(busy.receive_end());
  turn(1'300);
  EXPECT_TRUE(server->idle());
}

TEST_F(HttpServerTest, NewConnectionsHearWhyNothingIsTaken) {
  backend.open = [] { return stopping(); };
  backend.ready = [] { return stopping(); };
  start();
  auto kept = client();
  turn(20);
  server->drain();
  EXPECT_TRUE(kept.receive_end());
  auto late = client();
  late.send(post(kEvent));
  const auto refused = late.answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.fields.at("retry-after"), "1");
  EXPECT_EQ(refused.fields.at("connection"), "close");
  EXPECT_TRUE(late.receive_end());
  auto probe = client();
  probe.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n");
  const auto why = probe.answer();
  EXPECT_EQ(why.status, 503);
  EXPECT_EQ(why.body, "not ready: MR-NODE-0014: the node is stopping: it takes nothing new in\n");
  auto alive = client();
  alive.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(alive.answer().status, 200);
  EXPECT_TRUE(seen.empty());
}

// A browser gives up on a 503, and comes back when a stream ends.
TEST_F(HttpServerTest, AnEventStreamIsToldToComeBackWhileTheNodeIsNotThere) {
  backend.open = [] { return stopping(); };
  start();
  auto browser = client();
  browser.send("GET /v1/streams/s/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
  const auto answer = browser.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(answer.body, "retry: 2000\n\n");
}

TEST_F(HttpServerTest, StopDoesNotWaitForEver) {
  answer_at_once = nullptr;
  options.drain_timeout = Duration(50);
  options.heartbeat = Duration(40);
  start();
  auto c = client();
  c.send(post(kEvent));
  ASSERT_TRUE(wait_seen(1));
  server->stop();
  EXPECT_TRUE(c.receive_end());
  EXPECT_TRUE(server->idle());
}

TEST_F(HttpServerTest, SecondServerOnThePort) {
  start();
  HttpOptions same = options;
  same.port = port;
  HttpServer second(loop, same, backend);
  const auto listening = second.listen();
  ASSERT_FALSE(listening.ok());
  EXPECT_EQ(listening.error().id, "MR-API-0033");
}

}  // namespace
}  // namespace millrace::gateway
