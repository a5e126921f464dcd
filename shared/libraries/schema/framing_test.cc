#include "schema/framing.h"

#include <gtest/gtest.h>

namespace millrace::schema {
namespace {

using namespace std::string_literals;

TEST(Framing, AnIdIsFourBytes) {
  std::string out;
  append_framing(out, SchemaId{258});
  EXPECT_EQ(out, "\0\0\0\1\2"s);
  const auto framed = parse_framing(out += "payload");
  ASSERT_TRUE(framed.ok());
  EXPECT_EQ(std::get<SchemaId>(framed->schema), 258);
  EXPECT_EQ(framed->payload, "payload");
}

TEST(Framing, AGuidIsSixteenBytes) {
  const std::string text = "89791762-2336-4186-9674-299b90a802e2";
  const auto guid = parse_guid(text);
  ASSERT_TRUE(guid.ok());
  EXPECT_EQ(to_string(*guid), text);
  std::string out;
  append_framing(out, *guid);
  EXPECT_EQ(out, "\x01\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2");
  const auto framed = parse_framing(out);
  ASSERT_TRUE(framed.ok());
  EXPECT_EQ(std::get<SchemaGuid>(framed->schema), *guid);
  EXPECT_TRUE(framed->payload.empty());
}

std::string refusal(std::string_view bytes) {
  const auto framed = parse_framing(bytes);
  return framed.ok() ? "framed" : framed.error().id;
}

TEST(Framing, WhatIsNoneIsRefused) {
  EXPECT_EQ(refusal(""), "MR-FRAME-0002");
  EXPECT_EQ(refusal("\0\0\0\1"s), "MR-FRAME-0002");
  EXPECT_EQ(refusal("\1\0\0\0\1"s), "MR-FRAME-0002");
  EXPECT_EQ(refusal("{\"a\":1}"), "MR-FRAME-0001");
  for (const auto* text : {"", "89791762-2336-4186-9674-299b90a802e", "89791762-2336-4186-9674-299b90a802eg",
                           "8979176-22336-4186-9674-299b90a802e2"})
    EXPECT_EQ(parse_guid(text).error().id, "MR-FRAME-0003") << text;
}

}  // namespace
}  // namespace millrace::schema
