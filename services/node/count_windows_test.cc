// Windows of rows over crashes and changes of the number of workers: a group's numbers go on, and no window is lost or told
// twice.
#include <fmt/format.h>

#include "node/node_testing.h"

namespace millrace::node {
namespace {

constexpr int kKeys = 40;
constexpr int kManyKeys = 3'000;

class CountWindows : public NodeTest {
 protected:
  void start(const std::string& definition) {
    open();
    run("CREATE STREAM s (n BIGINT, text TEXT) WITH (key = 'n', partitions = 4)");
    run(definition);
  }
  void restart(uint32_t workers, bool cleanly) {
    if (cleanly)
      close();
    else
      crash();
    options_.workers = workers;
    open();
  }
  // Seven rows a key, each after another life.
  void seven_rows() {
    int life = 0;
    for (const uint32_t workers : {3, 1, 2, 2, 4, 1}) {
      push("s", 0, kKeys, static_cast<size_t>(++life));
      if (life % 3 != 0) settle();
      restart(workers, life % 2 == 0);
    }
    push("s", 0, kKeys, 7);
    settle();
  }
};

std::vector<std::string> rows_a_key(const std::vector<std::string>& formats, int keys = kKeys) {
  std::vector<std::string> out;
  for (int n = 0; n < keys; ++n) {
    for (const std::string& row : formats) out.push_back(fmt::format(fmt::runtime(row), n));
  }
  return out;
}

TEST_F(CountWindows, AStreamHasEachFullWindowOnce) {
  start(
      "CREATE STREAM w AS SELECT n, window_start AS first, window_end AS last, sum(length(text)) AS total "
      "FROM TUMBLE(s, ROWS 3) GROUP BY n, window_end EMIT ON WINDOW CLOSE");
  seven_rows();
  EXPECT_EQ(sql("SELECT * FROM w ORDER BY n, last").rows,
            rows_a_key({R"({{"n":{},"first":0,"last":3,"total":6}})",
                        R"({{"n":{},"first":3,"last":6,"total":15}})"}));
}

TEST_F(CountWindows, AStreamOfSharedPanesHasThemToo) {
  start(
      "CREATE STREAM w AS SELECT n, window_end AS last, sum(length(text)) AS total FROM HOP(s, ROWS 2, ROWS "
      "4) "
      "GROUP BY n, window_end EMIT ON WINDOW CLOSE");
  seven_rows();
  EXPECT_EQ(sql("SELECT * FROM w ORDER BY n, last").rows,
            rows_a_key({R"({{"n":{},"last":2,"total":3}})", R"({{"n":{},"last":4,"total":10}})",
                        R"({{"n":{},"last":6,"total":18}})"}));
}

TEST_F(CountWindows, AViewShowsThoseThatItKeeps) {
  start(
      "CREATE MATERIALIZED VIEW v WITH (retention_rows = 3) AS SELECT n, window_end AS last, "
      "string_agg(length(text)::text, '+') "
      "AS texts FROM TUMBLE(s, ROWS 2) GROUP BY n, window_end");
  seven_rows();
  EXPECT_EQ(sql("SELECT * FROM v ORDER BY n, last").rows,
            rows_a_key({R"({{"n":{},"last":4,"texts":"3+4"}})", R"({{"n":{},"last":6,"texts":"5+6"}})",
                        R"({{"n":{},"last":8,"texts":"7"}})"}));
}

TEST_F(CountWindows, DistinctValuesStayForAsLongAsTheirWindow) {
  start(
      "CREATE STREAM w AS SELECT n, window_end AS last, count(DISTINCT text) AS texts FROM TUMBLE(s, ROWS 3) "
      "GROUP BY n, window_end EMIT ON WINDOW CLOSE");
  push("s", 0, kManyKeys / 2, 9);  // these are one row ahead: their values outlive the others' windows
  for (const size_t text : {1, 2, 1, 1, 1, 9}) push("s", 0, kManyKeys, text);
  settle();
  EXPECT_EQ(sql("SELECT texts, last, count(*) AS keys FROM w GROUP BY texts, last ORDER BY last, texts").rows,
            (std::vector<std::string>{
                R"({"texts":2,"last":3,"keys":1500})", R"({"texts":3,"last":3,"keys":1500})",
                R"({"texts":1,"last":6,"keys":1500})", R"({"texts":2,"last":6,"keys":1500})"}));
}

}  // namespace
}  // namespace millrace::node
