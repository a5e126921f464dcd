#include "node/csv.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

TEST(Csv, QuotesWhatAReaderWouldTakeApart) {
  EXPECT_EQ(csv_line({"a", "", "b c"}), "a,,b c\r\n");
  EXPECT_EQ(csv_line({"a,b", "say \"x\"", "two\nlines"}), "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n");
}

}  // namespace
}  // namespace millrace::cli
