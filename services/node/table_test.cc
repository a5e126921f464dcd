#include "node/table.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace millrace::cli {
namespace {

std::string printed(bool live, const std::vector<std::string>& rows) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  Table table(out);
  if (live) table.go_live();
  for (const auto& row : rows) {
    table.add(*answer_row(row));
    if (live) table.finish();
  }
  table.finish();
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(Table, AlignsNumbersRightAndTextLeft) {
  EXPECT_EQ(printed(false, {R"({"net":"ak","quakes":12})", R"({"net":"us","quakes":3})"}),
            " net | quakes\n-----+--------\n ak  |     12\n us  |      3\n");
}

TEST(Table, NullIsEmptyAndControlCharactersAreShown) {
  EXPECT_EQ(printed(false, {R"({"a":null,"b":"x\ny\u001b[2J"})"}),
            " a | b\n---+-------------\n   | x\\ny\\x1b[2J\n");
  EXPECT_EQ(printed(false, {"{\"a\":\"\xC2\x9B\x32J\xC2\xA9\"}"}), " a\n---------\n \\x9b2J\xC2\xA9\n");
}

TEST(Table, ValuesAreShownAsTheyWereSent) {
  EXPECT_EQ(printed(false, {R"({"n":12345678901234567.89,"m":1e400})"}),
            " n                    | m\n----------------------+-------\n 12345678901234567.89 | 1e400\n");
  EXPECT_EQ(printed(false, {R"({"a":[0.10000000000000000001,"x"],"b":true})"}),
            " a                            | b\n------------------------------+------\n "
            "[0.10000000000000000001,\"x\"] | true\n");
}

TEST(AnswerRow, WhatIsNoObjectIsNone) {
  for (const char* line : {"", "x", "1", "[1]", "{", R"({"a":1)", R"({"a"})", R"({"a":1}})", R"({"a":1} x)"})
    EXPECT_FALSE(answer_row(line)) << line;
  EXPECT_TRUE(answer_row("{}"));
}

TEST(Table, WidthsCountCellsNotBytes) {
  EXPECT_EQ(display_width("Zürich"), 6u);
  EXPECT_EQ(display_width("東京"), 4u);
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);  // e and a combining accent
  EXPECT_EQ(display_width("👍"), 2u);
  EXPECT_EQ(display_width("\xF0\x9F"), 2u);  // a cell for each byte that is no letter
  EXPECT_EQ(printed(false, {R"({"c":"東京","n":1})", R"({"c":"Rome","n":2})"}),
            " c    | n\n------+---\n 東京 | 1\n Rome | 2\n");
}

TEST(Table, OtherColumnsBeginANewTable) {
  EXPECT_EQ(printed(false, {R"({"a":1})", R"({"b":2})"}), " a\n---\n 1\n\n b\n---\n 2\n");
}

TEST(Table, EndedTablesAreCountedAlone) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  Table table(out);
  EXPECT_FALSE(table.fits(*answer_row(R"({"a":1})")));
  table.add(*answer_row(R"({"a":1})"));
  table.add(*answer_row(R"({"a":2})"));
  EXPECT_TRUE(table.fits(*answer_row(R"({"a":"x"})")));
  EXPECT_FALSE(table.fits(*answer_row(R"({"b":1})")));
  EXPECT_FALSE(table.fits(*answer_row(R"({"a":1,"b":1})")));
  EXPECT_EQ(table.rows(), 2u);
  table.end();
  table.end();
  table.add(*answer_row(R"({"a":3})"));
  EXPECT_EQ(table.rows(), 1u);
  table.end();
  std::fclose(out);
  EXPECT_EQ(std::string(text, size), " a\n---\n 1\n 2\n\n a\n---\n 3\n");
  std::free(text);
}

std::string styled(TableStyle style, const std::vector<std::string>& rows) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  Table table(out, std::move(style));
  for (const auto& row : rows) table.add(*answer_row(row));
  table.end();
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(Table, LongValuesAreCutToTheTerminal) {
  TableStyle style;
  style.width = 20;
  EXPECT_EQ(styled(style, {R"({"id":1,"text":"0123456789abcdefghij"})"}),
            " id | text\n----+---------------\n  1 | 0123456789ab…\n");
  EXPECT_EQ(styled(style, {R"({"id":1,"text":"東京東京東京東京"})"}),
            " id | text\n----+---------------\n  1 | 東京東京東京…\n");
  EXPECT_EQ(styled(style, {R"({"id":1,"text":"short"})"}), " id | text\n----+-------\n  1 | short\n");
}

TEST(Table, ColumnsWithoutRoomGetALineEach) {
  TableStyle style;
  style.width = 20;
  style.expanded = Expanded::kIfTooWide;
  EXPECT_EQ(styled(style, {R"({"first":"0123456789","second":"0123456789","x":null})"}),
            "-[ row 1 ]\nfirst  | 0123456789\nsecond | 0123456789\nx      | \n");
  style.width = 0;
  style.expanded = Expanded::kAlways;
  EXPECT_EQ(styled(style, {R"({"a":1})", R"({"a":2})"}), "-[ row 1 ]\na | 1\n-[ row 2 ]\na | 2\n");
}

TEST(Table, NullMayHaveALook) {
  TableStyle style;
  style.null = "<null>";
  EXPECT_EQ(styled(style, {R"({"a":null,"b":""})"}), " a      | b\n--------+---\n <null> |\n");
  style.colour = true;
  EXPECT_EQ(styled(style, {R"({"a":null,"b":"x"})"}),
            " a      | b\n--------+---\n \033[2m<null>\033[0m | x\n");
}

TEST(Table, TheDirectionOfWritingIsNotTheDatas) {
  EXPECT_EQ(printed(false, {"{\"a\":\"x\xE2\x80\xAEy\"}"}), " a\n----------\n x\\u202ey\n");
  EXPECT_EQ(printable("a\nb\tc", true), "a\nb\\tc");
}

TEST(Table, LiveRowsComeAtOnceAndMayBeWider) {
  EXPECT_EQ(printed(true, {R"({"a":"x"})", R"({"a":"longer"})"}), " a\n---\n x\n longer\n");
}

TEST(Table, TheSampleDecidesTheWidths) {
  std::vector<std::string> rows(Table::kSample + 1, R"({"a":"x","b":1})");
  rows.back() = R"({"a":"longer","b":1})";
  const std::string text = printed(false, rows);
  EXPECT_TRUE(text.ends_with(" x | 1\n longer | 1\n")) << text.substr(text.size() - 40);
}

}  // namespace
}  // namespace millrace::cli
