// Reading streams, live and by the page, and SQL.
#include "event-gateway/http_testing.h"

namespace millrace::gateway {
namespace {

using testing::FakeStreams;
using testing::HttpTest;
using Duration = HttpOptions::Duration;

const std::string kLive = "Accept: text/event-stream\r\n";
const std::string kEvents = "/v1/streams/quakes/events";

class HttpEventsTest : public HttpTest {
 protected:
  void fill(size_t count) {
    for (size_t i = 0; i < count; ++i) streams.events.push_back("{\"n\":" + std::to_string(i) + "}");
  }
  std::string lines(size_t from, size_t to) const {
    std::string out;
    for (size_t i = from; i < to; ++i) out += streams.events[i] + "\n";
    return out;
  }
};

TEST_F(HttpEventsTest, Pages) {
  fill(25);
  start();
  auto c = client();
  auto page = c.call(get(kEvents + "?limit=10"));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.fields.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(page.body, lines(0, 10));
  EXPECT_EQ(page.fields.at("millrace-cursor"), "20-0");
  page = c.call(get(kEvents + "?from=20-0"));
  EXPECT_EQ(page.body, lines(10, 25));
  EXPECT_EQ(page.fields.at("millrace-cursor"), "35-0");
  page = c.call(get(kEvents + "?from=35-0"));
  EXPECT_EQ(page.body, "");
  EXPECT_EQ(page.fields.at("millrace-cursor"), "35-0");
  EXPECT_EQ(c.call(get(kEvents + "?from=end")).body, "");
  EXPECT_EQ(c.call(get(kEvents + "?from=start")).body, lines(0, 25));
  EXPECT_EQ(c.call(get(kEvents + "?partition=1&from=7&limit=2")).body, lines(7, 9));
  EXPECT_EQ(streams.requests.back().partition, PartitionId(1));
  c.call(get(kEvents + "?from=2024-05-01T12:00:00%2B02:00"));
  ASSERT_TRUE(streams.requests.back().time.has_value());
  EXPECT_EQ(streams.requests.back().time->value, 1'714'557'600'000'000);
}

TEST_F(HttpEventsTest, OriginalBytesOnOneLine) {
  streams.events = {"{ \"n\" :\t1 }", "{\r\n  \"n\": 2\n}"};
  start();
  auto c = client();
  EXPECT_EQ(c.call(get(kEvents)).body, "{ \"n\" :\t1 }\n{    \"n\": 2 }\n");
}

TEST_F(HttpEventsTest, ManyPagesAreStreamed) {
  fill(35'000);
  start();
  auto c = client();
  auto all = c.call(get(kEvents + "?limit=1000000"));
  EXPECT_EQ(all.fields.at("transfer-encoding"), "chunked");
  EXPECT_EQ(all.fields.at("trailer"), "Millrace-Cursor");
  EXPECT_TRUE(all.body == lines(0, 35'000));
  EXPECT_EQ(all.fields.at("trailer:Millrace-Cursor"), "35010-0");
  all = c.call(get(kEvents + "?limit=12345"));
  EXPECT_TRUE(all.body == lines(0, 12'345));
  EXPECT_EQ(all.fields.at("trailer:Millrace-Cursor"), "12355-0");
  EXPECT_EQ(c.call(get("/livez")).status, 200);
  auto old = client();  // HTTP/1.0: to the end of the connection
  old.send("GET " + kEvents + "?limit=20000 HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.receive_end());
  EXPECT_TRUE(old.got.ends_with("\r\n\r\n" + lines(0, 20'000)));
}

TEST_F(HttpEventsTest, ARefusalOfManyPagesHasItsStatus) {
  fill(25'000);
  start();
  auto c = client();
  streams.failure = error(Code::kInvalid, "MR-EVS-0004", "the cursor is ahead of the log");
  const auto refused = c.call(get(kEvents + "?from=999-0&limit=20000"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.fields.at("content-type"), "application/problem+json");
  streams.failure.reset();
  streams.fail_read = streams.requests.size() + 2;  // the second page of the next answer
  const auto cut_short = c.call(get(kEvents + "?limit=20000"));
  EXPECT_EQ(cut_short.status, 200);
  EXPECT_TRUE(cut_short.body.starts_with(lines(0, 10'000) + "{\"error\":{"));
  EXPECT_EQ(cut_short.fields.at("trailer:Millrace-Cursor"), "10010-0");
  EXPECT_EQ(c.call(get("/livez")).status, 200);
}

TEST_F(HttpEventsTest, NumbersAsStrings) {
  fill(2);
  streams.events[1] = R"({"id":9007199254740993,"of":[-1,2.5e3,"3"],"a":"\\\"7"})";
  start();
  auto c = client();
  const std::string quoted = R"({"id":"9007199254740993","of":["-1","2.5e3","3"],"a":"\\\"7"})";
  EXPECT_EQ(c.call(get(kEvents + "?partition=1&from=1&numbers=string")).body, quoted + "\n");
  EXPECT_TRUE(c.call(get(kEvents + "?limit=20000&numbers=string")).body.ends_with(quoted + "\n"));
  EXPECT_EQ(c.call(get(kEvents + "?numbers=number")).body, lines(0, 2));
  EXPECT_EQ(c.call(get(kEvents + "?numbers=words")).status, 400);
}

TEST_F(HttpEventsTest, BadQuestions) {
  start();
  auto c = client();
  for (const char* query : {"limit=0", "limit=-1", "limit=x", "limit=99999999999999999999", "from=12",
                            "from=1-", "from=x", "from=2024-13-01T00:00:00Z", "partition=2", "partition=-1",
                            "partition=65536", "form=start", "limit=1&limit=2", "from=%00", "from=1-2-3"}) {
    EXPECT_EQ(c.call(get(kEvents + "?" + query)).status, 400) << query;
  }
  EXPECT_EQ(c.call(get("/v1/streams/nothing/events")).status, 404);
  EXPECT_NE(c.call(get("/v1/streams/Quakes/events")).body.find("did you mean \\\"quakes\\\"?"),
            std::string::npos);
  EXPECT_EQ(c.call(get("/v1/streams/of_b/events")).body.find("of_a"), std::string::npos);  // another tenant's
  EXPECT_TRUE(streams.requests.empty());
  streams.failure = error(Code::kGone, "MR-TEST-0003", "that is gone");
  EXPECT_EQ(c.call(get(kEvents + "?from=1-0")).status, 410);
  EXPECT_EQ(c.call(get("/livez")).status, 200);
}

TEST_F(HttpEventsTest, LiveEventsAndResume) {
  fill(3);
  start();
  std::string last;
  {
    auto c = client();
    c.send(get(kEvents + "?from=start", kLive));
    ASSERT_TRUE(c.receive_text("id: 13-0\ndata: {\"n\":2}\n\n"));
    EXPECT_NE(c.got.find("Content-Type: text/event-stream"), std::string::npos);
    EXPECT_NE(c.got.find("id: 11-0\ndata: {\"n\":0}\n\n"), std::string::npos);
    streams.add("{\"n\":3}");
    ASSERT_TRUE(c.receive_text("id: 14-0\ndata: {\"n\":3}\n\n"));
    EXPECT_NE(server->metrics().find("millrace_http_subscriptions 1\n"), std::string::npos);
    last = "14-0";
  }
  turn(20);
  EXPECT_TRUE(streams.live.empty());  // the client went, and so did its place
  EXPECT_NE(server->metrics().find("millrace_http_subscriptions 0\n"), std::string::npos);
  streams.add("{\"n\":4}");
  auto c = client();
  c.send(get(kEvents + "?from=start", kLive + "Last-Event-ID: " + last + "\r\n"));
  ASSERT_TRUE(c.receive_text("data: {\"n\":4}\n\n"));
  streams.add("{\"n\":5}");
  ASSERT_TRUE(c.receive_text("data: {\"n\":5}\n\n"));
  EXPECT_EQ(c.got.find("{\"n\":3}"), std::string::npos);
  EXPECT_EQ(c.got.find("{\"n\":4}"), c.got.rfind("{\"n\":4}"));
}

TEST_F(HttpEventsTest, LiveStartsAtTheEndAndStopsAtItsLimit) {
  fill(3);
  start();
  auto c = client();
  c.send(get(kEvents + "?limit=2", kLive));
  ASSERT_TRUE(c.receive_text("retry:"));
  streams.add("{\"n\":3}");
  streams.add("{\"n\":4}");
  streams.add("{\"n\":5}");
  const auto answer = c.answer();
  EXPECT_EQ(answer.body,
            "retry: 500\nid: 13-0\nevent: begin\ndata:\n\nid: 14-0\ndata: {\"n\":3}\n\nid: 15-0\ndata: "
            "{\"n\":4}\n\n");
  turn(10);
  EXPECT_TRUE(streams.live.empty());
  EXPECT_EQ(c.call(get("/livez")).status, 200);
}

// Who follows from the end and is cut off before an event comes has a place to come back to; in a block with data,
// as Firefox wants it.
TEST_F(HttpEventsTest, LiveSaysWhereItBegan) {
  fill(3);
  start();
  {
    auto c = client();
    c.send(get(kEvents, kLive));
    ASSERT_TRUE(c.receive_text("retry: 500\nid: 13-0\nevent: begin\ndata:\n\n"));
  }
  turn(10);
  streams.add("{\"n\":3}");
  auto c = client();
  c.send(get(kEvents, kLive + "Last-Event-ID: 13-0\r\n"));
  EXPECT_TRUE(c.receive_text("data: {\"n\":3}\n\n"));
  auto by_time = client();  // its place is known to the reads only
  by_time.send(get(kEvents + "?from=2024-01-01T00:00:00Z", kLive));
  EXPECT_TRUE(by_time.receive_text("retry: 500\n\n"));
}

TEST_F(HttpEventsTest, LiveErrorsEndTheStream) {
  start();
  auto c = client();
  c.send(get(kEvents, kLive));
  ASSERT_TRUE(c.receive_text("retry:"));
  streams.failure = error(Code::kGone, "MR-TEST-0003", "that is gone");
  streams.add("{}");
  const auto answer = c.answer();
  EXPECT_NE(answer.body.find("event: error\ndata: {\"error\":{"), std::string::npos);
  EXPECT_NE(answer.body.find("\"code\":\"MR-TEST-0003\""), std::string::npos);
  EXPECT_EQ(c.call(get("/livez")).status, 200);
}

TEST_F(HttpEventsTest, Heartbeats) {
  options.heartbeat = Duration(40);
  start();
  auto c = client();
  c.send(get(kEvents, kLive));
  ASSERT_TRUE(c.receive_text(":\n\n"));
  c.got.clear();
  EXPECT_TRUE(c.receive_text(":\n\n"));
}

TEST_F(HttpEventsTest, ASlowReaderCostsItsPlaceOnly) {
  options.write_timeout = Duration(150);
  const std::string event = "{\"text\":\"" + std::string(4'000, 'x') + "\"}";
  for (int i = 0; i < 20'000; ++i) streams.events.push_back(event);
  start();
  auto c = client(4'096);
  c.send(get(kEvents + "?from=start", kLive));
  turn(60);
  const size_t pulled = streams.pulled;
  EXPECT_LT(pulled, 5'000u);  // what the kernel takes, not all there is
  turn(40);
  EXPECT_LE(streams.pulled, pulled + 300);
  auto other = client();
  EXPECT_EQ(other.call(get("/livez")).status, 200);
  turn(500);
  EXPECT_TRUE(streams.live.empty()) << "a client that reads nothing is let go";
  EXPECT_NE(server->metrics().find("millrace_http_timeouts_total 1\n"), std::string::npos);
}

TEST_F(HttpEventsTest, AnUnreadAnswerStopsTheRequests) {
  std::string large(900'000, 'x');
  streams.events.push_back("{\"a\":\"" + large + "\"}");
  options.write_timeout = Duration(200);
  start();
  auto c = client(4'096);
  for (int i = 0; i < 60; ++i) c.send(get(kEvents + "?limit=1"));
  turn(60);
  EXPECT_LT(streams.requests.size(), 20u);
  turn(600);
  EXPECT_TRUE(server->idle());
}

TEST_F(HttpEventsTest, StopEndsLiveStreams) {
  start();
  auto c = client();
  c.send(get(kEvents, kLive));
  ASSERT_TRUE(c.receive_text("retry:"));
  server->stop();
  EXPECT_TRUE(c.receive_end());
  EXPECT_TRUE(c.got.ends_with("retry: 2000\n\n\r\n0\r\n\r\n"));
  EXPECT_TRUE(streams.live.empty());
}

// ---- SQL

class HttpSqlTest : public HttpTest {
 protected:
  static StatementResult command(const char* tag) {
    StatementResult result;
    result.tag = tag;
    return result;
  }
  static StatementResult numbers(int64_t count) {
    StatementResult result;
    result.tag = "SELECT";
    result.columns = {{"n", Type::kBigint}, {"at", Type::kTimestamptz}};
    result.rows.set_schema(result.columns);
    for (int64_t i = 0; i < count; ++i) {
      result.rows.columns[0].append(Scalar(i));
      result.rows.columns[1].append(Scalar(Timestamp{i * 1'000'000}));
    }
    result.rows.rows = static_cast<size_t>(count);
    return result;
  }
  void answers(std::vector<std::function<StatementResult()>> results, Status end = {}) {
    sql = [=, this](TenantId tenant, std::string text, SqlService::Each each, SqlService::Done done) {
      tenants.push_back(tenant);
      texts.push_back(std::move(text));
      for (const auto& result : results) each(result());
      done(end);
    };
  }
  std::vector<TenantId> tenants;
  std::vector<std::string> texts;
};

TEST_F(HttpSqlTest, RowsAndCommands) {
  answers({[] { return command("CREATE STREAM"); }, [] { return numbers(2); }});
  start();
  auto c = client();
  const auto answer = c.call(statement("CREATE …; SELECT 1"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(answer.body,
            "{\"status\":\"CREATE STREAM\"}\n{\"n\":0,\"at\":\"1970-01-01T00:00:00Z\"}\n"
            "{\"n\":1,\"at\":\"1970-01-01T00:00:01Z\"}\n");
  EXPECT_EQ(texts[0], "CREATE …; SELECT 1");
  answers({[] { return numbers(0); }});
  EXPECT_EQ(c.call(statement("SELECT")).body, "");
}

TEST_F(HttpSqlTest, NumbersAsStrings) {
  answers({[] { return command("CREATE STREAM"); }, [] { return numbers(2); }});
  start();
  auto c = client();
  std::string asked = statement("CREATE …; SELECT 1");
  const auto with = [&](const char* query) {
    std::string request = asked;
    return c.call(request.insert(std::string_view("POST /v1/sql").size(), query));
  };
  EXPECT_EQ(with("?numbers=string").body,
            "{\"status\":\"CREATE STREAM\"}\n{\"n\":\"0\",\"at\":\"1970-01-01T00:00:00Z\"}\n"
            "{\"n\":\"1\",\"at\":\"1970-01-01T00:00:01Z\"}\n");
  EXPECT_EQ(with("?numbers=text").status, 400);
  EXPECT_EQ(texts.size(), 1u);
}

// A few bytes each that would become a thousand digits.
TEST_F(HttpSqlTest, ExponentsAreBounded) {
  answers({[] { return numbers(1); }});
  start();
  auto c = client();
  const auto with = [&](const std::string& body) {
    return c.call(
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  std::string exponents = "0";
  for (int i = 0; i <= 1'000; ++i) exponents += ",1e999";
  const auto many = with(R"({"sql":"SELECT $1","parameters":[)" + exponents + "]}");
  EXPECT_EQ(many.status, 400);
  EXPECT_NE(many.body.find("more than 1000 numbers have an exponent"), std::string::npos) << many.body;
  EXPECT_EQ(with(R"({"sql":"SELECT $1","parameters":["\"1e9,)" + exponents + R"("]})").status, 200);
}

TEST_F(HttpSqlTest, Parameters) {
  answers({[] { return numbers(1); }});
  start();
  auto c = client();
  const auto with = [&](const std::string& body) {
    return c.call(
        "POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  const std::string values =
      R"([1.50, "a'\u00e9", true, null, [1, "x\"\\", null, [true]], {"b": [1]}, [], 9007199254740993])";
  EXPECT_EQ(with(R"({"parameters":)" + values + R"(,"sql":"SELECT $1"})").status, 200);
  EXPECT_EQ(texts.back(), "SELECT $1");
  EXPECT_EQ(parameters, (sql::Parameters{"1.5", "a'é", "true", std::nullopt, R"({1,"x\"\\",NULL,{true}})",
                                         R"({"b": [1]})", "{}", "9007199254740993"}));
  EXPECT_EQ(with(R"({"sql":"SELECT 1"})").status, 200);
  EXPECT_TRUE(parameters.empty());
  const size_t asked = texts.size();
  for (const char* body :
       {"", "SELECT 1", "[]", "{}", R"({"sql":1})", R"({"sql":""})", R"({"sql":"SELECT 1","params":[]})",
        R"({"sql":"SELECT 1","parameters":{}})", R"({"sql":"SELECT 1","parameters":["\u0000"]})"}) {
    const auto refused = with(body);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_NE(refused.body.find("MR-API-0035"), std::string::npos) << body;
  }
  EXPECT_EQ(texts.size(), asked);
}

TEST_F(HttpSqlTest, ErrorsBeforeAndAfterAnswers) {
  Error wrong = error(Code::kInvalid, "MR-SQL-0012", "there is no column \"x\"", "did you mean \"y\"?");
  wrong.span = SourceSpan{1, 8, 7, 1};
  answers({}, wrong);
  start();
  auto c = client();
  auto answer = c.call(statement("SELECT x"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.fields.at("content-type"), "application/problem+json");
  EXPECT_NE(answer.body.find(R"("code":"MR-SQL-0012")"), std::string::npos);
  EXPECT_NE(answer.body.find(R"("errors":[{"line":1,"column":8,"length":1}])"), std::string::npos);
  answers({[] { return command("CREATE STREAM"); }}, wrong);
  answer = c.call(statement("CREATE …; SELECT x"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.starts_with("{\"status\":\"CREATE STREAM\"}\n{\"error\":{")) << answer.body;
  EXPECT_NE(answer.body.find("MR-SQL-0012"), std::string::npos);
}

TEST_F(HttpSqlTest, RetryAfterOnlyWhereWaitingHelps) {
  start();
  auto c = client();
  const auto with = [&](Code code, const char* id) {
    answers({}, error(code, id, "no"));
    return c.call(statement("SELECT 1"));
  };
  for (const char* id : {"MR-QRY-0003", "MR-STEP-0005", "MR-STEP-0008", "MR-STATE-0007"}) {
    const auto answer = with(Code::kExhausted, id);
    EXPECT_EQ(answer.status, 422) << id;
    EXPECT_EQ(answer.fields.count("retry-after"), 0u) << id;
  }
  const auto elsewhere = with(Code::kUnavailable, "MR-QRY-0001");
  EXPECT_EQ(elsewhere.status, 503);
  EXPECT_EQ(elsewhere.fields.count("retry-after"), 0u);
  for (const char* id : {"MR-QRY-0004", "MR-EVS-0002", "MR-STEP-0024"}) {
    const auto answer = with(Code::kExhausted, id);
    EXPECT_EQ(answer.status, 429) << id;
    EXPECT_EQ(answer.fields.count("retry-after"), 1u) << id;
  }
}

TEST_F(HttpSqlTest, ErrorsMayQuoteAnything) {
  answers({}, error(Code::kInvalid, "MR-SQL-0001", "wrong at \xFF\xC3 \"\n"));
  start();
  auto c = client();
  const auto answer = c.call(statement("\xFF"));
  EXPECT_NE(answer.body.find("wrong at \xEF\xBF\xBD\xEF\xBF\xBD \\\"\\n"), std::string::npos) << answer.body;
}

TEST_F(HttpSqlTest, ManyRowsAreStreamed) {
  answers({[] { return numbers(300'000); }});
  start();
  auto c = client();
  const auto answer = c.call(statement("SELECT"));
  EXPECT_EQ(answer.fields.at("transfer-encoding"), "chunked");
  EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 300'000);
  EXPECT_TRUE(answer.body.ends_with("{\"n\":299999,\"at\":\"1970-01-04T11:19:59Z\"}\n"));
  EXPECT_EQ(c.call(get("/livez")).status, 200);
}

TEST_F(HttpSqlTest, WhatIsThereGoesOutWhileMoreIsMade) {
  SqlService::Each each;
  SqlService::Done done;
  sql = [&](TenantId, std::string, SqlService::Each e, SqlService::Done d) {
    e(command("CREATE STREAM"));
    each = std::move(e);
    done = std::move(d);
  };
  start();
  auto c = client();
  c.send(statement("CREATE …; SELECT 1") + get("/livez"));
  ASSERT_TRUE(c.receive_text("{\"status\":\"CREATE STREAM\"}\n"));
  each(numbers(1));
  ASSERT_TRUE(c.receive_text("{\"n\":0"));
  done(error(Code::kInternal, "MR-TEST-0009", "it broke"));
  const auto answer = c.answer();
  EXPECT_NE(answer.body.find("{\"error\":{"), std::string::npos);
  EXPECT_EQ(c.answer().body, "live\n");
}

TEST_F(HttpSqlTest, SubscriptionsBothWays) {
  streams.events = {"{\"n\":0}"};
  answers({[this] {
    StatementResult result;
    result.tag = "SUBSCRIBE";
    result.subscription = std::make_unique<FakeStreams::Live>(streams, 0);
    return result;
  }});
  start();
  auto lines = client();
  lines.send(statement("SUBSCRIBE TO quakes"));
  ASSERT_TRUE(lines.receive_text("{\"n\":0}\n"));
  EXPECT_NE(lines.got.find("Content-Type: application/x-ndjson"), std::string::npos);
  auto events = client();
  events.send(statement("SUBSCRIBE TO quakes", "Accept: application/json;q=0.5, text/event-stream\r\n"));
  ASSERT_TRUE(events.receive_text("id: 11-0\ndata: {\"n\":0}\n\n"));
  EXPECT_NE(events.got.find("Content-Type: text/event-stream"), std::string::npos);
  streams.add("{\"n\":1}");
  EXPECT_TRUE(lines.receive_text("{\"n\":1}\n"));
  EXPECT_TRUE(events.receive_text("data: {\"n\":1}\n\n"));
  EXPECT_NE(server->metrics().find("millrace_http_subscriptions 2\n"), std::string::npos);
  server.reset();
  EXPECT_TRUE(streams.live.empty());
}

TEST_F(HttpSqlTest, TheFirstHeartbeatComesAfterSilence) {
  options.header_timeout = Duration(20);  // makes the server look often
  answers({[this] {
    StatementResult result;
    result.tag = "SUBSCRIBE";
    result.subscription = std::make_unique<FakeStreams::Live>(streams, 0);
    return result;
  }});
  start();
  auto c = client();
  c.send(statement("SUBSCRIBE TO quakes"));
  ASSERT_TRUE(c.receive_text("\r\n\r\n"));
  EXPECT_FALSE(c.receive_text("\r\n\r\n1\r\n\n", 100));
}

TEST_F(HttpSqlTest, ARequestMayBoundItsTime) {
  answers({[] { return command("SELECT"); }});
  start();
  auto c = client();
  const auto timed = [&](const std::string& value) {
    timeout = Duration(0);
    std::string request = statement("SELECT 1");
    request.replace(request.find("/v1/sql"), 7, "/v1/sql?timeout_ms=" + value);
    return c.call(request);
  };
  EXPECT_EQ(timed("1500").status, 200);
  EXPECT_EQ(timeout, Duration(1500));
  EXPECT_EQ(timed("86400000").status, 200);
  EXPECT_EQ(timeout, Duration(86'400'000));
  for (const char* wrong :
       {"0", "-1", "", "1.5", "1e3", "+1", "5s", "86400001", "99999999999999999999", "%20"}) {
    const auto refused = timed(wrong);
    EXPECT_EQ(refused.status, 400) << wrong;
    EXPECT_NE(refused.body.find("MR-API-0040"), std::string::npos) << wrong;
  }
  EXPECT_EQ(c.call(statement("SELECT 1")).status, 200);
  EXPECT_EQ(timeout, Duration(0));
}

class GoneClientTest : public HttpSqlTest {
 protected:
  // Statements that are never answered, or whose first rows are.
  void begin(bool with_rows) {
    options.header_timeout = Duration(20);  // makes the server look often
    sql = [=, this](TenantId, const std::string&, SqlService::Each each, SqlService::Done done) {
      if (with_rows) each(numbers(1));
      kept.emplace_back(std::move(each), std::move(done));
    };
    start();
  }
  void expect_cancelled(int count) {
    const auto until = testing::Clock::now() + std::chrono::seconds(5);
    while (cancelled < count && testing::Clock::now() < until) turn(1);
    EXPECT_EQ(cancelled, count);
  }
  std::vector<std::pair<SqlService::Each, SqlService::Done>> kept;
};

TEST_F(GoneClientTest, WhoHasClosedIsNotAnsweredAnyMore) {
  begin(false);
  {
    auto c = client();
    c.send(statement("SELECT 1"));
    turn(5);
    EXPECT_EQ(kept.size(), 1u);
  }
  expect_cancelled(1);
  kept[0].second({});  // too late
  EXPECT_TRUE(server->idle());
}

TEST_F(GoneClientTest, OfAnAnswerThatHasBegunToo) {
  begin(true);
  {
    auto c = client();
    c.send(statement("SELECT 1"));
    ASSERT_TRUE(c.receive_text("{\"n\":0"));
  }
  expect_cancelled(1);
}

// Who only ends its side is told that the work goes on, and gets its answer.
TEST_F(GoneClientTest, HalfAConnectionIsNotGone) {
  begin(false);
  auto c = client();
  c.send(statement("SELECT 1"));
  c.half_close();
  turn(1'600);
  EXPECT_EQ(cancelled, 0);
  kept.at(0).first(numbers(1));
  kept.at(0).second({});
  ASSERT_TRUE(c.receive_end());
  EXPECT_TRUE(c.got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")) << c.got;
  EXPECT_NE(c.got.find("HTTP/1.1 200 OK"), std::string::npos);
  EXPECT_NE(c.got.find("{\"n\":0"), std::string::npos);
}

TEST_F(GoneClientTest, NorInTheMiddleOfAnAnswer) {
  begin(true);
  auto c = client();
  c.send(statement("SELECT 1; SELECT 2"));
  ASSERT_TRUE(c.receive_text("{\"n\":0"));
  c.half_close();
  turn(1'200);
  kept.at(0).first(numbers(1));
  kept.at(0).second({});
  ASSERT_TRUE(c.receive_end());
  EXPECT_NE(c.got.find("\r\n1\r\n\n\r\n"), std::string::npos) << c.got;  // an empty line
  EXPECT_TRUE(c.got.ends_with("\r\n0\r\n\r\n"));
  EXPECT_EQ(cancelled, 0);
}

// HTTP/1.0 has no answer in between: it is left to the time-outs.
TEST_F(GoneClientTest, OldClientsAreNotAsked) {
  begin(false);
  auto c = client();
  std::string request = statement("SELECT 1");
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  c.send(request);
  c.half_close();
  turn(1'200);
  EXPECT_FALSE(c.receive_text("100", 1));
  kept.at(0).second({});
  ASSERT_TRUE(c.receive_end());
  EXPECT_TRUE(c.got.starts_with("HTTP/1.0 200 OK")) << c.got;
}

TEST_F(GoneClientTest, AServerThatEndsCancels) {
  begin(false);
  auto c = client();
  c.send(statement("SELECT 1"));
  turn(5);
  server.reset();
  EXPECT_EQ(cancelled, 1);
}

TEST_F(HttpSqlTest, TextsAreBounded) {
  answers({});
  start();
  auto c = client();
  EXPECT_EQ(c.call(statement(std::string((1u << 20) + 1, ' '))).status, 413);
  EXPECT_TRUE(texts.empty());
  EXPECT_EQ(c.call(statement(std::string(1u << 20, ' '))).status, 200);
}

}  // namespace
}  // namespace millrace::gateway
