// WebSocket connections: the handshake, messages, subscriptions, what is refused, how they end.
#include <gmock/gmock.h>

#include "event-gateway/http_testing.h"
#include "event-gateway/websocket_deflate.h"
#include "event-gateway/websocket_frame.h"
#include "event-gateway/websocket_testing.h"

namespace millrace::gateway {
namespace {

using testing::Client;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::HttpAnswerSeen;
using testing::HttpTest;
using ::testing::StartsWith;
using testing::take_ws_frame;
using testing::ws_close;
using testing::ws_frame;
using testing::ws_text;
using testing::WsFrameSeen;

class WebSocketTest : public HttpTest {
 protected:
  static std::string handshake(const std::string& fields = "") {
    return get("/v1/ws",
               "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                   fields);
  }
  // Not Client::answer(): behind a 101 there is no body.
  static HttpAnswerSeen open(Client& client, const std::string& fields = "") {
    client.send(handshake(fields));
    return client.answer();
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
  // The code of the close frame that ends the connection.
  int ended(Client& client) {
    for (auto frame = next(client); frame.first != 0; frame = next(client)) {
      if (!frame.is_close()) continue;
      client.send(ws_frame(0x88, frame.payload));
      EXPECT_TRUE(client.receive_end());
      EXPECT_EQ(client.got, "");
      return frame.close_code();
    }
    return -1;
  }
};

TEST_F(WebSocketTest, Handshake) {
  start();
  auto one = client();
  const auto answer = open(one, "Sec-WebSocket-Protocol: chat, millrace.v1\r\n");
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.fields.at("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.fields.at("sec-websocket-protocol"), "millrace.v1");
  EXPECT_EQ(answer.fields.at("upgrade"), "websocket");
  EXPECT_EQ(answer.fields.at("connection"), "Upgrade");
  for (const char* absent :
       {"content-length", "content-type", "transfer-encoding", "sec-websocket-extensions"})
    EXPECT_EQ(answer.fields.count(absent), 0u) << absent;
  EXPECT_THAT(server->metrics(), HasSubstr("millrace_http_websockets 1\n"));
}

TEST_F(WebSocketTest, HandshakesThatAreNone) {
  start();
  const std::string all = handshake();
  const auto without = [&](const std::string& what, const std::string& instead = "") {
    std::string text = all;
    text.replace(text.find(what), what.size(), instead);
    auto one = client();
    return one.call(text);
  };
  for (const auto& answer :
       {without("Upgrade: WebSocket\r\n"), without("keep-alive, Upgrade", "keep-alive"),
        without("keep-alive, Upgrade", "close, Upgrade"), without("Version: 13", "Version: 8"),
        without("Sec-WebSocket-Version: 13\r\n"),
        without("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ="),
        without("dGhlIHNhbXBsZSBub25jZQ==", "x"),
        without("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25!ZQ=="), without("HTTP/1.1", "HTTP/1.0"),
        without("Upgrade: WebSocket", "Upgrade: h2c")}) {
    EXPECT_EQ(answer.status, 426);
    EXPECT_EQ(answer.fields.at("upgrade"), "websocket");
    EXPECT_EQ(answer.fields.at("sec-websocket-version"), "13");
    EXPECT_THAT(answer.body, HasSubstr("MR-API-0025"));
  }
  EXPECT_EQ(without("GET /v1/ws", "POST /v1/ws").status, 405);
  EXPECT_EQ(without("Host: localhost", "Host: elsewhere.example").status, 421);
  EXPECT_EQ(without("Upgrade: WebSocket\r\n", "Upgrade: WebSocket\r\nOrigin: http://evil.example\r\n").status,
            403);
  EXPECT_EQ(without("Upgrade: WebSocket\r\n", "Upgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n").status, 400);
  EXPECT_EQ(without("Upgrade: WebSocket\r\n", "Upgrade: WebSocket\r\nContent-Length: 3\r\n").status, 426);
}

TEST_F(WebSocketTest, TheTokenSaysWhoseConnectionItIs) {
  const auto tokens = Tokens::parse("tokens: [{tenant: a, sha256: " + token_hash("of-a") + "}]");
  ASSERT_TRUE(tokens.ok());
  backend.tokens = tokens->get();
  start();
  auto nobody = client(), wrong = client(), a = client();
  EXPECT_EQ(open(nobody).status, 401);
  EXPECT_EQ(open(wrong, "Authorization: Bearer of-b\r\n").status, 401);
  ASSERT_EQ(open(a, "Authorization: Bearer of-a\r\n").status, 101);
  EXPECT_THAT(told(a, R"({"publish":"of_a","id":1,"events":[{}]})"), StartsWith(R"({"ack":1,)"));
  EXPECT_EQ(seen.at(0).tenant, TenantId(2));
  EXPECT_THAT(told(a, R"({"subscribe":"quakes","id":2})"), HasSubstr("MR-API-0018"));
  EXPECT_THAT(told(a, R"({"subscribe":"of_a","id":2})"), StartsWith(R"({"subscribed":2,)"));
}

TEST_F(WebSocketTest, AnUpgradeComesBehindTheAnswersBeforeIt) {
  answer_at_once = nullptr;
  start();
  auto one = client();
  one.send(post("{}") + handshake() + ws_text(R"({"ping":1})"));
  ASSERT_TRUE(wait_seen(1));
  turn(20);
  EXPECT_EQ(one.got, "");
  seen[0].done(testing::accepted(1));
  EXPECT_EQ(one.answer().status, 200);
  EXPECT_EQ(one.answer().status, 101);
  EXPECT_EQ(next(one).payload, R"({"pong":1})");
  EXPECT_EQ(told(one, R"({"ping":"two"})"), R"({"pong":"two"})");
}

TEST_F(WebSocketTest, PublishesAreAcknowledgedAsTheyBecomeDurable) {
  answer_at_once = nullptr;
  start();
  auto one = client();
  open(one);
  one.send(ws_text(R"({"publish":"qu\u0061kes","id":"a","events":[{"n":1}, {"n":2}],"key":"k"})") +
           ws_text(R"({ "events" : {"n":3} , "id" : 2.5 , "publish" : "quakes" })"));
  ASSERT_TRUE(wait_seen(2));
  EXPECT_EQ(seen[0].stream, "quakes");
  EXPECT_EQ(seen[0].body, R"([{"n":1}, {"n":2}])");
  EXPECT_EQ(seen[0].key, "k");
  EXPECT_EQ(seen[0].format, IngestRequest::Format::kJson);
  EXPECT_EQ(seen[1].body, R"({"n":3})");
  EXPECT_EQ(seen[1].key, "");
  seen[1].done(testing::accepted(1));
  EXPECT_EQ(next(one).payload,
            R"({"ack":2.5,"accepted":1,"rejected":[],"offsets":[],"cursor":"7-0","durability":"disk"})");
  auto again = testing::accepted(2);
  again.replayed = true;
  seen[0].done(again);
  EXPECT_THAT(next(one).payload, StartsWith(R"({"ack":"a","replayed":true,"accepted":2,)"));
  one.send(ws_text(R"({"publish":"quakes","id":3,"events":[]})"));
  ASSERT_TRUE(wait_seen(3));
  seen[2].done(IngestAnswer());
  EXPECT_THAT(next(one).payload, HasSubstr("MR-API-0012"));
}

TEST_F(WebSocketTest, ValuesOfSerializers) {
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> { return testing::accepted(2); };
  start();
  auto one = client();
  open(one);
  EXPECT_THAT(told(one, R"({"publish":"quakes","id":1,"values":["AAAAAAdh", "\u0041A=="],"key":"k"})"),
              StartsWith(R"({"ack":1,"accepted":2)"));
  EXPECT_EQ(seen[0].format, IngestRequest::Format::kValues);
  EXPECT_EQ(seen[0].body, std::string("\0\0\0\6\0\0\0\0\7a\0\0\0\1\0", 15));
  EXPECT_EQ(seen[0].key, "k");
  for (const char* values :
       {R"("AAAA")", R"(["A"])", R"([1])", R"([["AAAA"]])", R"(["AAAA")", R"(["AAAA"],"events":[{}])"})
    EXPECT_THAT(told(one, R"({"publish":"quakes","id":2,"values":)" + std::string(values) + "}"),
                HasSubstr("\"code\":\"MR-"))
        << values;
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(WebSocketTest, APublishThatTheStreamHasAlreadyIsAcknowledged) {
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    auto answer = testing::accepted(0);
    answer.duplicates = 2;
    return answer;
  };
  start();
  auto one = client();
  open(one);
  EXPECT_THAT(told(one, R"({"publish":"quakes","id":1,"events":[{},{}]})"),
              StartsWith(R"({"ack":1,"accepted":0,"rejected":[],"duplicates":2,)"));
}

TEST_F(WebSocketTest, ARefusedPublishSaysWhenToComeAgain) {
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    return error(Code::kExhausted, "MR-ING-0008", "the quota is used up");
  };
  start();
  auto one = client();
  open(one);
  const std::string answer = told(one, R"({"publish":"quakes","id":1,"events":[{}]})");
  EXPECT_THAT(answer, HasSubstr(R"("code":"MR-ING-0008")"));
  EXPECT_THAT(answer, EndsWith(R"(,"id":1,"retry_after":2.30})"));
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    return error(Code::kConflict, "MR-ING-0007", "another body");
  };
  EXPECT_THAT(told(one, R"({"publish":"quakes","id":1,"events":[{}],"key":"k"})"), EndsWith(R"(},"id":1})"));
  EXPECT_THAT(told(one, R"({"publish":"quakes","id":1,"events":[{}],"key":""})"), HasSubstr("MR-ING-0004"));
}

TEST_F(WebSocketTest, WhatIsNoCommandIsSaidAndTheConnectionGoesOn) {
  start();
  auto one = client();
  open(one);
  const std::string wrong[] = {
      "",
      "x",
      "[]",
      "{}",
      "{\"id\":1}",
      R"({"publish":"quakes"})",
      R"({"publish":"quakes","id":1})",
      R"({"publish":"quakes","events":[{}]})",
      R"({"publish":1,"id":1,"events":[{}]})",
      R"({"publish":"quakes","id":1,"events":[{}],"from":"start"})",
      R"({"publish":"quakes","id":1,"events":[{}],"key":1})",
      R"({"publish":"quakes","id":true,"events":[{}]})",
      R"({"publish":"quakes","id":[1],"events":[{}]})",
      R"({"publish":"quakes","id":1,"id":2,"events":[{}]})",
      R"({"publish":"quakes","subscribe":"quakes","id":1,"events":[]})",
      R"({"subscribe":"quakes"})",
      R"({"subscribe":"quakes","id":1,"events":[]})",
      R"({"subscribe":"quakes","id":1,"from":{}})",
      R"({"subscribe":"quakes","id":01})",
      R"({"unsubscribe":null})",
      R"({"unsubscribe":1,"id":2})",
      R"({"ping":{}})",
      R"({"ping":")" + std::string(80, 'x') + "\"}",
      R"({"ping":1,"x":2})",
      R"({"ping":1)",
      R"({"ping":1}})",
  };
  for (const auto& message : wrong) EXPECT_THAT(told(one, message), HasSubstr("MR-API-0026")) << message;
  EXPECT_THAT(told(one, R"({"id":"mine","publish":"quakes"})"), EndsWith(R"(,"id":"mine"})"));
  EXPECT_EQ(seen.size(), 0u);
  EXPECT_EQ(told(one, R"({"ping":-0.5e3})"), R"({"pong":-0.5e3})");
}

TEST_F(WebSocketTest, SubscribesAndResumes) {
  for (int i = 0; i < 3; ++i) streams.events.push_back(R"({"n":)" + std::to_string(i) + "}");
  start();
  auto one = client();
  open(one);
  EXPECT_EQ(told(one, R"({"subscribe":"quakes","id":1,"from":"11-0"})"),
            R"({"subscribed":1,"cursor":"11-0"})");
  std::string got = next(one).payload;
  EXPECT_THAT(got, StartsWith(R"({"subscription":1,"events":[{"n":1})"));
  if (got.find(R"({"n":2})") == std::string::npos) got = next(one).payload;
  EXPECT_THAT(got, EndsWith(R"({"n":2}],"cursor":"13-0"})"));
  streams.add(R"({"n":3})");
  EXPECT_EQ(next(one).payload, R"({"subscription":1,"events":[{"n":3}],"cursor":"14-0"})");
  EXPECT_EQ(told(one, R"({"unsubscribe":1})"), R"({"unsubscribed":1,"cursor":"14-0"})");
  streams.add(R"({"n":4})");
  EXPECT_THAT(told(one, R"({"unsubscribe":1})"), HasSubstr("MR-API-0029"));
  EXPECT_TRUE(streams.live.empty());

  EXPECT_EQ(told(one, R"({"subscribe":"quakes","id":"live"})"), R"({"subscribed":"live","cursor":"15-0"})");
  EXPECT_EQ(
      told(one, R"({"subscribe":"quakes","id":2,"from":"start","limit":2,"numbers":"string","partition":1})"),
      R"({"subscribed":2,"cursor":"10-0"})");
  EXPECT_EQ(streams.requests.back().partition, PartitionId(1));
  std::string all;
  while (all.find("unsubscribed") == std::string::npos) all += next(one).payload;
  EXPECT_THAT(all, HasSubstr(R"({"n":"0"})"));
  EXPECT_THAT(all, HasSubstr(R"({"n":"1"})"));
  EXPECT_THAT(all, EndsWith(R"({"unsubscribed":2,"cursor":"12-0"})"));
  EXPECT_THAT(server->metrics(), HasSubstr("millrace_http_subscriptions 1\n"));
}

TEST_F(WebSocketTest, SubscriptionsThatAreRefusedOrFail) {
  start();
  auto one = client();
  open(one);
  EXPECT_THAT(told(one, R"({"subscribe":"nobody","id":1})"), HasSubstr("MR-API-0018"));
  EXPECT_THAT(told(one, R"({"subscribe":"quakes","id":1,"from":"x"})"), HasSubstr("MR-API-0010"));
  EXPECT_THAT(told(one, R"({"subscribe":"quakes","id":1,"from":5})"), HasSubstr("MR-API-0011"));
  EXPECT_THAT(told(one, R"({"subscribe":"quakes","id":1})"), HasSubstr("subscribed"));
  EXPECT_THAT(told(one, R"({"subscribe":"quakes","id":1})"), HasSubstr("MR-API-0027"));
  for (size_t i = 2; i <= 64; ++i)
    EXPECT_THAT(told(one, R"({"subscribe":"quakes","id":)" + std::to_string(i) + "}"),
                HasSubstr("subscribed"));
  EXPECT_THAT(told(one, R"({"subscribe":"quakes","id":65})"), HasSubstr("MR-API-0028"));
  for (int i = 2; i <= 64; ++i) told(one, R"({"unsubscribe":)" + std::to_string(i) + "}");
  streams.failure = error(Code::kGone, "MR-EVS-0005", "the stream is dropped");
  streams.add("{}");
  const std::string last = next(one).payload;
  EXPECT_THAT(last, StartsWith(R"({"unsubscribed":1,"cursor":"10-0","error":{)"));
  EXPECT_THAT(last, HasSubstr("MR-EVS-0005"));
  EXPECT_TRUE(streams.live.empty());
  EXPECT_EQ(told(one, R"({"ping":1})"), R"({"pong":1})");
}

TEST_F(WebSocketTest, AMessageOfEventsIsBounded) {
  const std::string large(100'000, 'x');
  for (int i = 0; i < 5; ++i) streams.events.push_back(R"({"n":")" + large + "\"}");
  for (int i = 0; i < 5000; ++i) streams.events.push_back(R"({"n":12345678901234567890})");
  start();
  auto one = client();
  open(one);
  told(one, R"({"subscribe":"quakes","id":1,"from":"start"})");
  size_t events = 0, messages = 0;
  for (; events < 5005 && messages < 100; ++messages) {
    const std::string text = next(one).payload;
    EXPECT_LT(text.size(), 200'000u);
    for (size_t at = text.find("{\"n\":"); at != std::string::npos; at = text.find("{\"n\":", at + 1))
      ++events;
  }
  EXPECT_EQ(events, 5005u);
  EXPECT_LT(messages, 30u);
}

TEST_F(WebSocketTest, ViewsAreSubscribedBySql) {
  metadata::Definition view;
  view.id = metadata::DefinitionId(60);
  view.tenant = TenantId(1);
  view.kind = metadata::DefinitionKind::kView;
  view.name = "per id";
  view.sql = R"(CREATE MATERIALIZED VIEW "per id" AS SELECT id, count(*) AS n FROM quakes GROUP BY id)";
  auto made = catalog->with(view);
  ASSERT_TRUE(made.ok()) << made.error().to_string();
  catalog = *made;
  std::string text;
  std::optional<Error> failure;
  sql = [&](TenantId, const std::string& statement, const SqlService::Each& each,
            const SqlService::Done& done) {
    text = statement;
    if (failure) return done(*failure);
    StatementResult result;
    result.subscription = std::make_unique<testing::FakeStreams::Live>(streams, 0);
    each(std::move(result));
    done({});
  };
  streams.events.push_back(R"({"_op":"upsert","id":"a","n":1})");
  start();
  auto one = client();
  open(one);
  EXPECT_EQ(told(one, R"({"subscribe":"per id","id":1})"), R"({"subscribed":1})");
  EXPECT_EQ(text, R"(SUBSCRIBE TO "per id")");
  EXPECT_THAT(next(one).payload,
              StartsWith(R"({"subscription":1,"events":[{"_op":"upsert","id":"a","n":1}])"));
  EXPECT_THAT(told(one, R"({"subscribe":"per id","id":2,"from":"start"})"), HasSubstr("MR-API-0011"));
  failure = error(Code::kUnavailable, "MR-QRY-0001", "no processor");
  const std::string refused = told(one, R"({"subscribe":"per id","id":3})");
  EXPECT_THAT(refused, HasSubstr("MR-QRY-0001"));
  EXPECT_THAT(refused, EndsWith(R"(,"id":3})"));
}

TEST_F(WebSocketTest, FramesThatBreakTheRulesEndTheConnection) {
  options.max_body_bytes = 1000;
  start();
  const std::pair<std::string, int> cases[] = {
      {ws_frame(0xC1, "x"), 1002},  {std::string("\x81\x01x", 3), 1002},     {ws_text("\xFF"), 1007},
      {ws_frame(0x82, "{}"), 1003}, {ws_text(std::string(1001, 'x')), 1009}, {ws_frame(0x88, "x"), 1002},
  };
  for (const auto& [bytes, code] : cases) {
    auto one = client();
    open(one);
    one.send(bytes);
    EXPECT_EQ(ended(one), code);
  }
  EXPECT_THAT(server->metrics(), HasSubstr("millrace_http_arriving_bytes 0\n"));
}

TEST_F(WebSocketTest, WhoMakesTooMuchArriveIsClosedAndNobodyElse) {
  options.max_arriving_bytes = 1000;
  start();
  auto early = client(), late = client(), other = client();
  for (Client* one : {&early, &late, &other}) open(*one);
  const std::string message =
      R"({"publish":"quakes","id":1,"events":[{}],"key":")" + std::string(800, 'k') + R"("})";
  early.send(ws_frame(0x01, message.substr(0, 800)));
  turn(20);
  late.send(ws_frame(0x01, message.substr(0, 400)));
  EXPECT_EQ(next(late).close_code(), 1013);
  early.send(ws_frame(0x80, message.substr(800)));
  EXPECT_THAT(next(early).payload, StartsWith(R"({"ack":1,)"));
  for (Client* one : {&early, &other}) {
    EXPECT_EQ(told(*one, R"({"ping":1})"), R"({"pong":1})");
    EXPECT_EQ(told(*one, R"({"ping":2})"), R"({"pong":2})");
  }
  EXPECT_THAT(server->metrics(), HasSubstr("millrace_http_arriving_bytes 0\n"));
}

TEST_F(WebSocketTest, ControlFrames) {
  answer_at_once = nullptr;
  start();
  auto one = client();
  open(one);
  const std::string message = R"({"publish":"quakes","id":1,"events":[{}]})";
  one.send(ws_frame(0x01, message.substr(0, 9)) + ws_frame(0x89, "now") + ws_frame(0x80, message.substr(9)));
  const auto pong = next(one);
  EXPECT_EQ(pong.first, 0x8A);
  EXPECT_EQ(pong.payload, "now");
  ASSERT_TRUE(wait_seen(1));
  one.send(ws_close(4321, "bye"));  // answered behind what is in flight
  turn(20);
  EXPECT_EQ(one.got, "");
  seen[0].done(testing::accepted(1));
  EXPECT_THAT(next(one).payload, StartsWith(R"({"ack":1,)"));
  EXPECT_EQ(ended(one), 4321);
  auto other = client();
  open(other);
  other.send(ws_frame(0x88, ""));
  EXPECT_EQ(ended(other), 0);
}

TEST_F(WebSocketTest, PublishesInFlightAreBounded) {
  answer_at_once = nullptr;
  options.max_in_flight = 3;
  start();
  auto one = client();
  open(one);
  std::string all;
  for (int i = 0; i < 10; ++i) all += ws_text(R"({"publish":"quakes","id":1,"events":[{}]})");
  one.send(all);
  ASSERT_TRUE(wait_seen(3));
  turn(20);
  EXPECT_EQ(seen.size(), 3u);
  for (size_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(wait_seen(i + 1));
    seen[i].done(testing::accepted(1));
    EXPECT_THAT(next(one).payload, StartsWith(R"({"ack":1,)"));
  }
}

TEST_F(WebSocketTest, ASilentClientIsPingedAndGivenUp) {
  options.heartbeat = HttpOptions::Duration(400);
  start();
  auto one = client(), half_open = client();
  open(one);
  open(half_open);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(next(one).first, 0x89);
    one.send(ws_frame(0x8A, ""));
  }
  EXPECT_FALSE(one.closed);
  EXPECT_EQ(ended(half_open), 1008);
  EXPECT_THAT(server->metrics(), HasSubstr("millrace_http_timeouts_total 1\n"));
}

// Pings do not keep what has come of a message for ever.
TEST_F(WebSocketTest, AMessageThatStopsArrivingIsGivenUp) {
  options.body_timeout = HttpOptions::Duration(150);
  start();
  auto one = client();
  open(one);
  one.send(ws_frame(0x01, "half a mess"));
  const auto begun = std::chrono::steady_clock::now();
  WsFrameSeen seen_last;
  while (!seen_last.is_close() && std::chrono::steady_clock::now() - begun < std::chrono::seconds(5)) {
    one.send(ws_frame(0x89, "now"));
    turn(30);
    seen_last = next(one);
  }
  EXPECT_EQ(seen_last.close_code(), 1008);
  EXPECT_THAT(server->metrics(), HasSubstr("millrace_http_arriving_bytes 0\n"));
}

TEST_F(WebSocketTest, ASlowSubscriberIsToldAndGoesOnLater) {
  options.write_timeout = HttpOptions::Duration(200);
  options.heartbeat = HttpOptions::Duration(60'000);
  const std::string pad(1000, 'x');
  for (int i = 0; i < 20'000; ++i)
    streams.events.push_back(R"({"n":)" + std::to_string(i) + R"(,"pad":")" + pad + "\"}");
  start();
  std::string cursor;
  size_t events = 0;
  {
    auto slow = client(4096);
    open(slow);
    slow.send(ws_text(R"({"subscribe":"quakes","id":1,"from":"start"})"));
    turn(600);
    EXPECT_LT(streams.pulled, 20'000u) << "what it does not take is not read";
    for (auto frame = next(slow); frame.first != 0; frame = next(slow)) {
      if (frame.is_close()) {
        EXPECT_EQ(frame.close_code(), 1008);
        EXPECT_THAT(frame.payload, HasSubstr("too slow"));
        break;
      }
      const size_t at = frame.payload.rfind("\"cursor\":\"");
      cursor = frame.payload.substr(at + 10, frame.payload.size() - at - 12);
      for (size_t e = frame.payload.find("{\"n\":"); e != std::string::npos;
           e = frame.payload.find("{\"n\":", e + 1))
        ++events;
    }
  }
  auto again = client();
  open(again);
  EXPECT_THAT(told(again, R"({"subscribe":"quakes","id":1,"from":")" + cursor + "\"}"),
              HasSubstr("subscribed"));
  EXPECT_THAT(next(again).payload,
              StartsWith(R"({"subscription":1,"events":[{"n":)" + std::to_string(events) + ","));
}

TEST_F(WebSocketTest, CompressedMessages) {
  streams.events.push_back(R"({"n":")" + std::string(2000, 'x') + "\"}");
  start();
  auto one = client();
  EXPECT_EQ(open(one, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
                .fields.at("sec-websocket-extensions"),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  WsCompression compression;
  const std::string text = R"({"publish":"quakes","id":1,"events":[{"n":")" + std::string(500, 'x') + "\"}]}";
  const std::string small(compression.deflate(text, 15));
  one.send(ws_frame(0x41, small.substr(0, 5)) + ws_frame(0x80, small.substr(5)));
  EXPECT_THAT(next(one).payload, StartsWith(R"({"ack":1,)"));
  EXPECT_EQ(seen.at(0).body.size(), 510u);
  EXPECT_EQ(told(one, R"({"subscribe":"quakes","id":2,"from":"start"})"),
            R"({"subscribed":2,"cursor":"10-0"})");
  const auto events = next(one);
  EXPECT_EQ(events.first, 0xC1);
  BodyBuffer inflated;
  ASSERT_EQ(compression.inflate(events.payload, 1u << 20, inflated), WsCompression::Inflated::kWhole);
  EXPECT_THAT(std::string(inflated.view()), EndsWith(R"(xx"}],"cursor":"11-0"})"));

