// Columns of arrays, and what is made of them.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/workload.h"
#include "tests/sim/workload_text.h"

namespace millrace::sim {

bool Workload::makes_lists(const NaiveStream& source) {
  return source.primary_key.empty() &&
         std::ranges::any_of(source.columns, [](const ColumnDef& column) { return column.name == "l"; });
}

MadeQuery Workload::make_lists(const NaiveStream& source) {
  static const char* const kQueries[] = {
      "k, jsonb_agg(l) AS a0, count(l) AS a1, count(DISTINCT l) AS a2 FROM {}{} GROUP BY k",
      "l, count(*) AS a0, sum(n) AS a1, jsonb_agg(s) AS a2 FROM {}{} GROUP BY l",
      "DISTINCT k, l[1] AS first, cardinality(l) AS size FROM {}{}",
      "l[2] AS second, b, array_agg(l[1]) AS a0, jsonb_object_agg(coalesce(k, ''), l) AS a1 FROM {}{} GROUP "
      "BY l[2], b",
      "l, k, grouping(l, k) AS level, count(*) AS a0, sum(l[1]) AS a1 FROM {}{} GROUP BY CUBE (l, k)",
      "first_value(l) AS a0, last_value(l ORDER BY n) AS a1, jsonb_agg(l ORDER BY s DESC, n) FILTER (WHERE "
      "b) AS a2 FROM {}{}",
      "window_start, k, count(DISTINCT l) AS a0, jsonb_agg(l[1]) AS a1, window_end FROM TUMBLE({}, at, "
      "INTERVAL '10 seconds'){} "
      "GROUP BY window_start, window_end, k"};
  static const char* const kConditions[] = {"n = ANY (l)", "l[1] > 2", "cardinality(l) > 1", "l IS NOT NULL",
                                            "20 / l[1] > 3"};
  const std::string name = fmt::format("lists_{}", ++names_);
  const std::string where = random_.chance(3) ? std::string(" WHERE ") + pick(kConditions) : "";
  const std::string sql = "CREATE MATERIALIZED VIEW " + name + with("") + " AS SELECT " +
                          fmt::format(fmt::runtime(pick(kQueries)), source.name, where);
  return {must(naive_query(sql), sql), sql, {}};
}

}  // namespace millrace::sim
