#include "protobuf/message_index.h"

#include <gtest/gtest.h>

namespace millrace::protobuf {
namespace {

std::string written(const std::vector<int32_t>& indexes) {
  std::string out;
  append_message_indexes(out, indexes);
  return out;
}

TEST(MessageIndex, TheFirstMessageIsOneByte) {
  EXPECT_EQ(written({0}), std::string(1, '\0'));
  EXPECT_EQ(read_message_indexes(std::string("\0rest", 5))->indexes, std::vector<int32_t>{0});
  EXPECT_EQ(read_message_indexes(std::string("\0rest", 5))->size, 1u);
  EXPECT_EQ(read_message_indexes(std::string("\2\0", 2))->indexes,
            std::vector<int32_t>{0});  // the long form of it
}

TEST(MessageIndex, ComesBackAsItWasWritten) {
  EXPECT_EQ(written({1, 0}), std::string("\4\2\0", 3));
  for (const std::vector<int32_t>& indexes :
       {std::vector<int32_t>{1, 0}, {63, 64, 65}, {INT32_MAX}, {0, 0}}) {
    const auto read = read_message_indexes(written(indexes) + "rest");
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->indexes, indexes);
    EXPECT_EQ(read->size, written(indexes).size());
  }
}

TEST(MessageIndex, WhatIsMalformedIsRefused) {
  for (const std::string& bytes :
       {std::string(), std::string("\1"), std::string("\2"), std::string("\2\1"), std::string("\x80"),
        std::string(9, '\xFF'), std::string("\xFE\xFF\xFF\xFF\x0F"), std::string("\4\2")}) {
    const auto read = read_message_indexes(bytes);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().id, "MR-PROTO-0006");
  }
}

}  // namespace
}  // namespace millrace::protobuf
