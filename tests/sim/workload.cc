#include "tests/sim/workload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "tests/sim/workload_text.h"

namespace millrace::sim {
namespace {

constexpr const char* kColumns =
    "id BIGINT, k TEXT, at TIMESTAMPTZ, n BIGINT, x DOUBLE PRECISION, s TEXT, b BOOLEAN, d NUMERIC, l "
    "BIGINT[]";

// Of groups that have the columns of their source: what they are by, and how those columns are shown.
struct Keys {
  const char* columns;
  const char* k;
  const char* s;
};
constexpr Keys kKeys[] = {{"k", "k", "min(s) AS s"}, {"s", "max(k) AS k", "s"}, {"k, s", "k", "s"}};

// When a window of event time closes to a partition that was silent is not told exactly, so shared panes of it close
// here only where there is no other partition, or the source's query tells its watermark.
bool may_close_shared(const NaiveStream& source) {
  return source.watermark_told || source.partitions == 1;
}

}  // namespace

MadeStream Workload::make_stream() {
  const std::string name = fmt::format("events_{}", ++names_);
  std::string sql = fmt::format("CREATE STREAM {} ({}", name, kColumns);
  const bool keyed = random_.chance(4);
  if (keyed) sql += ", PRIMARY KEY (k)";
  if (!random_.chance(4))
    sql += fmt::format(", WATERMARK FOR at AS at - INTERVAL '{} seconds'", random_.below(3) * 5);
  sql += fmt::format(") WITH (format = 'json', partitions = {}", 1 + random_.below(4));
  if (!keyed && !random_.chance(3)) sql += ", key = 'k'";
  const uint64_t idle = random_.below(3);
  if (idle == 0) sql += ", idle_timeout = 'forever'";
  if (idle == 1) sql += ", idle_timeout = '20 seconds'";
  const MadeRetention kept = retention();
  sql += kept.option[0] == '\0' ? "" : std::string(", ") + kept.option;
  if (names_ % 3 == 0) sql += fmt::format(", {}", kKeepsInvalid);  // not drawn: seeds stay what they were
  sql += ")";
  return {must(naive_stream(sql), sql), sql, kept};
}

MadeStream Workload::make_late_stream(const NaiveStream& source) {
  const std::string name = fmt::format("late_{}", ++names_);
  const MadeRetention kept = retention();
  std::vector<std::string> columns;
  for (const auto& column : source.columns)
    columns.push_back(fmt::format("{} {}", column.name, to_string(column.type)));
  const std::string sql = fmt::format(
      "CREATE STREAM {} ({}) WITH (partitions = {}{}{}{}{})", name, fmt::join(columns, ", "),
      source.partitions, source.key.empty() ? "" : ", key = '", source.key, source.key.empty() ? "" : "'",
      kept.option[0] == '\0' ? "" : std::string(", ") + kept.option);
  return {must(naive_stream(sql), sql), sql, kept};
}

MadeRetention Workload::retention() {
  static constexpr MadeRetention kKinds[] = {
      {"retention = '5 seconds'", 5'000'000, 0},
      {"retention = '1 minute'", 60'000'000, 0},
      {"retention_bytes = '10 KB'", 0, 10'000},
      {"retention_bytes = '60 KB'", 0, 60'000},
      {"retention = '3 minutes', retention_bytes = '30 KB'", 180'000'000, 30'000}};
  return retention_ ? kKinds[random_.below(std::size(kKinds))] : MadeRetention();
}

std::string Workload::condition() {
  static const char* const kSimple[] = {"n > 3",
                                        "n <= 7",
                                        "x >= 1.5",
                                        "x < n",
                                        "s = 'b'",
                                        "s <> k",
                                        "b",
                                        "NOT b",
                                        "b IS NOT TRUE",
                                        "n IS NULL",
                                        "x IS NOT NULL",
                                        "k IN ('k1', 'k2', NULL)",
                                        "k NOT IN ('k1', 'k3')",
                                        "n % 3 = 1",
                                        "20 / n > 4",
                                        "n BETWEEN 2 AND 8",
                                        "s LIKE 'a%'",
                                        "coalesce(n, 5) = 5",
                                        "nullif(n, 4) IS NULL",
                                        "n IS DISTINCT FROM 6",
                                        "CASE WHEN b THEN n > 2 WHEN x > 1.0 THEN TRUE END",
                                        "CAST(s AS BIGINT) > 1",
                                        "CAST(x AS BIGINT) = 2",
                                        "at >= TIMESTAMPTZ '2001-01-01 00:00:10+00'",
                                        "PROCTIME() > at + INTERVAL '5 seconds'",
                                        "id >= 0",
                                        "d > 1.5",
                                        "d * 2 < n",
                                        "d / 4 <> 0.25",
                                        "coalesce(d, n) + x > 2",
                                        "CAST(d AS BIGINT) % 2 = 0"};
  const std::string one = pick(kSimple);
  switch (random_.below(4)) {
    case 0:
      return fmt::format("({}) AND ({})", one, pick(kSimple));
    case 1:
      return fmt::format("({}) OR ({})", one, pick(kSimple));
    default:
      return one;
  }
}

MadeQuery Workload::make_derived(const NaiveStream& source) {
  static const char* const kExtra[] = {
      "",
      ", n * 2 AS n2",
      ", x + n AS xn",
      ", 100 / n AS share",
      ", CAST(s AS BIGINT) AS sn",
      ", CASE WHEN n > 5 THEN 'high' WHEN n > 0 THEN 'low' ELSE s END AS level",
      ", at + INTERVAL '90 seconds' AS later",
      ", -n AS minus_n",
      ", PROCTIME() AS came",
      ", k || s AS ks",
      ", d * 1.5 - n AS dn",
      ", d / 4 AS quarter",
      ", CASE WHEN b THEN d WHEN n > 3 THEN n END AS either"};
  const std::string name = fmt::format("derived_{}", ++names_);
  const bool keyed = !source.primary_key.empty();
  std::string extra = pick(kExtra);
  while (keyed && extra.find("PROCTIME") != std::string::npos) extra = pick(kExtra);
  const MadeRetention kept = retention();
  // Of the changes of CUMULATE it is a part of the key.
  const bool began = std::ranges::any_of(source.columns, [](const auto& c) { return c.name == "began"; });
  std::string sql = fmt::format("CREATE STREAM {}{} AS SELECT id, k, at, n, x, s, b, d{}{} FROM {}", name,
                                with(kept.option), began ? ", began" : "", extra, source.name);
  if (!random_.chance(4)) sql += " WHERE " + (keyed ? row_condition() : condition());
  return {must(naive_query(sql), sql), sql, kept};
}

std::string Workload::window_over(const NaiveStream& source) {
  static const char* const kWindows[] = {"TUMBLE({}, at, INTERVAL '5 seconds')",
                                         "TUMBLE({}, at, INTERVAL '15 seconds', INTERVAL '2 seconds')",
                                         "SESSION({}, at, INTERVAL '2 seconds')"};
  static const char* const kShared[] = {"HOP({}, at, INTERVAL '4 seconds', INTERVAL '10 seconds')",
                                        "CUMULATE({}, at, INTERVAL '10 seconds', INTERVAL '30 seconds')"};
  const bool shared = may_close_shared(source) && random_.chance(2);
  return fmt::format(fmt::runtime(shared ? pick(kShared) : pick(kWindows)), source.name);
}

MadeQuery Workload::make_windows(const MadeSource& made, const std::string& late_to) {
  const auto& [source, with_query] = made;
  static const char* const kX[] = {"max(x)", "sum(x)", "avg(x)"};
  const std::string name = fmt::format("windows_{}", ++names_);
  const Keys& keys = kKeys[random_.below(std::size(kKeys))];
  const std::string from = window_over(source);
  const char* at = from.starts_with("SESSION") || random_.chance(3) ? "window_end" : "window_start";
  const MadeRetention kept = retention();
  std::string options = kept.option;
  if (random_.chance(4))
    options += std::string(options.empty() ? "" : ", ") + "allowed_lateness = '4 seconds'";
  std::string sql = fmt::format(
      "CREATE STREAM {}{} AS {}SELECT max(id) AS id, {}, {} AS at, sum(n) AS n, {} AS x, {}, count(b) > 1 AS "
      "b, "
      "sum(d) AS d FROM {}",
      name, with(options), with_query, keys.k, at, pick(kX), keys.s, from);
  if (random_.chance(3)) sql += " WHERE " + condition();
  sql += fmt::format(" GROUP BY window_start, window_end, {}{} EMIT ON WINDOW CLOSE", keys.columns, having());
  if (!late_to.empty()) sql += " LATE DATA TO " + late_to;
  return {must(naive_query(sql), sql), sql, kept};
}

MadeQuery Workload::make_changes(const MadeSource& made, const std::string& late_to) {
  const auto& [source, with_query] = made;
  const std::string name = fmt::format("changes_{}", ++names_);
  const Keys& keys = kKeys[random_.below(std::size(kKeys))];
  const bool table = !source.primary_key.empty();
  const bool windows = !table && source.watermark_column >= 0 && !random_.chance(3);
  const std::string from = windows ? window_over(source) : source.name;
  const bool log = !from.starts_with("SESSION") && random_.chance(3);
  const MadeRetention kept = retention();
  std::string options = kept.option;
  if (log) options += std::string(options.empty() ? "" : ", ") + "changelog = 'retract'";
  std::string sql = fmt::format(
      "CREATE STREAM {}{} AS {}SELECT max(id) AS id, {}, {} AS at, sum(n) AS n, max(x) AS x, {}, count(b) > "
      "1 "
      "AS b, sum(d) AS d{} FROM {}",
      name, with(options), with_query, keys.k, windows ? "window_end" : "max(at)", keys.s,
      from.starts_with("CUMULATE") ? ", window_start AS began" : "", from);
  if (random_.chance(3)) sql += " WHERE " + (table ? row_condition() : condition());
  sql += fmt::format(" GROUP BY {}{}{}", windows ? "window_start, window_end, " : "", keys.columns, having());
  if (windows || random_.chance(2)) sql += " EMIT CHANGES";
  if (windows && !late_to.empty()) sql += " LATE DATA TO " + late_to;
  return {must(naive_query(sql), sql), sql, kept};
}

std::string Workload::with(std::string options) {
  if (random_.chance(4)) options += std::string(options.empty() ? "" : ", ") + "on_error = 'null'";
  return options.empty() ? "" : fmt::format(" WITH ({})", options);
}

// Of a view over windows of event time.
std::string Workload::view_options(bool may_close) {
  static const char* const kClosing[] = {"retention = '8 seconds'", "retention = '1 minute'",
                                         "allowed_lateness = '7 seconds', retention = '20 seconds'"};
  if (random_.chance(2)) return "";
  return may_close && random_.chance(2) ? pick(kClosing) : "allowed_lateness = '4 seconds'";
}

// Behind a grouped view. When a group's change that waits was told is the subscriber's concern alone.
std::string Workload::emit(bool may_close, bool may_wait) {
  if (may_close && random_.chance(2)) return " EMIT ON WINDOW CLOSE";
  static const char* const kEvery[] = {"100 milliseconds", "2 seconds", "5 seconds"};
  return may_wait && random_.chance(3) ? fmt::format(" EMIT EVERY INTERVAL '{}'", pick(kEvery)) : "";
}

std::string Workload::aggregate_list(bool distinct) {
  static const char* const kCalls[] = {
      "count(*)", "count(n)", "sum(n)", "sum(x)", "avg(x)", "avg(n)", "min(s)", "max(s)", "min(x)", "max(n)",
      "max(at)", "sum(n * 2 + 1)", "count(b)", "max(id)", "min(at)", "sum(CASE WHEN b THEN x END)",
      "sum(n) + count(*)", "sum(100 / n)", "any_value(x)", "first_value(s)", "last_value(n)", "bit_xor(n)",
      "string_agg(s, ', ')", "string_agg(k || s, '')", "approx_count_distinct(n)", "approx_count_distinct(s)",
      "max(PROCTIME())", "variance(n)", "stddev(n * 3)", "stddev_pop(n)",
      // Doubles are compared in as many digits as two ways of adding up share.
      "CAST(var_pop(x) * 976.7 AS BIGINT)", "bool_or(n > 5)", "bit_or(n)", "array_agg(k)", "jsonb_agg(n)",
      "jsonb_agg(s ORDER BY n DESC, s)", "jsonb_object_agg(k, n)",
      "jsonb_object_agg(coalesce(s, ''), d ORDER BY n)", "array_agg(n ORDER BY s DESC, n)",
      "string_agg(s, '+' ORDER BY n DESC NULLS LAST)", "first_value(k ORDER BY x)",
      "last_value(n ORDER BY s, k DESC)"};
  static const char* const kDistinct[] = {
      "count(DISTINCT s)",     "count(DISTINCT n)",
      "sum(DISTINCT n)",       "avg(DISTINCT n)",
      "count(DISTINCT x)",     "variance(DISTINCT n)",
      "array_agg(DISTINCT n)", "string_agg(DISTINCT s, '-' ORDER BY s DESC)"};
  std::vector<std::string> calls;
  for (uint64_t left = 1 + random_.below(4); left > 0; --left)
    calls.push_back(filtered(distinct && random_.chance(5) ? pick(kDistinct) : pick(kCalls)));
  return named(calls);
}

// What is a call and nothing else may have a FILTER.
std::string Workload::filtered(std::string call) {
  static const char* const kFilters[] = {"b", "n > 3", "s <> 'a'", "n IS NOT NULL AND x < 3", "20 / n > 4"};
  const bool bare =
      call.ends_with(')') && !call.starts_with("CAST") && call.find(") + ") == std::string::npos;
  return bare && random_.chance(4) ? fmt::format("{} FILTER (WHERE {})", call, pick(kFilters)) : call;
}

std::string Workload::named(const std::vector<std::string>& calls) {
  std::string out;
  for (size_t i = 0; i < calls.size(); ++i)
    out += fmt::format("{}{} AS a{}", i == 0 ? "" : ", ", calls[i], i);
  return out;
}

std::string Workload::row_condition() {
  for (;;) {
    std::string made = condition();
    if (made.find("PROCTIME") == std::string::npos) return made;
  }
}

std::string Workload::retracting_list() {
  static const char* const kCalls[] = {"count(*)",
                                       "count(n)",
                                       "sum(n)",
                                       "avg(n)",
                                       "min(s)",
                                       "max(s)",
                                       "min(x)",
                                       "max(n)",
                                       "max(at)",
                                       "any_value(x)",
                                       "bit_xor(n)",
                                       "sum(100 / n)",
                                       "sum(n) + count(*)",
                                       "count(DISTINCT s)",
                                       "sum(DISTINCT n)",
                                       "count(DISTINCT x)",
                                       "var_pop(n)",
                                       "stddev(n)",
                                       "variance(DISTINCT n)",
                                       "bool_and(n > 0)",
                                       "sum(d)",
                                       "avg(d)",
                                       "min(d)",
                                       "var_samp(d)",
                                       "count(DISTINCT d)"};
  std::vector<std::string> calls;
  for (uint64_t left = 1 + random_.below(4); left > 0; --left) calls.push_back(filtered(pick(kCalls)));
  return named(calls);
}

// Over the rows that upserts and deletes make.
std::string Workload::table_query(const NaiveStream& source) {
  const std::string where = random_.chance(2) ? " WHERE " + row_condition() : "";
  const uint64_t kind = random_.below(5);
  if (kind == 0) return fmt::format("id, k, n, x, d, at FROM {}{}", source.name, where);
  if (kind == 1) return fmt::format("{} FROM {}{}{}", retracting_list(), source.name, where, having());
  const GroupKey key = group_key();
  if (kind == 2) return table_windows(source, where, key);
  if (kind == 3) return fmt::format("DISTINCT k, n > 4 AS many, s FROM {}{}", source.name, where);
  return fmt::format("{}, {} FROM {}{} GROUP BY {}{}{}", key.shown, retracting_list(), source.name, where,
                     key.by, having(), emit(false, true));
}

// A row that leaves a window of several partitions is not told, so when that had closed must follow from the events.
std::string Workload::table_windows(const NaiveStream& source, const std::string& where,
                                    const GroupKey& key) {
  static const char* const kWindows[] = {"TUMBLE({}, at, INTERVAL '10 seconds')",
                                         "HOP({}, at, INTERVAL '4 seconds', INTERVAL '10 seconds')",
                                         "HOP({}, at, INTERVAL '5 seconds', INTERVAL '10 seconds')",
                                         "CUMULATE({}, at, INTERVAL '10 seconds', INTERVAL '30 seconds')"};
  const bool may_close = source.watermark_column >= 0 && source.partitions == 1;
  return fmt::format("window_start, {}, {}, window_end FROM {}{} GROUP BY window_start, window_end, {}{}{}",
                     key.shown, retracting_list(), fmt::format(fmt::runtime(pick(kWindows)), source.name),
                     where, key.by, having(), emit(may_close, true));
}

std::string Workload::having(bool distinct) {
  static const char* const kConditions[] = {
      "count(*) > 2",      "sum(n) > 10",      "max(n) IS NOT NULL",
      "min(x) < max(x)",   "NOT count(b) = 1", "count(*) % 2 = 0 OR min(s) = 'a'",
      "variance(n) > 4.5", "avg(d) > 1.75",    "count(*) FILTER (WHERE b) > 1"};
  if (!random_.chance(4)) return "";
  return std::string(" HAVING ") +
         (distinct && random_.chance(4) ? "count(DISTINCT n) >= 2" : pick(kConditions));
}

Workload::GroupKey Workload::group_key() {
  static const char* const kKeys[] = {"k", "k", "k", "s", "b", "n", "s, b", "k, s", "d"};
  static constexpr GroupKey kSets[] = {
      {"ROLLUP (k, s)", "k, s, grouping(k, s) AS level"},
      {"CUBE (b, k)", "b, k, grouping(k, b) AS level"},
      {"GROUPING SETS ((k), (s), (k, b))", "k, s, b, grouping(k, s, b) AS level"},
      {"k, ROLLUP (n, s)", "k, n, s, grouping(n, s) AS level"},
      {"GROUPING SETS (ROLLUP (k), (d))", "k, d, grouping(k, d) AS level"},
      {"ROLLUP (n % 3, s)", "n % 3 AS rest, s, grouping(n % 3, s) AS level"},
      {"CUBE (k || s, b)", "k || s AS ks, b, grouping(k || s, b) AS level"},
      {"GROUPING SETS ((coalesce(n, d), k), (k, b), ())",
       "coalesce(n, d) AS nd, k, b, grouping(coalesce(n, d), k, b) AS level"},
      {"CUBE (20 / n, k)", "20 / n AS share, k, grouping(20 / n, k) AS level"}};
  if (random_.chance(4)) return kSets[random_.below(std::size(kSets))];
  if (random_.chance(8)) return {"n % 3", "n % 3 AS rest"};
  const char* key = pick(kKeys);
  return {key, key};
}

MadeQuery Workload::make_view(const MadeSource& made, const std::string& late_to) {
  const auto& [source, with_query] = made;
  const std::string name = fmt::format("view_{}", ++names_);
  std::string sql, options;
  if (!source.primary_key.empty()) {
    sql =
        "CREATE MATERIALIZED VIEW " + name + with("") + " AS " + with_query + "SELECT " + table_query(source);
    return {must(naive_query(sql), sql), sql, {}};
  }
  const std::string where = random_.chance(2) ? " WHERE " + condition() : "";
  const uint64_t kind = random_.below(10);
  if (kind == 0) {
    sql += fmt::format("id, k, n, x, d, at FROM {}{}", source.name, where);
  } else if (kind == 1) {
    sql += fmt::format("{} FROM {}{}{}", aggregate_list(), source.name, where, having());
  } else if (kind == 9) {
    static const char* const kRows[] = {"k, s", "n, b", "k, 20 / n AS share", "coalesce(n, d) AS nd, b"};
    sql += fmt::format("DISTINCT {} FROM {}{}", pick(kRows), source.name, where) + emit(false, true);
  } else {
    const GroupKey key = group_key();
    if (kind <= 3) {
      sql += fmt::format("{}, {} FROM {}{} GROUP BY {}{}", key.shown, aggregate_list(), source.name, where,
                         key.by, having()) +
             emit(false, true);
    } else {
      static const char* const kSizes[] = {"5 seconds", "10 seconds", "1 minute"};
      static const char* const kShared[] = {
          "HOP({}, {}, INTERVAL '5 seconds', INTERVAL '10 seconds')",
          "HOP({}, {}, INTERVAL '4 seconds', INTERVAL '10 seconds', INTERVAL '1 second')",
          "CUMULATE({}, {}, INTERVAL '10 seconds', INTERVAL '1 minute')"};
      static const char* const kGaps[] = {"500 milliseconds", "2 seconds", "5 seconds"};
      const bool shared = kind == 7;
      const bool session = kind == 8;
      const bool by_arrival = random_.chance(3);
      const std::string time = by_arrival ? "PROCTIME()" : "at";
      std::string from = fmt::format("TUMBLE({}, {}, INTERVAL '{}')", source.name, time, pick(kSizes));
      if (shared) from = fmt::format(fmt::runtime(pick(kShared)), source.name, time);
      if (session) from = fmt::format("SESSION({}, {}, INTERVAL '{}')", source.name, time, pick(kGaps));
      sql += fmt::format("window_start, {}, {}, window_end FROM {}{} GROUP BY window_start, window_end, {}{}",
                         key.shown, aggregate_list(), from, where, key.by, having());
      const bool event_time = !by_arrival && source.watermark_column >= 0;
      const bool may_close = by_arrival || (event_time && (!shared || may_close_shared(source)));
      if (event_time) options = view_options(may_close);
      sql += emit(may_close, !session);
      if (event_time && !late_to.empty()) sql += " LATE DATA TO " + late_to;
    }
  }
  sql = "CREATE MATERIALIZED VIEW " + name + with(options) + " AS " + with_query + "SELECT " + sql;
  return {must(naive_query(sql), sql), sql, {}};
}

MadeQuery Workload::make_counts(const NaiveStream& source, bool is_view) {
  static const char* const kShared[] = {"HOP({}, ROWS 2, ROWS 6)", "HOP({}, ROWS 1, ROWS 3)",
                                        "HOP({}, ROWS 4, ROWS 10)"};
  static const char* const kPlain[] = {"TUMBLE({}, ROWS 1)", "TUMBLE({}, ROWS 3)", "TUMBLE({}, ROWS 8)"};
  static const char* const kOptions[] = {"", "", "retention_rows = 5", "retention_rows = 12"};
  const bool shared = random_.chance(2);
  const std::string from = fmt::format(fmt::runtime(shared ? pick(kShared) : pick(kPlain)), source.name);
  const std::string where = random_.chance(2) ? " WHERE " + condition() : "";
  const bool by_both = random_.chance(2);
  const std::string keys = source.key == "k" ? (by_both ? "k, s" : "k") : (by_both ? "s" : "k, b");
  const std::string name = fmt::format("counts_{}", ++names_);
  std::string sql;
  MadeRetention kept;
  if (is_view) {
    sql = fmt::format("CREATE MATERIALIZED VIEW {}{} AS SELECT window_start, window_end, {}, {} FROM {}{}",
                      name, with(pick(kOptions)), keys, aggregate_list(!shared), from, where);
  } else {
    kept = retention();
    sql = fmt::format(
        "CREATE STREAM {}{} AS SELECT max(id) AS id, {}, max(at) AS at, sum(n) AS n, sum(x) AS x, {}count(b) "
        "> 1 AS b, min(d) AS d FROM {}{}",
        name, with(kept.option), source.key == "k" ? "k" : "max(k) AS k",
        keys.find('s') == std::string::npos ? "last_value(s) AS s, " : "s, ", from, where);
  }
  sql += fmt::format(" GROUP BY {}, {}{}", random_.chance(2) ? "window_start" : "window_end", keys,
                     having(!shared));
  sql += is_view ? emit(true, true) : " EMIT ON WINDOW CLOSE";
  return {must(naive_query(sql), sql), sql, kept};
}

std::string Workload::time_value(int64_t us) {
  if (random_.chance(2)) return std::to_string(us / 1000);
  return "\"" + naive_timestamp_text(us / 1000 * 1000) + "\"";
}

std::string Workload::bad_event(int64_t id, bool keyed) {
  if (keyed && random_.chance(2))
    return fmt::format(R"({{"id":{}{}}})", id, random_.chance(2) ? "" : R"(,"k":"k1","_op":"remove")");
  static const char* const kBad[] = {R"({{"id":{},"n":"three"}})",
                                     R"({{"id":{},"x":tru}})",
                                     R"({{"id":{},"k":5}})",
                                     R"({{"id":{},"at":"yesterday"}})",
                                     R"([{}])",
                                     R"({{"id":{},"n":1e400}})",
                                     R"({{"id":{},"d":"1.2.3"}})",
                                     R"({{"id":{},"b":"true"}})",
                                     R"({{"id":{},"l":[1,"x"]}})",
                                     R"({{"id":{},"l":3}})"};
  return fmt::format(fmt::runtime(pick(kBad)), id);
}

MadeEvent Workload::make_event(int64_t now_us, const NaiveStream& stream) {
  const int64_t disorder_us = stream.disorder_us;
  const bool keyed = !stream.primary_key.empty();
  MadeEvent event;
  event.id = next_id_++;
  if (random_.chance(25)) {
    event.good = false;
    event.json = bad_event(event.id, keyed);
    return event;
  }
  int64_t at = now_us - static_cast<int64_t>(random_.below(static_cast<uint64_t>(disorder_us) + 2'000'000));
  if (random_.chance(12)) at -= static_cast<int64_t>(random_.below(60'000'000));  // late, maybe
  std::string json = fmt::format("{{\"id\":{}", event.id);
  if (keyed || !random_.chance(10)) json += fmt::format(",\"k\":\"k{}\"", random_.below(keyed ? 15 : 6));
  if (keyed && random_.chance(2))
    json += fmt::format(",\"_op\":\"{}\"", random_.chance(2) ? "delete" : "upsert");
  if (!random_.chance(30)) json += ",\"at\":" + time_value(at);
  if (!random_.chance(6)) json += fmt::format(",\"n\":{}", static_cast<int64_t>(random_.below(14)) - 2);
  if (!random_.chance(6)) json += fmt::format(",\"x\":{}", static_cast<double>(random_.below(60)) / 10 - 1);
  static const char* const kTexts[] = {"\"a\"",       "\"ab\"", "\"b\"", "\"7\"",
                                       "\"\\u00e9\"", "\"\"",   "null",  "\"a\\\"b\""};
  json += fmt::format(",\"s\":{}", pick(kTexts));
  if (!random_.chance(4)) json += random_.chance(2) ? ",\"b\":true" : ",\"b\":false";
  const double d = static_cast<double>(random_.below(40)) / 4 - 2;
  if (!random_.chance(5))
    json += fmt::format(fmt::runtime(random_.chance(3) ? R"(,"d":"{}")" : R"(,"d":{})"), d);
  if (!random_.chance(4)) {
    json += ",\"l\":[";
    for (uint64_t left = random_.below(4), all = left; left > 0; --left)
      json += (left < all ? "," : "") +
              (random_.chance(5) ? std::string("null") : std::to_string(random_.below(5)));
    json += "]";
  }
  if (random_.chance(8)) json += R"(,"unused":{"deep":[1,2,{"x":null}]})";
  event.json = json + "}";
  return event;
}

std::string Workload::body_of(const std::vector<MadeEvent>& events, bool ndjson) const {
  std::string body = ndjson ? "" : "[";
  for (size_t i = 0; i < events.size(); ++i) {
    if (i > 0) body += ndjson ? "\n" : ",";
    body += events[i].json;
  }
  return body + (ndjson ? "\n" : "]");
}

}  // namespace millrace::sim
