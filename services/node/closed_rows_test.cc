// A derived stream of closed windows: what does not fit into one step, whatever comes in between.
#include <fmt/format.h>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

constexpr int kGroups = 20'000;

std::vector<std::string> numbers() {
  std::vector<std::string> out;
  for (int n = 0; n < kGroups; ++n) out.push_back(fmt::format(R"({{"n":{}}})", n));
  return out;
}

class ManyGroups : public NodeTest {
 protected:
  // Groups of one minute of arrivals, several megabytes of rows.
  void fill(const std::string& outputs) {
    open();
    run("CREATE STREAM s (n BIGINT, text TEXT)");
    run("CREATE STREAM w AS SELECT " + outputs +
        " FROM TUMBLE(s, PROCTIME(), INTERVAL '1 minute') GROUP BY window_start, n, text EMIT ON WINDOW "
        "CLOSE");
    for (int n = 0; n < kGroups; n += 1'000) push("s", n, n + 1'000, 150);
    settle();
    clock_.advance_us(60'000'000);
  }
};

TEST_F(ManyGroups, AreWrittenOnceAndInOrderOverCrashesAndCleanEnds) {
  fill("n, text");
  for (int life = 1; life < 8; ++life) {
    turns(life);
    if (life % 3 == 0) {
      const Status closed = node_->close();  // in the middle: what waits is in the snapshot
      ASSERT_TRUE(closed.ok()) << closed.error().to_string();
      end();
    } else {
      crash();
    }
    open();
  }
  settle();
  EXPECT_EQ(sql("SELECT n FROM w").rows, numbers());
}

TEST_F(ManyGroups, AreWrittenOnceOverChangesOfTheNumberOfWorkers) {
  fill("n, text");
  for (const uint32_t workers : {3, 2, 1, 2}) {
    turns(2);
    crash();
    options_.workers = workers;
    open();
  }
  settle();
  EXPECT_EQ(sql("SELECT n FROM w").rows, numbers());
}

TEST_F(ManyGroups, AViewReadMeanwhileHasAllOfThem) {
  fill("n, text");
  run("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS c, max(n) AS most FROM w");
  turns(4);
  EXPECT_EQ(sql("SELECT * FROM v").rows, std::vector<std::string>{R"({"c":20000,"most":19999})"});
}

TEST_F(ManyGroups, ThatFailAreDeadLettersOnceEach) {
  fill("n / 0 AS x");
  turns(3);
  crash();
  open();
  turns(3);  // the timer of the window's end
  settle();
  EXPECT_EQ(sql("SELECT count(*) AS c, count(DISTINCT payload) AS d FROM dead_letters").rows,
            std::vector<std::string>{R"({"c":20000,"d":20000})"});
  EXPECT_TRUE(sql("SELECT * FROM w").rows.empty());
}

}  // namespace
}  // namespace millrace::node
