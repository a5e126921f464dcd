// The range that a SELECT's WHERE leaves of a stream (engine/read_range.h), from its text.
#include "engine/read_range.h"

#include <gtest/gtest.h>

#include "sql/test_catalog.h"

namespace millrace::sql {
namespace {

class ReadRangeTest : public ::testing::Test {
 protected:
  engine::ReadRange range(const std::string& where) {
    return engine::read_range(catalog_.get<Select>("SELECT id FROM earthquakes WHERE " + where).plan);
  }
  std::string text(const std::string& where) { return range(where).to_string(); }
  TestCatalog catalog_{kTestStreams};
};

TEST_F(ReadRangeTest, ExactWhereWhereSaysNoMore) {
  EXPECT_TRUE(range("_offset > 3").exact);
  EXPECT_TRUE(range("_offset BETWEEN 3 AND 5 AND _partition <> 1 AND true").exact);
  EXPECT_TRUE(range("_time >= '2001-01-01' AND _offset IS NOT NULL").exact);
  EXPECT_TRUE(range("_offset IN (4)").exact);
  EXPECT_TRUE(range("_partition IN (0, 2)").exact);
  EXPECT_FALSE(range("_offset IN (4, 6)").exact);
  EXPECT_FALSE(range("_offset <> 4").exact);
  EXPECT_FALSE(range("_offset > 3 AND mag > 1").exact);
  EXPECT_FALSE(range("_offset > 3 OR _offset < 2").exact);
  EXPECT_FALSE(range("_offset > 1.5").exact);
  EXPECT_FALSE(range("_offset > depth_km").exact);
}

TEST_F(ReadRangeTest, EndsOfTheNumbers) {
  EXPECT_EQ(range("_offset <= 9223372036854775807").events.offsets.last, INT64_MAX);
  EXPECT_EQ(range("_offset < 9223372036854775807").events.offsets.last, INT64_MAX - 1);
  EXPECT_EQ(range("_offset >= 9223372036854775807").events.offsets.first, INT64_MAX);
  EXPECT_EQ(range("_offset >= -9223372036854775808").events.offsets.first, 0);
  for (const char* none :
       {"_offset > 9223372036854775807", "_offset < (-9223372036854775808)", "_offset < 0", "_offset = -1",
        "_partition > 3", "_partition < 0", "_partition > 2147483647", "_partition = 4", "_offset = NULL",
        "_offset IN (NULL)", "NULL", "false", "_offset > 5 AND _offset <= 5",
        "_partition = 1 AND _partition = 2", "_time > '2002-01-01' AND _time < '2001-01-01'"}) {
    EXPECT_TRUE(range(none).empty()) << none;
    EXPECT_EQ(text(none), "no event") << none;
  }
}

TEST_F(ReadRangeTest, Texts) {
  EXPECT_EQ(text("mag > 1"), "");
  EXPECT_EQ(text("_offset > 0"), "offsets from 1");
  EXPECT_EQ(text("_offset >= 0"), "");
  EXPECT_EQ(text("_offset < 7 AND _offset > 2"), "offsets 3 to 6");
  EXPECT_EQ(text("7 > _offset"), "offsets to 6");
  EXPECT_EQ(text("_offset = 7 AND _partition >= 2"), "partitions 2, 3, offset 7");
  EXPECT_EQ(text("(_partition = 3) IS TRUE"), "partition 3");
  EXPECT_EQ(text("_time > '2001-01-01' AND _time <= TIMESTAMP '2001-01-02'"),
            "times 2001-01-01T00:00:00.000001Z to 2001-01-02T00:00:00Z");
  EXPECT_EQ(text("_time < '2001-01-01'"), "times to 2000-12-31T23:59:59.999999Z");
}

}  // namespace
}  // namespace millrace::sql
