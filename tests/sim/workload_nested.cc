// Queries over queries: subqueries, WITH, UNION ALL, views over views.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "tests/sim/workload.h"
#include "tests/sim/workload_text.h"

namespace millrace::sim {

MadeSource Workload::inner(NaiveStream stream, const std::string& query) {
  stream.key.clear();
  if (random_.chance(2)) {
    stream.name = "(" + query + ")";
    return {stream, ""};
  }
  stream.name = fmt::format("inner_{}", ++names_);
  return {stream, fmt::format("WITH {} AS ({}) ", stream.name, query)};
}

MadeSource Workload::inner_query(const NaiveStream& source) {
  static const char* const kN[] = {
      "n",          "n", "n * 2 AS n", "coalesce(n, id % 5) AS n", "CASE WHEN b THEN n ELSE -n END AS n",
      "20 / n AS n"};
  static const char* const kX[] = {"x", "x", "x + n AS x", "coalesce(x, d) AS x"};
  static const char* const kS[] = {"s", "s", "k || s AS s", "nullif(s, 'a') AS s"};
  static const char* const kD[] = {"d", "d", "d * n AS d", "CASE WHEN n > 5 THEN n ELSE d END AS d"};
  static const char* const kB[] = {"b", "b", "n > 3 AS b", "b IS NOT TRUE AS b"};
  std::string query = fmt::format("SELECT id, k, at, {}, {}, {}, {}, {} FROM {}", pick(kN), pick(kX),
                                  pick(kS), pick(kB), pick(kD), source.name);
  if (random_.chance(2)) query += " WHERE " + row_condition();
  if (random_.chance(3)) query = fmt::format("SELECT * FROM ({}) AS lower WHERE {}", query, row_condition());
  return inner(source, query);
}

std::string Workload::arm_of_union(const NaiveStream& source, bool as_it_is) {
  static const char* const kRows[] = {"id, k, at, n, x, s, b, d", "id + 7, s, at, -n, x, k, b, d * 2",
                                      "id, k, at, coalesce(n, 3), x * 2, s, n > 3, d"};
  std::string query = fmt::format("SELECT {} FROM {}", as_it_is ? kRows[0] : pick(kRows), source.name);
  return random_.chance(2) ? query + " WHERE " + row_condition() : query;
}

MadeSource Workload::inner_union(const NaiveStream& one, const NaiveStream& other) {
  return inner(naive_union({{&one, nullptr}, {&other, nullptr}}),
               arm_of_union(one, true) + " UNION ALL " + arm_of_union(other, false));
}

MadeQuery Workload::make_union(const NaiveStream& one, const NaiveStream& other) {
  const std::string name = fmt::format("derived_{}", ++names_);
  const MadeRetention kept = retention();
  const std::string sql = fmt::format("CREATE STREAM {}{} AS {} UNION ALL {}", name, with(kept.option),
                                      arm_of_union(one, true), arm_of_union(other, false));
  return {must(naive_query(sql), sql), sql, kept};
}

MadeQuery Workload::make_set(const NaiveStream& one, const NaiveStream& other) {
  struct Rows {
    const char* named;
    const char* same;
  };
  static constexpr Rows kRows[] = {{"k, n % 4 AS rest", "k, n % 4"},
                                   {"s, b, n > 4 AS many", "k, n > 3, b"},
                                   {"n, d", "n, d * 2"},
                                   {"k, 20 / n AS share", "s, 12 / n"},
                                   {"CASE WHEN b THEN k ELSE s END AS ks, x > 2 AS far", "k, b"}};
  static const char* const kOperations[] = {"UNION", "UNION", "INTERSECT", "EXCEPT"};
  const Rows& rows = kRows[random_.below(std::size(kRows))];
  const std::string name = fmt::format("set_{}", ++names_);
  const auto where = [&] { return random_.chance(2) ? " WHERE " + row_condition() : ""; };
  std::string sql = fmt::format("CREATE MATERIALIZED VIEW {}{} AS SELECT {} FROM {}{} ", name, with(""),
                                rows.named, one.name, where());
  sql += fmt::format("{} SELECT {} FROM {}{}", pick(kOperations), rows.same, other.name, where());
  return {must(naive_query(sql), sql), sql, {}};
}

MadeQuery Workload::make_view_over(const NaiveQuery& view, const NaiveStream& source) {
  static const char* const kGroups[] = {
      "k, count(*) AS a0, sum(n) AS a1, avg(d) AS a2 FROM {} GROUP BY k",
      "count(*) AS a0, max(x) AS a1, sum(d) FILTER (WHERE n > 3) AS a2 FROM {}",
      "n, k, grouping(n, k) AS level, count(*) AS a0, min(x) AS a1 FROM {} GROUP BY CUBE (n, k)",
      "DISTINCT k, n * 2 AS twice FROM {} WHERE n > 1"};
  const auto& items = view.query->items;
  const auto shows = [&](const char* column) {
    return std::ranges::any_of(items, [&](const auto& item) { return item_name(item) == column; });
  };
  const std::string name = fmt::format("view_{}", ++names_);
  std::string select = "* FROM " + view.name;
  if (is_grouped(view) && shows("a0")) {
    select += random_.chance(2) ? " WHERE a0 IS NOT NULL" : "";
  } else if (!is_grouped(view)) {
    select = shows("n") && !random_.chance(3) ? fmt::format(fmt::runtime(pick(kGroups)), view.name)
                                              : select + " WHERE " + "id % 3 <> 1";
  }
  if (!is_grouped(view) && shows("n") && source.watermark_column >= 0 && random_.chance(3)) {
    select = fmt::format(
        "window_start, window_end, k, count(*) AS a0, sum(n) AS a1 FROM TUMBLE({}, at, INTERVAL '10 "
        "seconds') "
        "GROUP BY window_start, window_end, k{}",
        view.name, emit(source.primary_key.empty(), true));
  }
  const std::string sql = fmt::format("CREATE MATERIALIZED VIEW {} AS SELECT {}", name, select);
  return {must(naive_query(sql, {{view.name, &view}}), sql), sql, {}};
}

}  // namespace millrace::sim
