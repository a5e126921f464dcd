#include "event-gateway/websocket_frame.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/buffer.h"
#include "event-gateway/websocket_testing.h"

namespace millrace::gateway {
namespace {

using testing::take_ws_frame;
using testing::ws_close;
using testing::ws_frame;
using testing::ws_text;
using Got = WsDecoder::Got;

constexpr size_t kMost = 70'000;

// What a decoder says of bytes that come in pieces of one size, a word each.
std::string said(std::string_view bytes, size_t piece, bool compression = false) {
  WsDecoder decoder(kMost, compression);
  std::string input, out;
  for (size_t at = 0; at < bytes.size() || at == 0; at += piece) {
    input += bytes.substr(at, piece);
    for (auto got = Got::kPing; got != Got::kMore;) {
      size_t used = 0;
      got = decoder.next(input, used);
      input.erase(0, used);
      const auto code = std::to_string(static_cast<int>(decoder.close_code()));
      switch (got) {
        case Got::kMore:
          break;
        case Got::kMessage:
          for (size_t i = 0; i < Buffer::kPadding; ++i)
            EXPECT_EQ(decoder.message().data()[decoder.message().size() + i], 0);
          out += std::string(decoder.is_text() ? "text" : "binary") + (decoder.is_compressed() ? "*" : "") +
                 ":" + std::string(decoder.message()) + " ";
          decoder.message_done();
          break;
        case Got::kPing:
          out += "ping:" + std::string(decoder.control()) + " ";
          break;
        case Got::kPong:
          out += "pong:" + std::string(decoder.control()) + " ";
          break;
        case Got::kClose:
          out += "close:" + code + " ";
          break;
        case Got::kBad:
          return out + "bad:" + code + ":" + std::string(decoder.complaint());
      }
    }
  }
  return out;
}

struct Case {
  const char* name;
  std::string bytes;
  std::string said;
  bool compression = false;
};

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    for (const size_t piece :
         {one.bytes.size() + 1, size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{1000}})
      EXPECT_EQ(said(one.bytes, piece, one.compression), one.said) << one.name << ", pieces of " << piece;
  }
}

