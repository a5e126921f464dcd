// Bodies of NDJSON that are longer than the bound: in parts.
#include "event-gateway/http_upload.h"

#include <algorithm>

#include "event-gateway/body_buffer.h"
#include "event-gateway/http_testing.h"

namespace millrace::gateway {
namespace {

using testing::HttpTest;

std::string lines(size_t from, size_t to) {
  std::string out;
  for (size_t i = from; i < to; ++i) out += "{\"id\":\"" + std::to_string(i) + "\"}\n";
  return out;
}

std::string in_chunks(const std::string& body, size_t size, const std::string& fields = "") {
  std::string out =
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n" +
      fields + "Transfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < body.size(); at += size) {
    const std::string piece = body.substr(at, size);
    char length[32];
    std::snprintf(length, sizeof length, "%zx\r\n", piece.size());
    out += length + piece + "\r\n";
  }
  return out + "0\r\n\r\n";
}

class HttpUploadTest : public HttpTest {
 protected:
  HttpUploadTest() {
    options.max_body_bytes = 1'000;
    answer_at_once = [](const IngestRequest& r) -> Result<IngestAnswer> {
      return testing::accepted(static_cast<size_t>(std::count(r.body.begin(), r.body.end(), '\n')));
    };
  }
  std::string bodies() const {
    std::string all;
    for (const auto& one : seen) all += one.body;
    return all;
  }
};

TEST_F(HttpUploadTest, ALongBodyIsTakenInPartsOfWholeLines) {
  start();
  const std::string body = lines(0, 1'000);
  for (const std::string& request : {post(body), in_chunks(body, 100), in_chunks(body, 7'000)}) {
    seen.clear();
    auto c = client();
    const auto answer = c.call(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.body.find("{\"accepted\":1000,\"rejected\":[],\"offsets\":[],"), std::string::npos)
        << answer.body;
    EXPECT_GT(seen.size(), 1u);
    EXPECT_EQ(bodies(), body);
    for (size_t i = 0; i + 1 < seen.size(); ++i) EXPECT_EQ(seen[i].body.back(), '\n');
    EXPECT_EQ(c.call(post("{}\n")).status, 200) << "the connection goes on";
  }
}

TEST_F(HttpUploadTest, WithinTheBoundItIsOneFrame) {
  start();
  auto c = client();
  EXPECT_EQ(c.call(in_chunks(lines(0, 60), 10)).status, 200);
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(HttpUploadTest, PartsHavePlacesOfTheirOwnUnderTheKey) {
  start();
  auto c = client();
  c.call(in_chunks(lines(0, 200), 100, "Idempotency-Key: k\r\n"));
  ASSERT_GT(seen.size(), 2u);
  for (size_t i = 0; i < seen.size(); ++i)
    EXPECT_EQ(std::pair(seen[i].key, seen[i].part), std::pair(std::string("k"), uint32_t(i + 1)));
  c.call(post("{}\n", "Idempotency-Key: k\r\n"));
  EXPECT_EQ(seen.back().part, 0u);
}

TEST_F(HttpUploadTest, PartsEndAtTheSamePlacesHoweverTheBodyComes) {
  start();
  const std::string body = lines(0, 400);
  std::vector<std::string> parts;
  for (const size_t size : {1, 9, 100, 997, 5'000}) {
    seen.clear();
    auto c = client();
    c.call(in_chunks(body, size));
    std::vector<std::string> here;
    for (const auto& one : seen) here.push_back(one.body);
    if (parts.empty()) parts = here;
    EXPECT_EQ(here, parts) << size;
  }
  seen.clear();
  auto c = client();
  c.call(post(body));
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].body, parts[i]);
}

TEST_F(HttpUploadTest, RejectedEventsAreNumberedOverTheWholeBody) {
  answer_at_once = [](const IngestRequest&) -> Result<IngestAnswer> {
    IngestAnswer answer = testing::accepted(9);
    answer.rejected.push_back({4, error(Code::kInvalid, "MR-EVT-0001", "no")});
    return answer;
  };
  start();
  auto c = client();
  const auto answer = c.call(in_chunks(lines(0, 200), 100));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_NE(answer.body.find("{\"accepted\":27,\"rejected\":[{\"index\":4,"), std::string::npos)
      << answer.body;
  EXPECT_NE(answer.body.find("{\"index\":14,"), std::string::npos);
  EXPECT_NE(answer.body.find("{\"index\":24,"), std::string::npos);
}

TEST_F(HttpUploadTest, ARefusedPartEndsIt) {
  answer_at_once = [this](const IngestRequest& r) -> Result<IngestAnswer> {
    if (seen.size() == 3) return error(Code::kExhausted, "MR-ING-0008", "the quota");
    return testing::accepted(static_cast<size_t>(std::count(r.body.begin(), r.body.end(), '\n')));
  };
  start();
  auto c = client();
  const auto answer = c.call(in_chunks(lines(0, 10'000), 500));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_NE(answer.body.find("events were taken before"), std::string::npos) << answer.body;
  EXPECT_EQ(seen.size(), 3u);
}

IngestAnswer rejected_first() {
  IngestAnswer answer;
  answer.rejected.push_back({0, error(Code::kInvalid, "MR-EVT-0001", "no")});
  return answer;
}

// A part that stores nothing is answered before the one that waits for the disk.
TEST_F(HttpUploadTest, AnswersMayComeInAnyOrder) {
  answer_at_once = nullptr;
  start();
  auto c = client();
  c.send(in_chunks(lines(0, 150), 100));
  ASSERT_TRUE(wait_seen(2));
  seen[1].done(rejected_first());
  seen[0].done(testing::accepted(75));
  const auto answer = c.answer();
  EXPECT_NE(answer.body.find("{\"accepted\":75,\"rejected\":[{\"index\":75,"), std::string::npos)
      << answer.body;
}

TEST_F(HttpUploadTest, AFailureIsToldWhenThePartsBeforeItAreAnswered) {
  answer_at_once = nullptr;
  start();
  auto c = client();
  c.send(in_chunks(lines(0, 3'000), 100), 200);
  ASSERT_TRUE(wait_seen(2));
  seen[1].done(error(Code::kExhausted, "MR-ING-0008", "the quota"));
  turn(20);
  EXPECT_EQ(c.got, "");
  seen[0].done(testing::accepted(75));
  const auto answer = c.answer();
  EXPECT_EQ(answer.status, 429);
  EXPECT_NE(answer.body.find("of this body 75 events were taken before"), std::string::npos) << answer.body;
  EXPECT_EQ(seen.size(), 2u) << "nothing is begun behind it";
}

TEST_F(HttpUploadTest, ALengthBeyondTheBoundIsTakenInPartsFromItsBegin) {
  start();
  auto c = client();
  const std::string request = post(lines(0, 200));
  c.send(request.substr(0, request.size() - 900));
  EXPECT_TRUE(wait_seen(1));
  c.send(request.substr(request.size() - 900));
  EXPECT_EQ(c.answer().status, 200);
}

TEST_F(HttpUploadTest, WhatAPartTookIsGivenBack) {
  BodyBuffer buffer;
  buffer.append(std::string(8'000'000, 'x'));
  buffer.drop_front(7'999'990);
  EXPECT_LT(buffer.room(), 100'000u);
  EXPECT_EQ(buffer.view(), std::string(10, 'x'));
}

// Empty members of gzip: bytes that decode to nothing.
TEST_F(HttpUploadTest, ACompressedBodyIsBoundedAsItComes) {
  start();
  const std::string empty("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", 20);
  std::string body;
  for (int i = 0; i < 100; ++i) body += empty;
  auto c = client();
  EXPECT_EQ(c.call(in_chunks(body, 500, "Content-Encoding: gzip\r\n")).status, 413);
  EXPECT_TRUE(seen.empty());
}

TEST_F(HttpUploadTest, PartsThatAreNotDurableHoldUpTheRest) {
  answer_at_once = nullptr;
  options.max_body_bytes = 100'000;
  start();
  auto c = client();
  const std::string request = post(lines(0, 2'000'000));
  EXPECT_FALSE(c.send(request, 300)) << "it is not read";
  EXPECT_EQ(seen.size(), HttpUpload::kMostWaiting);
  // Another client is served meanwhile.
  auto other = client();
  other.send(get("/livez"));
  EXPECT_EQ(other.answer().status, 200);
}

TEST_F(HttpUploadTest, OthersKeepTheBound) {
  start();
  auto c = client();
  EXPECT_EQ(c.call(post(std::string(1'001, ' '))).status, 413) << "one line of its own is too long";
  auto json = client();
  EXPECT_EQ(json.call("POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                      "application/json\r\n"
                      "Content-Length: 1001\r\n\r\n")
                .status,
            413);
  auto sql = client();
  EXPECT_EQ(sql.call(statement(std::string(1'001, ' '))).status, 413);
  EXPECT_TRUE(seen.empty());
}

TEST_F(HttpUploadTest, ABodyThatBreaksOffSaysWhatWasTaken) {
  start();
  auto c = client();
  std::string request = in_chunks(lines(0, 300), 100);
  request.resize(request.size() - 5);
  const auto answer = c.call(request + "zz\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("events were taken before"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace millrace::gateway
