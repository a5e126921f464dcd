// The oracle's own test: answers worked out by hand.
#include "tests/sim/naive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/naive_numeric.h"

namespace millrace::sim {
namespace {

constexpr const char* kClicks =
    "CREATE STREAM clicks (who TEXT, at TIMESTAMPTZ, n BIGINT, x DOUBLE PRECISION, "
    "WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (partitions = 2, key = 'who', idle_timeout = '20 "
    "seconds')";
constexpr const char* kWindows =
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, who, count(*) AS c FROM TUMBLE(clicks, at, INTERVAL "
    "'10 seconds') "
    "GROUP BY window_start, who";

// One frame an event, a second of append time apart.
class Log {
 public:
  Log& event(uint16_t partition, const std::string& json) {
    frame(false);
    auto& events = log_.streams[StreamId(stream_)];
    const int64_t offset = std::ranges::count(events, PartitionId(partition), &LogEvent::partition);
    events.push_back({Cut(cut_), AppendTime(now_us_), PartitionId(partition), Offset(offset), json});
    return *this;
  }
  Log& click(uint16_t partition, const std::string& who, int seconds) {
    return event(partition, fmt::format(R"({{"who":"{}","at":{}}})", who, seconds * 1000));
  }
  Log& start() { return frame(true), *this; }
  Log& wait(int seconds) { return now_us_ += seconds * 1'000'000, *this; }
  Log& frame(bool start) {
    now_us_ += 1'000'000;
    log_.frames.push_back({Cut(++cut_), AppendTime(now_us_), start});
    return *this;
  }
  Log& stream(uint64_t id) { return stream_ = id, *this; }  // of the events to come
  NaiveAnswer answer(const std::string& query, const std::string& stream = kClicks) const {
    auto shape = naive_stream(stream);
    auto parsed = naive_query(query);
    EXPECT_TRUE(shape.ok() && parsed.ok());
    return answer(*parsed, {*shape});
  }
  // Over streams from 4 on.
  NaiveAnswer answer(const NaiveQuery& query, const std::vector<NaiveStream>& streams) const {
    std::vector<NaiveSource> sources;
    for (size_t i = 0; i < streams.size(); ++i)
      sources.push_back({&streams[i], &log_.events(StreamId(4 + i))});
    return naive_answer(query, sources, log_);
  }

 private:
  FinalLog log_;
  uint64_t cut_ = 0;
  int64_t now_us_ = 0;
  uint64_t stream_ = 4;
};

std::vector<std::string> lines(const NaiveAnswer& answer) {
  std::vector<std::string> out;
  for (const auto& row : answer.rows) {
    if (answer.must_show(row)) out.push_back(to_line(row.row));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string value_of(const std::string& expression) {
  auto query = naive_query("CREATE STREAM o AS SELECT " + expression + " AS v FROM s");
  if (!query.ok()) return query.error().to_string();
  const Schema columns{
      {"n", Type::kBigint}, {"x", Type::kDouble}, {"s", Type::kText}, {"nothing", Type::kBoolean}};
  const Row row{int64_t{7}, 2.5, std::string("abc"), std::monostate()};
  auto value = naive_evaluate(*query->query->items[0].expr,
                              {&columns, &row, std::nullopt, 0, nullptr, AppendTime(9'000'000)});
  return value.ok() ? to_line({*value}) : "fails";
}

TEST(NaiveExpression, Values) {
  EXPECT_EQ(value_of("n / 2"), "3");
  EXPECT_EQ(value_of("-n % 4"), "-3");
  EXPECT_EQ(value_of("n + x"), "9.5d");
  EXPECT_EQ(value_of("n / 0"), "fails");
  EXPECT_EQ(value_of("9223372036854775807 + n"), "fails");
  EXPECT_EQ(value_of("nothing AND FALSE"), "false");
  EXPECT_EQ(value_of("nothing OR FALSE"), "null");
  EXPECT_EQ(value_of("NOT nothing"), "null");
  EXPECT_EQ(value_of("n IN (1, NULL)"), "null");
  EXPECT_EQ(value_of("n NOT IN (7, NULL)"), "false");
  EXPECT_EQ(value_of("nothing IS NOT TRUE"), "true");
  EXPECT_EQ(value_of("CASE WHEN nothing THEN 1 WHEN n > 5 THEN 2 END"), "2");
  EXPECT_EQ(value_of("CASE WHEN n > 5 THEN 2 ELSE x END"), "2d");
  EXPECT_EQ(value_of("CAST(s AS BIGINT)"), "fails");
  EXPECT_EQ(value_of("CAST(x AS BIGINT)"), "2");
  EXPECT_EQ(value_of("s LIKE 'a_%'"), "true");
  EXPECT_EQ(value_of("s || n"), "'abc7'");
  EXPECT_EQ(value_of("n = 7 OR n / 0 = 1"), "true");
  EXPECT_EQ(value_of("PROCTIME() - INTERVAL '2 seconds'"), "1970-01-01T00:00:07Z");
  EXPECT_EQ(value_of("TIMESTAMPTZ '2001-01-01 00:00:30+00' + INTERVAL '90 seconds'"), "2001-01-01T00:02:00Z");
}

TEST(Naive, ASessionEndsAGapBehindItsLastRow) {
  const std::string view =
      "CREATE MATERIALIZED VIEW v AS SELECT window_start, window_end, who, count(*) AS c, sum(n) AS total "
      "FROM SESSION(clicks, at, INTERVAL '3 seconds') GROUP BY window_start, who";
  Log log;
  log.click(0, "ana", 6).click(0, "ana", 10).click(1, "bob", 1).click(0, "ana", 13).click(0, "ana", 8);
  EXPECT_EQ(lines(log.answer(view)),
            (std::vector<std::string>{"1970-01-01T00:00:01Z | 1970-01-01T00:00:04Z | 'bob' | 1 | null",
                                      "1970-01-01T00:00:06Z | 1970-01-01T00:00:13Z | 'ana' | 3 | null",
                                      "1970-01-01T00:00:13Z | 1970-01-01T00:00:16Z | 'ana' | 1 | null"}));
  const auto closing = log.click(0, "ana", 18).click(0, "ana", 12).answer(view + " EMIT ON WINDOW CLOSE");
  EXPECT_EQ(closing.late, (std::set<Place>{{0, 5}}));               // its watermark is 13
  EXPECT_EQ(closing.closed_while_idle, (std::set<Place>{{1, 0}}));  // nobody knew of its partition
  EXPECT_EQ(closing.closed_high, 5'000'000);                        // then it holds all back
}

TEST(Naive, AWindowOfRowsIsOfTheLastRowsOfItsGroup) {
  const std::string query =
      " AS SELECT who, window_start, window_end, sum(n) AS total FROM HOP(clicks, ROWS 1, ROWS 2) GROUP BY "
      "who, "
      "window_end EMIT ON WINDOW CLOSE";
  Log log;
  for (const int n : {1, 2, 4}) log.event(0, fmt::format(R"({{"who":"ana","n":{}}})", n));
  log.event(1, R"({"who":"bob","n":8})");
  EXPECT_EQ(lines(log.answer("CREATE MATERIALIZED VIEW v" + query)),
            (std::vector<std::string>{"'ana' | 0 | 1 | 1", "'ana' | 0 | 2 | 3", "'ana' | 1 | 3 | 6",
                                      "'bob' | 0 | 1 | 8"}));
  EXPECT_EQ(lines(log.answer("CREATE MATERIALIZED VIEW v WITH (retention_rows = 1)" + query)),
            (std::vector<std::string>{"'ana' | 1 | 3 | 6", "'bob' | 0 | 1 | 8"}));
  const auto made = log.answer("CREATE STREAM v" + query).made;
  ASSERT_EQ(made.at(0).size(), 3u);
  EXPECT_EQ(to_line(made.at(0)[2]), "'ana' | 1 | 3 | 6");
}

TEST(Naive, ARowIsLateOnceItsWindowHadEndedByItsOwnPartition) {
  Log log;
  log.click(0, "ana", 1).click(0, "ana", 14).click(0, "ana", 2);  // watermark 9: the window to 10 is open
  log.click(0, "ana", 15).click(0, "ana", 3);                     // watermark 10: it had ended
  log.click(1, "bob", 4);                                         // its own partition has seen nothing
  const auto answer = log.answer(kWindows);
  EXPECT_EQ(lines(answer),
            (std::vector<std::string>{"1970-01-01T00:00:00Z | 'ana' | 2", "1970-01-01T00:00:00Z | 'bob' | 1",
                                      "1970-01-01T00:00:10Z | 'ana' | 2"}));
  EXPECT_EQ(answer.late, (std::set<Place>{{0, 4}}));
}

TEST(Naive, WindowsCloseAtTheSlowestActivePartition) {
  Log log;
  log.click(0, "ana", 1).click(1, "bob", 2).click(0, "ana", 40);
  EXPECT_EQ(lines(log.answer(std::string(kWindows) + " EMIT ON WINDOW CLOSE")), std::vector<std::string>{});
  log.click(1, "bob", 16);  // watermark 11
  EXPECT_EQ(
      lines(log.answer(std::string(kWindows) + " EMIT ON WINDOW CLOSE")),
      (std::vector<std::string>{"1970-01-01T00:00:00Z | 'ana' | 1", "1970-01-01T00:00:00Z | 'bob' | 1"}));
}

// The windows of kWindows, with an option.
std::string windows_with(const std::string& option) {
  return "CREATE MATERIALIZED VIEW v WITH (" + option +
         ") AS SELECT window_start, who, count(*) AS c FROM TUMBLE(clicks, at, INTERVAL '10 seconds') "
         "GROUP BY window_start, who";
}

TEST(Naive, AWindowIsGoneWhenItIsKeptNoLonger) {
  Log log;
  log.click(0, "ana", 1).click(0, "ana", 12).click(0, "ana", 26).click(1, "bob", 13);
  const auto answer = log.answer(windows_with("retention = '10 seconds'"));  // watermark 21: up to 11
  EXPECT_EQ(lines(answer), (std::vector<std::string>{"1970-01-01T00:00:10Z | 'ana' | 1",
                                                     "1970-01-01T00:00:20Z | 'ana' | 1"}));
  EXPECT_EQ(answer.closed_while_idle, (std::set<Place>{{1, 0}}));
}

TEST(Naive, AnAllowedLatenessKeepsAWindowOpen) {
  Log log;
  log.click(0, "ana", 1).click(0, "ana", 16).click(0, "ana", 2);  // watermark 5
  log.click(0, "ana", 21).click(0, "ana", 3);                     // watermark 10
  const auto answer = log.answer(windows_with("allowed_lateness = '6 seconds'"));
  EXPECT_EQ(lines(answer),
            (std::vector<std::string>{"1970-01-01T00:00:00Z | 'ana' | 2", "1970-01-01T00:00:10Z | 'ana' | 1",
                                      "1970-01-01T00:00:20Z | 'ana' | 1"}));
  EXPECT_EQ(answer.late, (std::set<Place>{{0, 4}}));
}

TEST(Naive, AWindowOfArrivalsClosesWithTheFirstFrameBehindIt) {
  const std::string view =
      "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS c FROM TUMBLE(clicks, PROCTIME(), "
      "INTERVAL '10 seconds') GROUP BY window_start EMIT ON WINDOW CLOSE";
  Log log;
  log.click(0, "ana", 70).click(1, "bob", 3).wait(6).click(0, "ana", 1);  // at 1, 2 and 9
  EXPECT_EQ(lines(log.answer(view)), std::vector<std::string>{});
  log.frame(false);
  EXPECT_EQ(lines(log.answer(view)), std::vector<std::string>{"1970-01-01T00:00:00Z | 3"});
}

TEST(Naive, AnIdlePartitionDoesNotHoldAWindowAndItsLateComerIsTold) {
  Log log;
  log.click(0, "ana", 1).click(1, "bob", 2).wait(30).click(0, "ana", 40).click(1, "bob", 3);
  const auto answer = log.answer(std::string(kWindows) + " EMIT ON WINDOW CLOSE");
  EXPECT_EQ(lines(answer), (std::vector<std::string>{"1970-01-01T00:00:00Z | 'ana' | 1",
                                                     "1970-01-01T00:00:00Z | 'bob' | 1"}));
  EXPECT_EQ(answer.closed_while_idle, (std::set<Place>{{1, 1}}));
}

TEST(Naive, AStartIsNoSilence) {
  Log log;
  log.click(0, "ana", 1).click(1, "bob", 2).wait(30).start().click(0, "ana", 40);
  EXPECT_EQ(lines(log.answer(std::string(kWindows) + " EMIT ON WINDOW CLOSE")), std::vector<std::string>{});
}

TEST(Naive, AggregatesSkipNullAndAnEmptyTableHasOneRow) {
  const std::string view =
      "CREATE MATERIALIZED VIEW v AS SELECT count(*), count(n), sum(n), avg(x), min(who) FROM clicks";
  Log log;
  EXPECT_EQ(lines(log.answer(view)), std::vector<std::string>{"0 | 0 | null | null | null"});
  log.event(0, R"({"who":"b","n":3,"x":1})").event(0, R"({"n":null,"x":2})").event(1, R"({"who":"a"})");
  EXPECT_EQ(lines(log.answer(view)), std::vector<std::string>{"3 | 1 | 3 | 1.5d | 'a'"});
}

std::string of_clicks(const Log& log, const std::string& items) {
  const auto answer = log.answer("CREATE MATERIALIZED VIEW v AS SELECT " + items + " FROM clicks");
  return answer.rows.empty() ? "nothing" : to_line(answer.rows.front().row);
}

TEST(Naive, AFilterComesBeforeTheArgument) {
  Log log;
  for (const int n : {0, 1, 4}) log.event(0, fmt::format(R"({{"who":"a","n":{}}})", n));
  log.event(1, R"({"who":"b"})");
  EXPECT_EQ(of_clicks(log,
                      "count(*) FILTER (WHERE who = 'a'), sum(12 / n) FILTER (WHERE n <> 0), "
                      "count(n) FILTER (WHERE n > 9), max(n) FILTER (WHERE n > 9)"),
            "3 | 15 | 0 | null");
  const auto failing =
      log.answer("CREATE MATERIALIZED VIEW v AS SELECT sum(n) FILTER (WHERE 12 / n > 5) FROM clicks");
  EXPECT_EQ(to_line(failing.rows.front().row), "1");
  EXPECT_EQ(failing.failed, (std::set<Place>{{0, 0}}));
}

TEST(Naive, ListsGoByTheirOrderThenByTime) {
  Log log;
  log.event(0, R"({"who":"b","n":2,"at":9000})").event(0, R"({"who":"a","n":2,"at":1000})");
  log.event(1, R"({"who":"c","at":2000})").event(1, R"({"n":7,"at":3000})");
  EXPECT_EQ(
      of_clicks(
          log, "string_agg(who, '-'), string_agg(who, '-' ORDER BY n), string_agg(who, '-' ORDER BY n DESC)"),
      "'a-c-b' | 'a-b-c' | 'c-a-b'");
  EXPECT_EQ(
      of_clicks(log, "array_agg(who), array_agg(n ORDER BY who DESC NULLS LAST), array_agg(DISTINCT n)"),
      "'\x03[\"a\",\"c\",null,\"b\"]' | '\x03[null,2,2,7]' | '\x03[2,7,null]'");
  EXPECT_EQ(of_clicks(log,
                      "first_value(who ORDER BY n, who DESC), last_value(n ORDER BY who), "
                      "string_agg(DISTINCT who, '' ORDER BY who DESC)"),
            "'b' | 7 | 'cba'");
}

TEST(Naive, SpreadsAreExactOfWholeNumbers) {
  Log log;
  EXPECT_EQ(of_clicks(log, "variance(n), var_pop(n)"), "null | null");
  log.event(0, R"({"who":"a","n":1,"x":1})");
  EXPECT_EQ(of_clicks(log, "variance(n), var_pop(n), stddev(x)"), "null | 0n | null");
  log.event(0, R"({"who":"a","n":2,"x":3})").event(1, R"({"who":"a","n":2})");
  EXPECT_EQ(of_clicks(log, "variance(n), stddev_samp(n), var_pop(n), stddev_pop(n)"),
            "0.33333333333333333333n | 0.57735026918962576451n | 0.22222222222222222222n | "
            "0.47140452079103168293n");
  EXPECT_EQ(of_clicks(log, "variance(x), stddev_pop(x), variance(DISTINCT n)"), "2d | 1d | 0.5n");
  EXPECT_EQ(of_clicks(log, "bit_and(n), bit_or(n), bool_or(n > 1), bool_and(n > 1)"), "0 | 3 | true | false");
}

TEST(Naive, ARowCountsInEachGroupingSet) {
  const std::string view =
      "CREATE MATERIALIZED VIEW v AS SELECT who, n, grouping(who, n) AS level, count(*) AS c, count(n) AS m "
      "FROM clicks "
      "GROUP BY ";
  Log log;
  EXPECT_EQ(lines(log.answer(view + "ROLLUP (who, n)")), std::vector<std::string>{"null | null | 3 | 0 | 0"});
  log.event(0, R"({"who":"a","n":1})").event(0, R"({"who":"a"})").event(1, R"({"who":"b","n":1})");
  EXPECT_EQ(
      lines(log.answer(view + "ROLLUP (who, n)")),
      (std::vector<std::string>{"'a' | 1 | 0 | 1 | 1", "'a' | null | 0 | 1 | 0", "'a' | null | 1 | 2 | 1",
                                "'b' | 1 | 0 | 1 | 1", "'b' | null | 1 | 1 | 1", "null | null | 3 | 3 | 2"}));
  EXPECT_EQ(lines(log.answer(view + "GROUPING SETS ((who), (n)) HAVING count(*) > 1")),
            (std::vector<std::string>{"'a' | null | 1 | 2 | 1", "null | 1 | 2 | 2 | 2"}));
}

TEST(Naive, ADistinctRowIsThereOnce) {
  Log log;
  log.event(0, R"({"who":"a","n":1})")
      .event(1, R"({"who":"a","n":3})")
      .event(0, R"({"n":0})")
      .event(0, R"({})");
  const auto answer =
      log.answer("CREATE MATERIALIZED VIEW v AS SELECT DISTINCT who, 6 / n > 1 AS few FROM clicks");
  EXPECT_EQ(lines(answer), (std::vector<std::string>{"'a' | true", "null | null"}));
  EXPECT_EQ(answer.failed, (std::set<Place>{{0, 1}}));
}

TEST(Naive, ASelectReadsTheOneBelowIt) {
  Log log;
  log.event(0, R"({"who":"a","n":1})").event(0, R"({"who":"b","n":0})").event(1, R"({"who":"b","n":4})");
  const auto rows = log.answer(
      "CREATE MATERIALIZED VIEW v AS WITH few AS (SELECT who AS w, n + 1 AS n, 4 / n AS share FROM clicks "
      "WHERE n < 9) "
      "SELECT w, n * 10 AS tens FROM (SELECT * FROM few) AS s WHERE n > 1");
  EXPECT_EQ(lines(rows), (std::vector<std::string>{"'a' | 20", "'b' | 50"}));
  EXPECT_TRUE(rows.failed.empty());  // nobody reads the share of row 2
  const auto groups = log.answer(
      "CREATE MATERIALIZED VIEW v AS SELECT c * 2 AS twice, who FROM (SELECT who, count(*) AS c, sum(8 / n) "
      "AS s FROM "
      "(SELECT n, who FROM clicks WHERE 4 / n > 0) AS q (n, who) GROUP BY who) g WHERE c > 0");
  EXPECT_EQ(lines(groups), (std::vector<std::string>{"2 | 'a'", "2 | 'b'"}));
  EXPECT_EQ(groups.failed, (std::set<Place>{{0, 1}}));
}

TEST(Naive, AViewOverAViewHasItsWindows) {
  auto clicks = naive_stream(kClicks);
  auto below = naive_query(std::string(kWindows) + " EMIT ON WINDOW CLOSE");
  ASSERT_TRUE(clicks.ok() && below.ok());
  auto above = naive_query(
      "CREATE MATERIALIZED VIEW w AS SELECT who, c + 1 AS more, window_start AS began FROM v WHERE c > 1",
      {{"v", &*below}});
  ASSERT_TRUE(above.ok());
  EXPECT_EQ(above->arms[0].source, "clicks");
  Log log;
  log.click(0, "ana", 1).click(0, "bob", 2).click(0, "ana", 3).click(0, "ana", 16).click(0, "ana", 17);
  EXPECT_EQ(lines(log.answer(*above, {*clicks})),
            std::vector<std::string>{"'ana' | 3 | 1970-01-01T00:00:00Z"});
}

TEST(Naive, AUnionIsItsStreamsSideBySide) {
  const auto clicks = naive_stream(kClicks);
  const auto other = naive_stream("CREATE STREAM other (name TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at)");
  const auto view = naive_query(
      "CREATE MATERIALIZED VIEW v AS SELECT window_start, who, count(*) AS c FROM TUMBLE((SELECT who, at "
      "FROM clicks "
      "WHERE n IS NULL UNION ALL SELECT name, at FROM other), at, INTERVAL '10 seconds') GROUP BY "
      "window_start, who");
  const auto rows =
      naive_query("CREATE STREAM o AS SELECT who, at FROM clicks UNION ALL SELECT name, at FROM other");
  ASSERT_TRUE(clicks.ok() && other.ok() && view.ok() && rows.ok());
  Log log;
  log.click(1, "ana", 1).stream(5).event(0, R"({"name":"ana","at":2000})").stream(4).click(1, "ana", 30);
  log.stream(5).event(0, R"({"name":"bob","at":3000})").stream(4).click(1, "bob", 1);
  const auto answer = log.answer(*view, {*clicks, *other});
  EXPECT_EQ(lines(answer),
            (std::vector<std::string>{"1970-01-01T00:00:00Z | 'ana' | 2", "1970-01-01T00:00:00Z | 'bob' | 1",
                                      "1970-01-01T00:00:30Z | 'ana' | 1"}));
  EXPECT_EQ(answer.late, (std::set<Place>{{1, 2}}));
  const auto made = log.answer(*rows, {*clicks, *other}).made;
  ASSERT_EQ(made.at(2).size(), 2u);
  EXPECT_EQ(to_line(made.at(2)[1]), "'bob' | 1970-01-01T00:00:03Z");
}

TEST(Naive, ASetHasEachRowOnce) {
  const auto clicks = naive_stream(kClicks);
  const auto other = naive_stream("CREATE STREAM other (name TEXT, n BIGINT)");
  Log log;
  log.click(0, "ana", 1).click(0, "ana", 2).click(1, "bob", 1).stream(5).event(0, R"({"name":"bob"})");
  log.event(0, R"({"name":"cleo"})").event(0, R"({"n":1})").event(0, R"({"n":2})");
  const auto rows = [&](const std::string& operation) {
    const auto view = naive_query("CREATE MATERIALIZED VIEW v AS SELECT who FROM clicks " + operation +
                                  " SELECT name FROM other");
    EXPECT_TRUE(view.ok() && is_grouped(*view));
    return lines(log.answer(*view, {*clicks, *other}));
  };
  EXPECT_EQ(rows("UNION"), (std::vector<std::string>{"'ana'", "'bob'", "'cleo'", "null"}));
  EXPECT_EQ(rows("INTERSECT"), std::vector<std::string>{"'bob'"});
  EXPECT_EQ(rows("EXCEPT"), std::vector<std::string>{"'ana'"});
}

TEST(Naive, AKeyIsComputedInItsSetsAlone) {
  Log log;
  log.event(0, R"({"who":"a","n":4})").event(0, R"({"who":"b","n":7})").event(0, R"({"who":"b","n":5})");
  EXPECT_EQ(lines(log.answer(
                "CREATE MATERIALIZED VIEW v AS SELECT n % 3 AS rest, who, grouping(n % 3, who) AS level, "
                "count(*) AS c FROM clicks GROUP BY GROUPING SETS ((n % 3), (who))")),
            (std::vector<std::string>{"1 | null | 1 | 2", "2 | null | 1 | 1", "null | 'a' | 2 | 1",
                                      "null | 'b' | 2 | 2"}));
}

TEST(Naive, ArraysAndJson) {
  const std::string stream = "CREATE STREAM clicks (k TEXT, l BIGINT[])";
  Log log;
  log.event(0, R"({"k":"a","l":[1,null]})").event(0, R"({"k":"b"})").event(0, R"({"k":"a","l":[]})");
  const auto of = [&](const std::string& items) {
    const auto answer = log.answer("CREATE MATERIALIZED VIEW v AS SELECT " + items + " FROM clicks", stream);
    EXPECT_TRUE(answer.failed.empty());
    return to_line(answer.rows[0].row);
  };
  EXPECT_EQ(of("jsonb_agg(l), jsonb_object_agg(k, l)"), R"('[[1,null],null,[]]' | '{"a":[],"b":null}')");
  EXPECT_EQ(of("l[1], l[2], l[3], cardinality(l), 1 = ANY (l), 2 = ANY (l)"),
            "1 | null | null | 2 | true | null");
  log.event(0, R"({"l":[1]})").event(0, R"({"l":["x"]})");
  EXPECT_EQ(log.answer("CREATE MATERIALIZED VIEW v AS SELECT jsonb_object_agg(k, 1) AS o FROM clicks", stream)
                .failed,
            (std::set<Place>{{0, 3}, {0, 4}}));
}

TEST(Naive, NumericsAreExact) {
  const std::string stream = "CREATE STREAM clicks (n BIGINT, d NUMERIC)";
  Log log;
  log.event(0, R"({"n":3,"d":0.1})")
      .event(0, R"({"n":4,"d":"0.2"})")
      .event(0, R"({"d":1.25})")
      .event(0, R"({"n":1})");
  const auto of = [&](const std::string& items) {
    return to_line(
        log.answer("CREATE MATERIALIZED VIEW v AS SELECT " + items + " FROM clicks", stream).rows[0].row);
  };
  EXPECT_EQ(of("sum(d), avg(d), min(d), max(d), sum(coalesce(d, n))"),
            "1.55n | 0.51666666666666666667n | 0.1n | 1.25n | 2.55n");
  EXPECT_EQ(of("var_pop(d), sum(d) - sum(n), count(*) FILTER (WHERE d > 0.1)"),
            "0.27055555555555555556n | -6.45n | 2");
  log.event(0, R"({"d":"x"})");
  EXPECT_EQ(log.answer("CREATE STREAM o AS SELECT d FROM clicks", stream).failed, (std::set<Place>{{0, 4}}));
}

TEST(Naive, AFailingRowIsNamedAndCountsNowhere) {
  Log log;
  log.event(0, R"({"who":"a","n":0})").event(0, R"({"who":"a","n":5})").event(0, R"({"who":"a"})");
  const auto answer = log.answer("CREATE STREAM o AS SELECT who, 10 / n AS share FROM clicks");
  ASSERT_EQ(answer.made.at(0).size(), 2u);
  EXPECT_EQ(to_line(answer.made.at(0)[0]), "'a' | 2");
  EXPECT_EQ(to_line(answer.made.at(0)[1]), "'a' | null");
  EXPECT_EQ(answer.failed, (std::set<Place>{{0, 0}}));
}

TEST(Naive, ANullTimeHasNoWindow) {
  Log log;
  log.event(0, R"({"who":"a"})").click(0, "a", 1);
  const auto answer = log.answer(kWindows);
  EXPECT_EQ(lines(answer), std::vector<std::string>{"1970-01-01T00:00:00Z | 'a' | 1"});
  EXPECT_EQ(answer.no_event_time, (std::set<Place>{{0, 0}}));
}

std::string mean(int64_t sum, int64_t count) {
  return numeric_text(naive_quotient({sum, 0}, {count, 0}));
}

TEST(NaiveNumeric, QuotientsAndRootsHavePostgresDigits) {
  EXPECT_EQ(mean(5, 3), "1.6666666666666667");
  EXPECT_EQ(mean(-7, 2), "-3.5");
  EXPECT_EQ(mean(12, 4), "3");
  EXPECT_EQ(mean(0, 4), "0");
  EXPECT_EQ(mean(-1, 30'000), "-0.000033333333333333333333");
  EXPECT_EQ(numeric_text(naive_quotient({125, 2}, {3, 0})), "0.41666666666666666667");
  EXPECT_EQ(numeric_text(naive_root({2, 0}, {1, 0})), "1.414213562373095");
  EXPECT_EQ(numeric_text(naive_root({1, 0}, {3, 0})), "0.57735026918962576451");
  EXPECT_EQ(numeric_text(naive_root({9, 0}, {4, 0})), "1.5");
}

TEST(NaiveNumeric, TextsAndComputes) {
  EXPECT_EQ(numeric_text(*read_numeric("-012.50")), "-12.5");
  EXPECT_EQ(numeric_text(*read_numeric("1.5e3")), "1500");
  EXPECT_EQ(numeric_text(*read_numeric("5e-05")), "0.00005");
  EXPECT_FALSE(read_numeric("1.2.3") || read_numeric("") || read_numeric("1x"));
  EXPECT_EQ(numeric_text(*read_numeric("1.25") * *read_numeric("-4")), "-5");
  EXPECT_EQ(naive_whole(*read_numeric("-2.5")), -3);
}

}  // namespace
}  // namespace millrace::sim