  const auto refused = [&](const std::string& payload, int code) {
    auto other = client();
    open(other, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    other.send(ws_frame(0xC1, payload));
    EXPECT_EQ(ended(other), code);
  };
  refused(std::string(compression.deflate(std::string(5u << 20, ' '), 15)), 1009);
  refused(std::string(compression.deflate(std::string(100, '\xFF'), 15)), 1007);
  refused("\xFF\xFF", 1007);
}

TEST_F(WebSocketTest, StoppingWaitsForAnswersAndSays1001) {
  answer_at_once = nullptr;
  start();
  auto one = client(), idle = client();
  open(one);
  open(idle);
  told(idle, R"({"subscribe":"quakes","id":1})");
  one.send(ws_text(R"({"publish":"quakes","id":1,"events":[{}]})"));
  ASSERT_TRUE(wait_seen(1));
  server->stop();
  EXPECT_EQ(ended(idle), 1001);
  EXPECT_TRUE(streams.live.empty());
  one.send(ws_text(R"({"publish":"quakes","id":2,"events":[{}]})"));
  turn(20);
  EXPECT_EQ(seen.size(), 1u) << "nothing new is begun";
  seen[0].done(testing::accepted(1));
  EXPECT_THAT(next(one).payload, StartsWith(R"({"ack":1,)"));
  EXPECT_EQ(ended(one), 1001);
  turn(20);
}

// A browser calls only that a clean end.
TEST_F(WebSocketTest, TheClientsCloseFrameIsWaitedFor) {
  start();
  auto one = client(), silent = client();
  open(one);
  open(silent);
  one.send(ws_frame(0x01, "half a mess"));
  server->stop();
  for (Client* each : {&one, &silent}) {
    EXPECT_EQ(next(*each).close_code(), 1001);
    EXPECT_FALSE(each->receive_end(50));
  }
  EXPECT_FALSE(server->idle());
  one.send(ws_frame(0x80, "age \xff") + ws_text("{}") + ws_text(std::string(5u << 20, 'x')) + ws_close(1001));
  EXPECT_TRUE(one.receive_end(500));
  EXPECT_EQ(one.got, "");
  EXPECT_TRUE(silent.receive_end()) << "not for ever";
  turn(20);
  EXPECT_TRUE(server->idle());
}

TEST_F(WebSocketTest, AStopDoesNotWaitForOneThatHasEnded) {
  options.drain_timeout = std::chrono::seconds(60);
  start();
  auto one = client();
  open(one);
  one.send(ws_frame(0x82, "binary"));
  EXPECT_EQ(next(one).close_code(), 1003);
  server->stop();
  EXPECT_TRUE(one.receive_end(5'000)) << "its client has a second, as without a stop";
}

// A frame's head comes in pieces, also the one of the frame that answers ours.
TEST_F(WebSocketTest, TheClientsCloseFrameIsPutTogether) {
  start();
  auto one = client();
  open(one);
  const std::string end = ws_close(1003);
  one.send(ws_frame(0x82, "binary") + end.substr(0, 1));
  EXPECT_EQ(next(one).close_code(), 1003);
  EXPECT_FALSE(one.receive_end(50));
  one.send(end.substr(1));
  EXPECT_TRUE(one.receive_end(500));
}

TEST_F(WebSocketTest, StoppingBeforeAnUpgradeIsAnswered) {
  answer_at_once = nullptr;
  start();
  auto one = client();
  one.send(post("{}") + handshake());
  ASSERT_TRUE(wait_seen(1));
  turn(20);
  server->stop();
  seen[0].done(testing::accepted(1));
  EXPECT_EQ(one.answer().status, 200);
  EXPECT_TRUE(one.receive_end());
  EXPECT_EQ(one.got, "");
  one.half_close();
  turn(20);
  EXPECT_TRUE(server->idle());
}

TEST_F(WebSocketTest, AClientThatGoesLeavesNothing) {
  answer_at_once = nullptr;
  start();
  {
    auto one = client();
    open(one);
    told(one, R"({"subscribe":"quakes","id":1})");
    one.send(ws_text(R"({"publish":"quakes","id":1,"events":[{}]})") + ws_frame(0x01, "half a mess"));
    ASSERT_TRUE(wait_seen(1));
  }
  turn(20);
  EXPECT_TRUE(streams.live.empty());
  seen[0].done(testing::accepted(1));
  EXPECT_TRUE(server->idle());
  for (const char* metric : {"millrace_http_websockets 0\n", "millrace_http_subscriptions 0\n",
                             "millrace_http_arriving_bytes 0\n", "millrace_http_connections 0\n"}) {
    EXPECT_THAT(server->metrics(), HasSubstr(metric));
  }
}

}  // namespace
}  // namespace millrace::gateway
