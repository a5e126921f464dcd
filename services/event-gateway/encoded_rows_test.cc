// Rows as Avro and Protobuf, by WebSocket and as a file.
#include <gmock/gmock.h>

#include "event-gateway/http_testing.h"
#include "event-gateway/websocket_testing.h"

namespace millrace::gateway {
namespace {

using testing::Client;
using ::testing::HasSubstr;
using testing::HttpTest;
using ::testing::StartsWith;
using testing::take_ws_frame;
using testing::ws_text;
using testing::WsFrameSeen;

class EncodedRowsTest : public HttpTest {
 protected:
  EncodedRowsTest() {
    const auto derived = [&](uint32_t id, const std::string& name, const std::string& options) {
      define(id, 1, metadata::DefinitionKind::kDerivedStream, name,
             "CREATE STREAM " + name + options + " AS SELECT id, n, ARRAY[n] AS many FROM quakes");
    };
    derived(7, "avro", " WITH (schema = 'a', schema_version = 3, schema_id = 258, format = 'avro')");
    derived(8, "proto", " WITH (schema = 'p', schema_version = 1, schema_id = 7, format = 'protobuf')");
    derived(9, "plain", "");
  }
  static void open(Client& one) {
    one.send(
        get("/v1/ws",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
            "dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    EXPECT_EQ(one.answer().status, 101);
  }
  WsFrameSeen next(Client& client) {
    std::optional<WsFrameSeen> frame;
    client.receive([&] { return (frame = take_ws_frame(client.got)).has_value(); });
    return frame.value_or(WsFrameSeen{0, "none"});
  }
  std::string told(Client& client, std::string_view message) {
    client.send(ws_text(message));
    return next(client).payload;
  }
  // A text that says how many rows come, and those; all that have come after so many rows.
  std::string rows(Client& client, size_t count) {
    std::string out;
    for (size_t seen = 0; seen < count;) {
      const auto frame = next(client);
      if (frame.first == 0) return out + "none";
      seen += frame.first == 0x82 ? 1 : 0;
      out += frame.payload + "\n";
    }
    return out;
  }
};

TEST_F(EncodedRowsTest, ComeBehindTheWordOfThem) {
  streams.events = {R"({"id":"a","n":1,"many":[1]})", R"({"_op":"delete","id":"b"})"};
  start();
  auto one = client();
  open(one);
  EXPECT_EQ(
      told(one, R"({"subscribe":"avro","id":1,"from":"start","limit":2,"encoding":"binary"})"),
      R"({"subscribed":1,"encoding":"avro","schema":{"subject":"a","version":3,"id":258},"cursor":"10-0"})");
  const std::string head("\0\0\0\x01\x02", 5);
  const std::string first = head +
                            std::string(
                                "\x02\x02"
                                "a"
                                "\x02\x02\x02\x02\x02\x02\0",
                                10) +
                            "\n";
  const std::string second = head +
                             std::string(
                                 "\x02\x02"
                                 "b"
                                 "\0\0",
                                 5) +
                             "\n";
  const std::string got = rows(one, 2);
  EXPECT_THAT(got, StartsWith(R"({"subscription":1,"rows":)"));
  EXPECT_THAT(got, HasSubstr(first));
  EXPECT_THAT(got, HasSubstr(second));
  EXPECT_THAT(got, HasSubstr(R"("delete"])"));
  EXPECT_EQ(next(one).payload, R"({"unsubscribed":1,"cursor":"12-0"})");

  told(one, R"({"subscribe":"proto","id":2,"from":"start","limit":1,"encoding":"binary"})");
  EXPECT_EQ(rows(one, 1), "{\"subscription\":2,\"rows\":1,\"cursor\":\"11-0\"}\n" +
                              std::string("\0\0\0\0\x07\0\n\x01"
                                          "a"
                                          "\x10\x01\x1A\x01\x01",
                                          14) +
                              "\n");
}

TEST_F(EncodedRowsTest, EndInFrontOfARowThatHasNoForm) {
  streams.events = {R"({"id":"a"})", R"({"id":"b","many":[null]})", R"({"id":"c"})"};
  start();
  auto one = client();
  open(one);
  told(one, R"({"subscribe":"proto","id":1,"from":"start","encoding":"binary"})");
  EXPECT_THAT(rows(one, 1), HasSubstr(R"("cursor":"11-0"})"));
  const std::string last = next(one).payload;
  EXPECT_THAT(last, StartsWith(R"({"unsubscribed":1,"cursor":"11-0","error":{)"));
  EXPECT_THAT(last, HasSubstr("MR-PROTO-0014"));
}

TEST_F(EncodedRowsTest, AreThereOnlyWhereTheyWereAskedForAtTheStart) {
  start();
  auto one = client();
  open(one);
  for (const char* refused : {R"({"subscribe":"plain","id":1,"encoding":"binary"})",
                              R"({"subscribe":"quakes","id":1,"encoding":"binary"})",
                              R"({"subscribe":"avro","id":1,"encoding":"avro"})",
                              R"({"subscribe":"avro","id":1,"encoding":"binary","numbers":"string"})"})
    EXPECT_THAT(told(one, refused), HasSubstr("MR-API-0011")) << refused;
  EXPECT_THAT(told(one, R"({"subscribe":"nobody","id":1,"encoding":"binary"})"), HasSubstr("MR-API-0018"));
  EXPECT_THAT(told(one, R"({"publish":"quakes","id":1,"events":[{}],"encoding":"binary"})"),
              HasSubstr("MR-API-0026"));
  EXPECT_THAT(told(one, R"({"subscribe":"avro","id":1,"encoding":"json"})"),
              StartsWith(R"({"subscribed":1,"cursor")"));
}

TEST_F(EncodedRowsTest, OfASelectAreAFile) {
  size_t asked = 0;
  sql = [&](TenantId, const std::string&, const SqlService::Each& each, const SqlService::Done& done) {
    ++asked;
    StatementResult result;
    result.tag = "SELECT";
    result.columns = {{.name = "n", .type = Type::kBigint}};
    result.rows.set_schema(result.columns);
    for (int64_t n = 0; n < 100'000; ++n) result.rows.columns[0].integers.push_back(n);
    result.rows.rows = 100'000;
    each(std::move(result));
    done({});
  };
  start();
  auto one = client();
  const std::string avro = "Accept: application/vnd.apache.avro\r\n";
  const auto answer = one.call(statement("SELECT n FROM quakes", avro));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-type"), "application/vnd.apache.avro");
  EXPECT_THAT(answer.body, StartsWith("Obj\x01"));
  EXPECT_GT(answer.body.size(), 300'000u);
  for (const char* text : {"SELECT 1; SELECT 2", "SUBSCRIBE TO quakes", "DROP STREAM quakes", "SHOW STREAMS"})
    EXPECT_THAT(one.call(statement(text, avro)).body, HasSubstr("MR-API-0047")) << text;
  EXPECT_THAT(one.call(statement("SELEC 1", avro)).body, HasSubstr("MR-SQL-0001"));
  EXPECT_EQ(asked, 1u);
}

}  // namespace
}  // namespace millrace::gateway