TEST(WsDecoder, MessagesOfEveryLength) {
  std::vector<Case> cases;
  for (const size_t size : {0, 1, 2, 7, 8, 9, 125, 126, 127, 128, 65'535, 65'536, 70'000}) {
    const std::string text(size, 'x');
    cases.push_back({"text", ws_text(text), "text:" + text + " "});
    cases.push_back({"binary", ws_frame(0x82, text), "binary:" + text + " "});
  }
  check(cases);
}

TEST(WsDecoder, FragmentsAndControlFramesBetweenThem) {
  const std::string a = ws_frame(0x01, "ab"), b = ws_frame(0x00, "cd"), c = ws_frame(0x80, "ef");
  check({
      {"three", a + b + c, "text:abcdef "},
      {"empty ones", ws_frame(0x01, "") + ws_frame(0x00, "") + ws_frame(0x80, ""), "text: "},
      {"a ping between", a + ws_frame(0x89, "p") + b + ws_frame(0x8A, "q") + c, "ping:p pong:q text:abcdef "},
      {"a close between", a + ws_close(1000) + c, "close:1000 text:abef "},
      {"two messages", a + c + ws_text("x"), "text:abef text:x "},
      {"pings", ws_frame(0x89, "") + ws_frame(0x89, std::string(125, 'p')),
       "ping: ping:" + std::string(125, 'p') + " "},
  });
}

TEST(WsDecoder, RefusesWhatAClientMustNotSend) {
  const std::string control = "bad:1002:a control frame is one frame of at most 125 bytes";
  const std::string reserved = "bad:1002:a reserved bit is set";
  const std::string length = "bad:1002:a length that is not written in its shortest form";
  std::vector<Case> cases = {
      {"no mask", std::string("\x81\x01x", 3), "bad:1002:a client's frame has to be masked"},
      {"a fragmented ping", ws_frame(0x09, ""), control},
      {"a fragmented close", ws_frame(0x08, ""), control},
      {"a long ping", ws_frame(0x89, std::string(126, 'p')), control},
      {"a long close", ws_frame(0x88, std::string(126, 'p')), control},
      {"continuation of nothing", ws_frame(0x80, "x"), "bad:1002:there is no message to be continued"},
      {"continuation behind a message", ws_text("x") + ws_frame(0x80, "y"),
       "text:x bad:1002:there is no message to be continued"},
      {"a message in a message", ws_frame(0x01, "x") + ws_text("y"),
       "bad:1002:a message begins inside another one"},
      {"16 bits for 125", ws_frame(0x81, std::string(125, 'x'), 2), length},
      {"64 bits for 125", ws_frame(0x81, std::string(125, 'x'), 8), length},
      {"64 bits for 65535", ws_frame(0x81, std::string(65'535, 'x'), 8), length},
      {"64 bits for nothing", ws_frame(0x81, "", 8), length},
      {"the highest bit of the length", std::string("\x81\xFF\x80\0\0\0\0\0\0\0", 10), length},
      {"compressed without the extension", ws_frame(0xC1, "x"), reserved},
      {"nothing is heard behind it", ws_frame(0x83, "") + ws_text("x"), "bad:1002:an unknown opcode"},
  };
  for (const int bits : {0x10, 0x20, 0x40, 0x70}) {
    for (const int opcode : {0x81, 0x82, 0x88, 0x89, 0x8A})
      cases.push_back({"reserved bits", ws_frame(static_cast<uint8_t>(opcode | bits), "x"), reserved});
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    cases.push_back(
        {"opcode", ws_frame(static_cast<uint8_t>(0x80 | opcode), "x"), "bad:1002:an unknown opcode"});
  check(cases);
}

TEST(WsDecoder, OnlyAMessagesFirstFrameSaysThatItIsCompressed) {
  check({
      {"one frame", ws_frame(0xC1, "x"), "text*:x ", true},
      {"fragments", ws_frame(0x41, "x") + ws_frame(0x80, "y"), "text*:xy ", true},
      {"not UTF-8 as it comes", ws_frame(0xC1, "\xFF"), "text*:\xFF ", true},
      {"the next is not", ws_frame(0xC1, "x") + ws_text("y"), "text*:x text:y ", true},
      {"a continuation", ws_frame(0x41, "x") + ws_frame(0xC0, "y"), "bad:1002:a reserved bit is set", true},
      {"a ping", ws_frame(0xC9, "x"), "bad:1002:a reserved bit is set", true},
      {"another bit", ws_frame(0xE1, "x"), "bad:1002:a reserved bit is set", true},
  });
}

TEST(WsDecoder, BoundsAMessageBeforeItsBytesCome) {
  const std::string large = "bad:1009:the message is too large";
  check({
      {"one frame", ws_text(std::string(kMost + 1, 'x')).substr(0, 20), large},
      {"the largest length there is", std::string("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10), large},
      {"in fragments", ws_frame(0x01, std::string(kMost, 'x')) + ws_frame(0x80, "y"), large},
      {"exactly", ws_frame(0x01, std::string(kMost - 1, 'x')) + ws_frame(0x80, "y"),
       "text:" + std::string(kMost - 1, 'x') + "y "},
  });
}

TEST(WsDecoder, JudgesTexts) {
  const std::string bad = "bad:1007:a text message that is not UTF-8", good = "κόσμε 𐍈 \xEF\xBF\xBF";
  std::vector<Case> cases = {{"good", ws_text(good), "text:" + good + " "},
                             {"binary may be anything", ws_frame(0x82, "\xFF\xFE"), "binary:\xFF\xFE "}};
  for (size_t at = 0; at <= good.size(); ++at) {
    cases.push_back({"divided characters",
                     ws_frame(0x01, good.substr(0, at)) + ws_frame(0x80, good.substr(at)),
                     "text:" + good + " "});
  }
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80", "\xFE", "\xFF", "\xCE\xBA\xE1\xBD"}) {
    const std::string whole = std::string("abc") + text;
    cases.push_back({text, ws_text(whole), bad});
    cases.push_back({text, ws_frame(0x01, whole.substr(0, 4)) + ws_frame(0x80, whole.substr(4)), bad});
  }
  check(cases);
}

TEST(WsDecoder, JudgesCloseFrames) {
  const std::string none = "bad:1002:a close code that is none";
  std::vector<Case> cases = {
      {"empty", ws_frame(0x88, ""), "close:1005 "},
      {"one byte", ws_frame(0x88, "\x03"), "bad:1002:a close code has two bytes"},
      {"a reason", ws_close(1000, "bye, κόσμε"), "close:1000 "},
      {"the longest reason", ws_close(1000, std::string(123, 'r')), "close:1000 "},
      {"a reason that is not UTF-8", ws_close(1000, "\xCE"), "bad:1007:a close reason that is not UTF-8"},
  };
  for (const int code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    cases.push_back({"a code", ws_close(static_cast<uint16_t>(code)), "close:" + std::to_string(code) + " "});
  }
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535})
    cases.push_back({"no code", ws_close(static_cast<uint16_t>(code)), none});
  check(cases);
}

TEST(WsEncoder, WritesTheShortestForm) {
  for (const size_t size : {0, 1, 125, 126, 127, 65'535, 65'536}) {
    std::string bytes;
    append_ws_frame(bytes, WsOpcode::kText, std::string(size, 'x'));
    EXPECT_EQ(bytes.size(), size + (size < 126 ? 2 : size < 65'536 ? 4 : 10));
    const auto seen = take_ws_frame(bytes);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->first, 0x81);
    EXPECT_EQ(seen->payload, std::string(size, 'x'));
    EXPECT_TRUE(bytes.empty());
  }
  std::string compressed;
  append_ws_frame(compressed, WsOpcode::kText, "x", true);
  EXPECT_EQ(compressed, "\xC1\x01x");
}

TEST(WsEncoder, ShortensACloseReasonBetweenCharacters) {
  std::string bytes;
  append_ws_close(bytes, WsClose::kPolicy, std::string(122, 'r') + "κ");
  const auto seen = take_ws_frame(bytes);
  ASSERT_TRUE(seen && seen->is_close());
  EXPECT_EQ(seen->close_code(), 1008);
  EXPECT_EQ(seen->payload.substr(2), std::string(122, 'r'));
}

TEST(WsDecoder, WhatIsPassedOver) {
  WsDecoder decoder(10, false);
  size_t used = 0;
  const std::string half = ws_frame(0x01, "half \xc3");
  ASSERT_EQ(decoder.next(half, used), Got::kMore);
  decoder.discard();
  EXPECT_EQ(decoder.held_bytes(), 0u);
  const std::string rest =
      ws_frame(0x80, "\xff") + ws_text(std::string(1000, 'x')) + ws_text("\xff") + ws_frame(0x89, "p");
  EXPECT_EQ(decoder.next(rest, used), Got::kPing);
  EXPECT_EQ(used, rest.size());
  EXPECT_EQ(decoder.held_bytes(), 0u);
  EXPECT_EQ(decoder.next(ws_close(1001), used), Got::kClose);
}

}  // namespace
}  // namespace millrace::gateway
