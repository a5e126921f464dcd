// Compressed bodies: each coding, however it is split, over a connection; and what is wrong with them.
#include "event-gateway/http_coding.h"

#include <zlib.h>
#include <zstd.h>

#include "event-gateway/http_testing.h"

namespace millrace::gateway {
namespace {

using testing::HttpTest;

std::string zlib(std::string_view bytes, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), 0);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string gzip(std::string_view bytes) {
  return zlib(bytes, MAX_WBITS + 16);
}
std::string zstd(std::string_view bytes, int window_log = 0) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, window_log == 0 ? 1 : 0);
  if (window_log != 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(bytes.size()) + 64, 0);
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
  while (from.pos < from.size) ZSTD_compressStream2(context, &to, &from, ZSTD_e_continue);
  ZSTD_compressStream2(context, &to, &from, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  return out.substr(0, to.pos);
}

struct Decoded {
  std::string body;
  std::string error = "none";
};
Decoded decode(Coding coding, std::string_view bytes, size_t piece = SIZE_MAX, size_t most = 32u << 20) {
  const auto decoder = make_body_decoder(coding, most);
  BodyBuffer body;
  Decoded out;
  for (size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at)) {
    const Status taken = decoder->write(bytes.substr(at, piece), body);
    if (taken.ok()) continue;
    out.error = taken.error().id;
    return out;
  }
  const Status whole = decoder->finish();
  if (!whole.ok()) out.error = whole.error().id;
  out.body = body.view();
  return out;
}

struct Named {
  Coding coding;
  const char* name;
  std::string bytes;
};
std::vector<Named> each(const std::string& text) {
  return {{Coding::kGzip, "gzip", gzip(text)},
          {Coding::kDeflate, "deflate", zlib(text, MAX_WBITS)},
          {Coding::kDeflate, "deflate", zlib(text, -MAX_WBITS)},
          {Coding::kZstd, "zstd", zstd(text)}};
}

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "{\"id\":\"" + std::to_string(i * 7919) + "\"}\n";
  return text;
}

