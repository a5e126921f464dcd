#include "node/line_splitter.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::cli {
namespace {

TEST(LineSplitter, LinesInAnyPieces) {
  const std::string text = "one\r\n\ntwo\nrest";
  for (size_t cut = 1; cut <= text.size(); ++cut) {
    std::vector<std::string> lines;
    LineSplitter splitter([&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    });
    for (size_t at = 0; at < text.size(); at += cut)
      EXPECT_TRUE(splitter.add(std::string_view(text).substr(at, cut)));
    EXPECT_TRUE(splitter.finish());
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two", "rest"})) << cut;
  }
}

TEST(LineSplitter, StopsWhenItIsEnoughOrTooLong) {
  LineSplitter first([](std::string_view) { return false; });
  EXPECT_FALSE(first.add("a\nb\n"));
  LineSplitter second([](std::string_view) { return true; });
  EXPECT_FALSE(second.add(std::string(LineSplitter::kMaxLine + 1, 'x')));
}

TEST(EventReader, FieldsCommentsAndSeveralDataLines) {
  std::vector<ServerEvent> seen;
  EventReader reader([&](const ServerEvent& event) {
    seen.push_back(event);
    return true;
  });
  EXPECT_TRUE(reader.add("retry: 500\n\n:beat\n\nid: 5-1\ndata: a\ndata:b\n\nevent: error\ndata: c\n\n"));
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].id, "5-1");
  EXPECT_EQ(seen[0].data, "a\nb");
  EXPECT_EQ(seen[0].type, "");
  EXPECT_EQ(seen[1].type, "error");
  EXPECT_EQ(seen[1].id, "5-1");  // the last id stays
  EXPECT_EQ(seen[1].data, "c");
}

TEST(EventReader, TheLastIdIsThatOfAWholeBlock) {
  EventReader reader([](const ServerEvent&) { return true; });
  EXPECT_EQ(reader.last_id(), "");
  EXPECT_TRUE(reader.add("retry: 500\nid: 5-0\nevent: begin\ndata:\n"));
  EXPECT_EQ(reader.last_id(), "");
  EXPECT_TRUE(reader.add("\n:beat\n\n"));
  EXPECT_EQ(reader.last_id(), "5-0");  // no event, but a place
  EXPECT_TRUE(reader.add("id: 6-0\ndata: a\n"));
  EXPECT_EQ(reader.last_id(), "5-0");  // cut off here, the event was not seen
  EXPECT_TRUE(reader.add("\n"));
  EXPECT_EQ(reader.last_id(), "6-0");
}

}  // namespace
}  // namespace millrace::cli
