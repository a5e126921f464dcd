#include "node/text_diff.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

TEST(LineDiff, OfTheSameTextsIsEmpty) {
  EXPECT_EQ(line_diff("", "", "a", "b"), "");
  EXPECT_EQ(line_diff("x\ny\n", "x\ny", "a", "b"), "");
}

TEST(LineDiff, ShowsWhatDiffersAmongThreeLines) {
  EXPECT_EQ(line_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", "v1", "v2"),
            "--- v1\n+++ v2\n@@ -2 +2 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(LineDiff, KeepsWhatIsCommon) {
  EXPECT_EQ(line_diff("a\nb\nc\n", "b\nx\nc\ny\n", "v1", "v2"),
            "--- v1\n+++ v2\n@@ -1 +1 @@\n-a\n b\n+x\n c\n+y\n");
}

TEST(LineDiff, OfLinesFarApartHasTwoParts) {
  const std::string common = "1\n2\n3\n4\n5\n6\n7\n8\n";
  EXPECT_EQ(line_diff("a\n" + common + "b\n", common, "v1", "v2"),
            "--- v1\n+++ v2\n@@ -1 +1 @@\n-a\n 1\n 2\n 3\n@@ -7 +6 @@\n 6\n 7\n 8\n-b\n");
}

TEST(LineDiff, OfTooManyLinesShowsThemAll) {
  std::string before = "same\n", after = "same\n";
  for (int i = 0; i < 5'000; ++i) {
    before += "b" + std::to_string(i) + "\n";
    after += "a" + std::to_string(i) + "\n";
  }
  const std::string diff = line_diff(before, after, "v1", "v2");
  EXPECT_EQ(std::count(diff.begin(), diff.end(), '\n'), 2 + 1 + 1 + 10'000);
}

}  // namespace
}  // namespace millrace::cli
