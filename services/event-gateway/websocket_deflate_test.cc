#include "event-gateway/websocket_deflate.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace millrace::gateway {
namespace {

using Inflated = WsCompression::Inflated;

std::string answer_to(std::string_view offers) {
  const auto terms = choose_deflate(offers);
  return terms ? to_header(*terms) : "";
}

std::string inflated(WsCompression& compression, std::string_view message, size_t most = 1u << 20) {
  BodyBuffer out;
  switch (compression.inflate(message, most, out)) {
    case Inflated::kDamaged:
      return "damaged";
    case Inflated::kTooLarge:
      EXPECT_LE(out.size(), most + 1);
      return "too large";
    case Inflated::kWhole:
      break;
  }
  return std::string(out.view());
}

TEST(WsDeflate, TakesTheFirstOfferThatCanBeMet) {
  const std::string plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  EXPECT_EQ(answer_to("permessage-deflate"), plain);
  EXPECT_EQ(answer_to("PerMessage-Deflate ; client_max_window_bits"), plain);
  EXPECT_EQ(answer_to("permessage-deflate; client_max_window_bits=8; server_no_context_takeover"), plain);
  EXPECT_EQ(answer_to("x-webkit-deflate-frame, permessage-deflate"), plain);
  EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=\"10\""),
            plain + "; server_max_window_bits=10");
  EXPECT_EQ(answer_to("permessage-deflate; server_max_window_bits=8, permessage-deflate"), plain);
  for (const char* wrong :
       {"", ",", "x", "permessage-deflate; x", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010", "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; client_max_window_bits=+9", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11", "permessage-deflate;;"}) {
    EXPECT_EQ(answer_to(wrong), "") << wrong;
  }
}

TEST(WsDeflate, ReadsTheExamplesOfTheRfc) {
  WsCompression compression;
  // RFC 7692 7.2.3: one block, the same again, no compression, a final block, two blocks.
  EXPECT_EQ(inflated(compression, std::string("\xF2\x48\xCD\xC9\xC9\x07\x00", 7)), "Hello");
  EXPECT_EQ(inflated(compression, std::string("\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00", 11)), "Hello");
  EXPECT_EQ(inflated(compression, std::string("\xF3\x48\xCD\xC9\xC9\x07\x00\x00", 8)), "Hello");
  EXPECT_EQ(inflated(compression, std::string("\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00", 13)),
            "Hello");
  EXPECT_EQ(inflated(compression, std::string(1, '\0')), "");
}

TEST(WsDeflate, NothingIsLeftOverBetweenMessages) {
  WsCompression compression;
  // The second message of RFC 7692 7.2.3.2 points into the first.
  EXPECT_EQ(inflated(compression, std::string("\xF2\x48\xCD\xC9\xC9\x07\x00", 7)), "Hello");
  EXPECT_EQ(inflated(compression, std::string("\xF2\x00\x11\x00\x00", 5)), "damaged");
  EXPECT_EQ(inflated(compression, std::string("\xF2\x48\xCD\xC9\xC9\x07\x00", 7)), "Hello");
}

TEST(WsDeflate, RefusesWhatIsDamagedOrCutOff) {
  WsCompression compression;
  EXPECT_EQ(inflated(compression, "\xFF\xFF\xFF"), "damaged");
  EXPECT_EQ(inflated(compression, std::string("\xF2\x48\xCD", 3)), "damaged");
  EXPECT_EQ(inflated(compression, std::string("\x00\x50\x00\xAF\xFF\x48", 6)), "damaged");
}

TEST(WsDeflate, StopsABomb) {
  WsCompression compression;
  const std::string bomb(compression.deflate(std::string(8u << 20, ' '), 15));
  ASSERT_LT(bomb.size(), 64u << 10);
  EXPECT_EQ(inflated(compression, bomb), "too large");
  EXPECT_EQ(inflated(compression, bomb, 8u << 20).size(), 8u << 20);
  EXPECT_EQ(inflated(compression, bomb, (8u << 20) - 1), "too large");
}

TEST(WsDeflate, WhatItDeflatesComesBack) {
  WsCompression compression;
  Random random(7);
  std::string text;
  while (text.size() < 100'000) text += R"({"id":)" + std::to_string(random.below(1000)) + "},";
  for (int bits = WsDeflateTerms::kMinWindowBits; bits <= WsDeflateTerms::kMaxWindowBits; ++bits) {
    for (const size_t size : {100, 1000, 65'536, 100'000}) {
      const std::string small(compression.deflate(std::string_view(text).substr(0, size), bits));
      ASSERT_FALSE(small.empty()) << bits << " " << size;
      EXPECT_EQ(inflated(compression, small), text.substr(0, size)) << bits << " " << size;
    }
  }
  std::string noise;
  while (noise.size() < 1000) noise += static_cast<char>(random.below(256));
  EXPECT_EQ(compression.deflate(noise, 15), "");
  EXPECT_EQ(compression.deflate("", 15), "");
}

}  // namespace
}  // namespace millrace::gateway
