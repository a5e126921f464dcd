#include "node/progress.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

TEST(Progress, ALine) {
  EXPECT_EQ(progress_line(0, 0, "12 events"), "12 events");
  EXPECT_EQ(progress_line(0, 10, "x"), "[" + std::string(30, '.') + "]   0 %  x");
  EXPECT_EQ(progress_line(1, 3, "x"), "[##########" + std::string(20, '.') + "]  33 %  x");
  EXPECT_EQ(progress_line(10, 10, "x"), "[" + std::string(30, '#') + "] 100 %  x");
  EXPECT_EQ(progress_line(11, 10, "x"), progress_line(10, 10, "x"));  // a file that grows
  const uint64_t large = uint64_t{1} << 62;
  EXPECT_EQ(progress_line(large, large, "x"), progress_line(1, 1, "x"));
}

}  // namespace
}  // namespace millrace::cli
