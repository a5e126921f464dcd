// Ad-hoc SELECTs that say where in a stream, or when, their events are: no more than those is read.
#include <gmock/gmock.h>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class BoundedReadTest : public NodeTest {
 protected:
  // What EXPLAIN ANALYZE says of the read, by partition.
  std::vector<std::string> reads(const std::string& select) {
    std::vector<std::string> out;
    for (const std::string& row : sql("EXPLAIN ANALYZE " + select).rows) {
      const size_t at = row.find("-> s, partition");
      if (at != std::string::npos) out.push_back(row.substr(at + 3, row.rfind('"') - at - 3));
    }
    return out;
  }
};

TEST_F(BoundedReadTest, AStreamThatIsLongerThanASelectMayRead) {
  options_.journal.segment_bytes = 8u << 20;
  open();
  run("CREATE STREAM s (n INTEGER)");
  constexpr int kEvents = 1'010'000;
  constexpr int kRequest = 10'000;
  for (int n = 0; n < kEvents; n += kRequest) {
    push("s", n, n + kRequest);
    clock_.advance_us(1'000'000);
  }
  EXPECT_EQ(sql("SELECT count(*) AS c FROM s").error, "MR-QRY-0003");
  EXPECT_EQ(sql("SELECT count(*) AS c FROM s WHERE _offset >= 5000").error, "MR-QRY-0003");
  EXPECT_THAT(sql("SELECT min(n) AS a, max(n) AS b FROM s WHERE _offset >= 1001000").rows,
              ElementsAre(R"({"a":1001000,"b":1009999})"));
  EXPECT_THAT(sql("SELECT n, _offset FROM s WHERE _offset BETWEEN 500000 AND 500001 ORDER BY n DESC").rows,
              ElementsAre(R"({"n":500001,"_offset":500001})", R"({"n":500000,"_offset":500000})"));
  EXPECT_THAT(sql("SELECT count(*) AS c FROM s WHERE _time >= now() - INTERVAL '3500 milliseconds'").rows,
              ElementsAre(R"({"c":30000})"));
  EXPECT_THAT(reads("SELECT n FROM s WHERE _offset BETWEEN 500000 AND 500001 ORDER BY n"),
              ElementsAre("s, partition 0: 2 events, offsets 500000 to 500001"));
  EXPECT_THAT(
      reads("SELECT n FROM s WHERE _time >= now() - INTERVAL '3500 milliseconds' AND n > 0 ORDER BY n"),
      ElementsAre("s, partition 0: 30000 events, offsets 980000 to 1009999"));
  EXPECT_THAT(reads("SELECT n FROM s WHERE _offset > 1000000 LIMIT 3"),
              ElementsAre("s, partition 0: 3 events, offsets 1000001 to 1000003"));
  EXPECT_THAT(reads("SELECT n FROM s WHERE _offset < 0"), ElementsAre());
  close();
}

TEST_F(BoundedReadTest, EachPartitionHasARangeOfItsOwn) {
  open();
  run("CREATE STREAM s (n BIGINT) WITH (partitions = 2, key = 'n')");
  push("s", 0, 100);
  push("s", 100, 200);
  EXPECT_THAT(
      sql("SELECT count(*) AS c FROM s WHERE _offset >= 10 AND _offset < 20 GROUP BY _partition").rows,
      ElementsAre(R"({"c":10})", R"({"c":10})"));
  EXPECT_THAT(reads("SELECT n FROM s WHERE _offset >= 10 AND _offset < 20 ORDER BY n"),
              ElementsAre("s, partition 0: 10 events, offsets 10 to 19",
                          "s, partition 1: 10 events, offsets 10 to 19"));
  EXPECT_THAT(reads("SELECT n FROM s WHERE _partition = 1 AND _offset IN (3, 5) ORDER BY n"),
              ElementsAre("s, partition 1: 3 events, offsets 3 to 5"));
  EXPECT_THAT(reads("SELECT n FROM s WHERE _partition = 1 AND _offset > 1000"),
              ElementsAre("s, partition 1: no event"));
  close();
}

// What retention has removed is not there: that is no error of a SELECT, and EXPLAIN ANALYZE says where the rest begins.
TEST_F(BoundedReadTest, BelowTheOldestKeptOffset) {
  options_.journal.segment_bytes = 64u << 10;
  options_.journal.tail_bytes = 64u << 10;
  open();
  run("CREATE STREAM s (n BIGINT, text TEXT) WITH (retention = '1 minute')");
  for (int n = 0; n < 2000; n += 100) push("s", n, n + 100, 600);
  close();
  open();
  clock_.advance_us(70'000'000);
  run_until([&] { return node_->journal().first_cut().value > 20; });
  settle();
  const auto rest = sql("SELECT min(_offset) AS oldest, count(*) AS c FROM s");
  ASSERT_EQ(rest.error, "");
  ASSERT_EQ(rest.rows.size(), 1u);
  EXPECT_THAT(rest.rows.front(), testing::Not(HasSubstr("\"oldest\":0,")));
  EXPECT_EQ(sql("SELECT min(_offset) AS oldest, count(*) AS c FROM s WHERE _offset >= 3").rows, rest.rows);
  EXPECT_EQ(sql("SELECT n FROM s WHERE _offset < 3").rows.size(), 0u);
  EXPECT_EQ(sql("SELECT n FROM s WHERE _offset BETWEEN 3 AND 1999 AND _offset = n").error, "");
  EXPECT_THAT(reads("SELECT n FROM s WHERE _offset = 3"), Contains(HasSubstr("no event; kept from ")));
  close();
}

}  // namespace
}  // namespace millrace::node