TEST(HttpCoding, DecodesHoweverItIsSplit) {
  const std::string text = lines(20'000);
  for (const auto& [coding, name, bytes] : each(text)) {
    for (const size_t piece : {SIZE_MAX, size_t{1}, size_t{777}}) {
      const Decoded decoded = decode(coding, bytes, piece);
      EXPECT_EQ(decoded.error, "none") << name << " " << piece;
      EXPECT_TRUE(decoded.body == text) << name << " " << piece;
    }
  }
  for (const auto& [coding, name, bytes] : each("")) EXPECT_EQ(decode(coding, bytes).error, "none") << name;
}

TEST(HttpCoding, TheDecodedBodyMayFillItsPieces) {
  for (const size_t size : {65'536u, 131'072u}) {
    const std::string text(size, 'x');
    for (const auto& [coding, name, bytes] : each(text)) {
      const Decoded decoded = decode(coding, bytes);
      EXPECT_EQ(decoded.error, "none") << name << " " << size;
      EXPECT_TRUE(decoded.body == text) << name << " " << size;
    }
  }
}

// As a connection asks while a body is under way, whenever an answer to an earlier request is ready.
TEST(HttpCoding, NothingMoreMayBeThereManyTimes) {
  for (const auto& [coding, name, bytes] : each(lines(100))) {
    const auto decoder = make_body_decoder(coding, 1u << 20);
    BodyBuffer body;
    const std::string_view whole = bytes;
    for (const std::string_view part : {whole.substr(0, whole.size() / 2), whole.substr(whole.size() / 2)}) {
      EXPECT_TRUE(decoder->write(part, body).ok()) << name;
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(decoder->write("", body).ok()) << name;
    }
    EXPECT_TRUE(decoder->finish().ok()) << name;
    EXPECT_TRUE(body.view() == lines(100)) << name;
  }
}

TEST(HttpCoding, MembersAndFramesFollowOneAnother) {
  EXPECT_EQ(decode(Coding::kGzip, gzip("a") + gzip("") + gzip("b"), 3).body, "ab");
  EXPECT_EQ(decode(Coding::kZstd, zstd("a") + zstd("") + zstd("b"), 3).body, "ab");
  EXPECT_EQ(decode(Coding::kDeflate, zlib("a", MAX_WBITS) + zlib("b", MAX_WBITS)).error, "MR-API-0024");
}

TEST(HttpCoding, EveryTruncationAndOtherBytesAreErrors) {
  for (const auto& [coding, name, bytes] : each(lines(10))) {
    for (size_t n = 0; n < bytes.size(); ++n) {
      EXPECT_EQ(decode(coding, std::string_view(bytes).substr(0, n)).error, "MR-API-0024")
          << name << " " << n;
    }
    EXPECT_EQ(decode(coding, bytes + "x").error, "MR-API-0024") << name;
  }
  for (const Coding coding : {Coding::kGzip, Coding::kZstd})
    EXPECT_EQ(decode(coding, R"({"id":"x"})").error, "MR-API-0024");
}

TEST(HttpCoding, TheDecodedBodyIsBounded) {
  const std::string zeros(1'000'000, '0');
  for (const auto& [coding, name, bytes] : each(zeros)) {
    EXPECT_LT(bytes.size(), 2'000u);
    EXPECT_EQ(decode(coding, bytes, SIZE_MAX, zeros.size()).error, "none") << name;
    EXPECT_EQ(decode(coding, bytes, SIZE_MAX, zeros.size() - 1).error, "MR-API-0003") << name;
    EXPECT_EQ(decode(coding, bytes, 1, 1000).error, "MR-API-0003") << name;
  }
  const std::string large(20'000'000, '0');
  EXPECT_EQ(decode(Coding::kZstd, zstd(large, 23)).error, "none");
  EXPECT_EQ(decode(Coding::kZstd, zstd(large, 24)).error, "MR-API-0024");  // the window that it asks for
}

class HttpCodingTest : public HttpTest {
 protected:
  std::string compressed(const char* coding, const std::string& bytes) {
    return post(bytes, "Content-Encoding: " + std::string(coding) + "\r\n");
  }
};

TEST_F(HttpCodingTest, EventsAndStatementsComeCompressed) {
  start();
  auto c = client();
  const std::string text = lines(3'000);
  size_t n = 0;
  for (const auto& [coding, name, bytes] : each(text)) {
    EXPECT_EQ(c.call(compressed(name, bytes)).status, 200) << name;
    ASSERT_EQ(seen.size(), ++n);
    EXPECT_TRUE(seen.back().body == text) << name;
  }
  EXPECT_EQ(c.call(compressed("X-GZip", gzip(text))).status, 200);
  EXPECT_EQ(c.call(post(text)).status, 200);  // nothing is left of the coding
  EXPECT_TRUE(seen.back().body == text);
  std::string asked;
  sql = [&](TenantId, std::string statements, const SqlService::Each&, const SqlService::Done& done) {
    asked = std::move(statements);
    done({});
  };
  EXPECT_EQ(c.call(statement(zstd("SELECT 1"), "Content-Encoding: zstd\r\n")).status, 200);
  EXPECT_EQ(asked, "SELECT 1");
}

TEST_F(HttpCodingTest, ChunksMayCutItAnywhere) {
  start();
  auto c = client();
  const std::string text = lines(500);
  const std::string bytes = gzip(text);
  std::string request =
      "POST /v1/streams/quakes/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
      "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char byte : bytes) request += std::string("1\r\n") + byte + "\r\n";
  EXPECT_EQ(c.call(request + "0\r\n\r\n").status, 200);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].body == text);
}

TEST_F(HttpCodingTest, WhatCannotBeDecodedIsRefusedAndEndsTheConnection) {
  options.max_body_bytes = 10'000;
  start();
  const std::string whole = gzip(lines(10));
  const std::string bomb = gzip(std::string(10'000'000, ' '));
  ASSERT_LT(bomb.size(), 10'000u);
  for (const auto& [bytes, status, code] :
       {std::tuple{whole.substr(0, whole.size() - 1), 400, "MR-API-0024"},
        std::tuple{std::string("{}"), 400, "MR-API-0024"}, std::tuple{bomb, 413, "MR-API-0003"}}) {
    auto c = client();
    c.send(compressed("gzip", bytes));
    const auto answer = c.answer();
    EXPECT_EQ(answer.status, status);
    EXPECT_NE(answer.body.find(code), std::string::npos) << answer.body;
    EXPECT_TRUE(c.receive_end());
  }
  EXPECT_TRUE(seen.empty());
}

TEST_F(HttpCodingTest, AWindowCountsAmongWhatArrives) {
  options.max_arriving_bytes = 1u << 20;
  start();
  auto c = client();
  c.send(compressed("zstd", zstd(lines(10), 23)));  // 8 MiB, for a hundred bytes
  const auto answer = c.answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("MR-API-0020"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.fields.at("retry-after"), "1");
  EXPECT_TRUE(seen.empty());
  auto next = client();  // it is given back
  EXPECT_EQ(next.call(compressed("gzip", gzip(lines(10)))).status, 200);
}

}  // namespace
}  // namespace millrace::gateway
