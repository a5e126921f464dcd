#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/base64.h"
#include "base/hash.h"
#include "base/types.h"
#include "base/utf8.h"

namespace millrace {
namespace {

TEST(Bytes, VarintsRoundTrip) {
  for (const int64_t v : {int64_t{0}, int64_t{-1}, int64_t{300}, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max()}) {
    std::string bytes;
    append_varint(bytes, zigzag(v));
    ByteReader in(bytes);
    EXPECT_EQ(in.signed_varint(), v);
    EXPECT_TRUE(in.done());
  }
}

TEST(Bytes, AReaderNeverLeavesItsView) {
  ByteReader in(
      std::string_view("\x05"
                       "abc"));
  EXPECT_EQ(in.bytes(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.le<uint32_t>(), 0u);
  const std::string all_ones(11, '\xFF');
  ByteReader endless(all_ones);
  endless.varint();
  EXPECT_FALSE(endless.ok());
}

TEST(Utf8, ACodePointHasOneToFourBytes) {
  std::string bytes;
  for (const uint32_t point : {0x00u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu})
    append_utf8(bytes, point);
  EXPECT_EQ(bytes, std::string(
                       "\0\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 20));
}

TEST(Types, APartitionIsReadByTheOwnerOfItsKeyGroups) {
  for (uint32_t workers = 1; workers <= 8; ++workers) {
    for (uint32_t partitions = 1; partitions <= 16; ++partitions) {
      uint32_t last = 0;
      for (uint32_t p = 0; p < partitions; ++p) {
        const uint32_t w = worker_of_partition(p, partitions, workers);
        EXPECT_LT(w, workers);
        EXPECT_GE(w, last);
        last = w;
      }
    }
  }
  EXPECT_EQ(partition_of_key_group(255, 4), 3u);
}

TEST(Hash, TheStableHashNeverChanges) {
  // Stored data depends on this value: a library that answers another one must not be used.
  EXPECT_EQ(stable_hash("millrace"), stable_hash("millrace"));
  EXPECT_EQ(stable_hash(""), 0x2D06800538D394C2u);
}

// The vectors of RFC 4648, section 10.
TEST(Base64, BothWays) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {std::string("\0\xff\xfe", 3), "AP/+"}};
  for (const auto& [bytes, text] : vectors) {
    std::string out = "x";
    append_base64(out, bytes);
    EXPECT_EQ(out, "x" + text);
    std::string back = "y";
    EXPECT_TRUE(append_from_base64(back, text));
    EXPECT_EQ(back, "y" + bytes);
  }
  const std::string large(10'000'001, 'a');
  std::string text, back;
  append_base64(text, large);
  EXPECT_TRUE(append_from_base64(back, text));
  EXPECT_EQ(back, large);
}

TEST(Base64, WhatIsNone) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Z===", "Zg==Zg==", " Zg=", "Zm9\n", "Zm9-", "====", "Zm9v\n\n\n\n"}) {
    std::string out;
    EXPECT_FALSE(append_from_base64(out, text)) << text;
    EXPECT_EQ(out, "");
  }
}

}  // namespace
}  // namespace millrace
