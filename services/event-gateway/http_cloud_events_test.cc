// CloudEvents over HTTP: modes in, forms out.
#include "event-gateway/http_testing.h"

namespace millrace::gateway {
namespace {

using testing::HttpTest;
using Format = IngestRequest::Format;

class HttpCloudEventsTest : public HttpTest {
 protected:
  static std::string call(const std::string& body, const std::string& fields,
                          const std::string& stream = "orders") {
    return "POST /v1/streams/" + stream +
           "/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           fields + "\r\n" + body;
  }
  // What the gateway gets of it.
  std::string made_of(const std::string& body, const std::string& fields) {
    auto c = client();
    EXPECT_EQ(c.call(call(body, fields)).status, 200);
    return seen.back().body;
  }
};

const std::string kHead = "ce-specversion: 1.0\r\nCE-Id: 1\r\nce-source: /s\r\nce-type: t\r\n";
const std::string kAttributes = R"({"specversion":"1.0","id":"1","source":"/s","type":"t")";

TEST_F(HttpCloudEventsTest, Binary) {
  start();
  EXPECT_EQ(made_of(R"({"a":1})", kHead + "Content-Type: application/json\r\n"),
            kAttributes + R"(,"datacontenttype":"application/json","data":{"a":1}})");
  EXPECT_EQ(seen.back().format, Format::kCloudEvent);
  EXPECT_EQ(made_of("", kHead), kAttributes + "}");
  EXPECT_EQ(made_of("hi", kHead + "Content-Type: text/plain\r\n"),
            kAttributes + R"(,"datacontenttype":"text/plain","data":"hi"})");
  EXPECT_EQ(made_of("", kHead + "ce-subject: Euro%20%E2%82%AC %F0%9f%98%80%25\r\nce-n: 7\r\n"),
            kAttributes + ",\"subject\":\"Euro \u20ac \U0001F600%\",\"n\":7}");
  EXPECT_EQ(made_of("", kHead + "ce-subject: \"a \\\"b\\\\c\"\r\n"),
            kAttributes + R"(,"subject":"a \"b\\c"})");
  EXPECT_EQ(made_of("", kHead + "ce-subject: 50% %2 %2525\r\n"), kAttributes + R"(,"subject":"50% %2 %25"})");
}

TEST_F(HttpCloudEventsTest, RefusedBinary) {
  start();
  auto c = client();
  const std::string json = "Content-Type: application/json\r\n";
  EXPECT_NE(c.call(call(R"(1,"id":2)", kHead + json)).body.find("MR-CE-0006"), std::string::npos);
  EXPECT_NE(c.call(call("{}", kHead + json + "ce-data: 1\r\n")).body.find("MR-CE-0003"), std::string::npos);
  EXPECT_NE(c.call(call("{}", kHead + json + "ce-a-b: 1\r\n")).body.find("MR-CE-0003"), std::string::npos);
  EXPECT_NE(c.call(call("{}", kHead + json + "ce-ID: 2\r\n")).body.find("MR-API-0007"), std::string::npos);
  EXPECT_EQ(c.call(call("x", "ce-id: 1\r\nContent-Type: image/png\r\n")).status, 415);
  EXPECT_TRUE(seen.empty());
}

// A stream without attributes is for the gateway to refuse; a header alone makes no CloudEvent.
TEST_F(HttpCloudEventsTest, PlainStreams) {
  start();
  auto c = client();
  c.call(call("{}", kHead + "Content-Type: application/json\r\n", "quakes"));
  EXPECT_EQ(seen.back().format, Format::kCloudEvent);
  EXPECT_EQ(seen.back().body, "{}");
  c.call(call("{}", "ce-id: 1\r\nContent-Type: application/json\r\n", "quakes"));
  EXPECT_EQ(seen.back().format, Format::kJson);
}

TEST_F(HttpCloudEventsTest, StructuredAndBatched) {
  start();
  EXPECT_EQ(made_of("{}", "Content-Type: application/cloudevents+json; charset=utf-8\r\n" + kHead), "{}");
  EXPECT_EQ(seen.back().format, Format::kCloudEvent);
  EXPECT_EQ(made_of("[{}]", "Content-Type: application/cloudevents-batch+json\r\n"), "[{}]");
  EXPECT_EQ(seen.back().format, Format::kCloudEventBatch);
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> { return testing::accepted(0); };
  EXPECT_EQ(made_of("[]", "Content-Type: application/cloudevents-batch+json\r\n"), "[]");
  auto c = client();
  EXPECT_EQ(c.call(call("<a/>", "Content-Type: application/cloudevents+xml\r\n")).status, 415);
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    IngestAnswer answer;
    answer.duplicates = 1;
    return answer;
  };
  EXPECT_EQ(c.call(call("{}", "Content-Type: application/cloudevents+json\r\n")).status, 200);
}

TEST_F(HttpCloudEventsTest, Answers) {
  streams.events = {R"({"id":"a"})", "{\"id\":\n\"b\"}"};
  start();
  auto c = client();
  const std::string batch = "Accept: application/cloudevents-batch+json\r\n";
  const std::string one = "Accept: text/html, application/cloudevents+json\r\n";
  auto answer = c.call(get("/v1/streams/orders/events", batch));
  EXPECT_EQ(answer.body, "[{\"id\":\"a\"},{\"id\": \"b\"}]");
  EXPECT_EQ(answer.fields.at("content-type"), "application/cloudevents-batch+json");
  EXPECT_EQ(answer.fields.at("millrace-cursor"), "12-0");
  EXPECT_EQ(c.call(get("/v1/streams/orders/events?from=end", batch)).body, "[]");
  answer = c.call(get("/v1/streams/orders/events", one));
  EXPECT_EQ(answer.body, R"({"id":"a"})");
  EXPECT_EQ(answer.fields.at("content-type"), "application/cloudevents+json");
  EXPECT_EQ(answer.fields.at("millrace-cursor"), "11-0");
  answer = c.call(get("/v1/streams/orders/events?from=end", one));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.fields.count("content-length"), 0u);
  EXPECT_EQ(answer.fields.at("millrace-cursor"), "12-0");
  EXPECT_EQ(c.call(get("/v1/streams/orders/events?limit=2", one)).status, 400);
  EXPECT_EQ(c.call(get("/v1/streams/orders/events?limit=10001", batch)).status, 400);
}

TEST_F(HttpCloudEventsTest, AnyStreamCanBeReadAsCloudEvents) {
  streams.events = {R"({"n":9007199254740993})"};
  start();
  auto c = client();
  const std::string head =
      R"({"specversion":"1.0","id":"0-0","source":"/v1/streams/quakes","type":"millrace.event",)"
      R"("time":"1970-01-01T00:00:00Z","datacontenttype":"application/json","data":)";
  const std::string one = "Accept: application/cloudevents+json\r\n";
  EXPECT_EQ(c.call(get("/v1/streams/quakes/events", one)).body, head + R"({"n":9007199254740993}})");
  EXPECT_EQ(c.call(get("/v1/streams/quakes/events?numbers=string", one)).body,
            head + R"({"n":"9007199254740993"}})");
}

}  // namespace
}  // namespace millrace::gateway
