// Aggregates over random rows, for a comparison with PostgreSQL (postgres_aggregates.py).
//
//   sql_aggregates SEED COUNT
//
// prints "S", a statement that makes the rows there; then COUNT times "Q", an expression, its value here; tabs between
// them.
#include <fmt/format.h>

#include <cstdlib>

#include "base/buffer.h"
#include "base/random.h"
#include "engine/select.h"
#include "formats/json.h"
#include "sql/sql.h"

namespace millrace {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kColumns =
    "(id bigint, n bigint, s smallint, m numeric(20,4), x double precision, w text, b boolean, j jsonb)";

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) out.append(c == '\'' && quote == '\'' ? 2 : 1, c);
  return out + quote;
}

// A row as an event and as PostgreSQL's VALUES.
struct Line {
  std::string json;
  std::string values;

  void add(std::string_view name, const std::string& json_value, const std::string& value) {
    json += fmt::format("{}\"{}\":{}", json.empty() ? "{" : ",", name, json_value);
    values += (values.empty() ? "(" : ",") + value;
  }
};

class Maker {
 public:
  explicit Maker(uint64_t seed) : random_(seed) {}

  Line row(size_t id) {
    Line out;
    out.add("id", std::to_string(id), std::to_string(id));
    const bool large = random_.chance(4);
    maybe(out, "n", std::to_string(static_cast<int64_t>(large ? random_.next() >> 2 : random_.below(9)) - 4));
    maybe(out, "s", std::to_string(static_cast<int64_t>(random_.below(7))));
    maybe(out, "m",
          fmt::format("{}{}.{:04}", random_.chance(3) ? "-" : "", random_.below(100'000),
                      random_.below(10'000)));
    maybe(out, "x", fmt::format("{}", random_.unit() * 100 - 20));
    const std::string word = pick({"a", "ab", "b", "c", "Zoe", "été", "", "it's"});
    if (random_.chance(6))
      out.add("w", "null", "NULL");
    else
      out.add("w", quoted(word, '"'), quoted(word, '\''));
    maybe(out, "b", random_.chance(2) ? "true" : "false");
    const std::string json = pick({"{\"a\": 1}", "[1, 2]", "\"x\"", "12", "true"});
    out.add("j", json, quoted(json, '\'') + "::jsonb");
    out.json += "}";
    out.values += ")";
    return out;
  }

  std::string expression() {
    const std::string call = fmt::format(fmt::runtime(pick(kCalls)), argument(), distinct());
    if (call.find("FILTER") != std::string::npos || !random_.chance(3)) return call;
    return fmt::format("{} FILTER (WHERE {})", call, pick({"n > 0", "b", "w <> 'a'", "id % 3 = 1"}));
  }

 private:
  std::string argument() { return pick({"n", "s", "m", "x", "n % 5", "m + 1"}); }
  std::string distinct() { return random_.chance(3) ? "DISTINCT " : ""; }
  std::string pick(const Texts& from) { return from[random_.below(from.size())]; }
  void maybe(Line& line, std::string_view name, const std::string& value) {
    if (random_.chance(6))
      line.add(name, "null", "NULL");
    else
      line.add(name, value, value);
  }

  static inline const Texts kCalls{
      "variance({})",
      "var_samp({})",
      "var_pop({})",
      "stddev({})",
      "stddev_samp({})",
      "stddev_pop({})",
      "variance({1}s)",
      "stddev_pop({1}m)",
      "bit_and({1}s)",
      "bit_or(n % 64)",
      "bit_xor({1}s)",
      "every(b)",
      "bool_or(b)",
      "string_agg(w, ', ' ORDER BY id)",
      "string_agg(w, '' ORDER BY w DESC NULLS LAST, id DESC)",
      "string_agg({1}w, '-' ORDER BY w)",
      "string_agg(DISTINCT w, '/')",
      "string_agg(w || s, '|' ORDER BY m, id)",
      "array_agg(n % 7 ORDER BY id)",
      "array_agg(w ORDER BY w DESC, id)",
      "array_agg(DISTINCT w)",
      "array_agg(b ORDER BY n DESC, id)",
      "max(ARRAY[s, n])",
      "count(DISTINCT ARRAY[w, b::text])",
      "jsonb_agg(n % 7 ORDER BY id)",
      "jsonb_agg(w ORDER BY n DESC, id)",
      "jsonb_agg(j ORDER BY s NULLS FIRST, id)",
      "jsonb_agg(DISTINCT n % 5)",
      "jsonb_object_agg('k' || id % 4, w ORDER BY id)",
      "jsonb_agg(b ORDER BY x DESC, id)",
      "corr({0}, x)",
      "covar_pop(x, {0})",
      "covar_samp({0}, s)",
      "regr_count({1}{0}, x)",
      "regr_avgx(x, {0})",
      "regr_avgy({0}, m)",
      "regr_slope(m, x)",
      "regr_intercept(x, s)",
      "regr_r2(s, {0})",
      "regr_sxx(x, s)",
      "regr_sxy(s, m)",
      "regr_syy(s, 1)",
      "percentile_cont(0.5) WITHIN GROUP (ORDER BY {0})",
      "percentile_cont(0.33) WITHIN GROUP (ORDER BY s) FILTER (WHERE b)",
      "percentile_disc(0.7) WITHIN GROUP (ORDER BY {0})",
      "percentile_disc(0) WITHIN GROUP (ORDER BY w)",
      "percentile_disc(1) WITHIN GROUP (ORDER BY b)",
      "mode() WITHIN GROUP (ORDER BY w)",
      "mode() WITHIN GROUP (ORDER BY s DESC)",
      "percentile_cont(0.3) WITHIN GROUP (ORDER BY {0} DESC)",
      "percentile_disc(0.3) WITHIN GROUP (ORDER BY w DESC)",
      "percentile_disc(ARRAY[0.7, NULL, 0]) WITHIN GROUP (ORDER BY {0} DESC)",
      "percentile_disc(ARRAY[0, 0.5, 1]) WITHIN GROUP (ORDER BY w) FILTER (WHERE b)",
      "percentile_cont(ARRAY[1, 0.25, NULL]) WITHIN GROUP (ORDER BY s)",
      "percentile_cont(ARRAY[0.5, 0.1]) WITHIN GROUP (ORDER BY s DESC) FILTER (WHERE n > 1000000)",
      "mode() WITHIN GROUP (ORDER BY s)",
      "percentile_disc(0.4) WITHIN GROUP (ORDER BY s * INTERVAL '01:00:01.5' DESC)",
      "percentile_cont(ARRAY[0.3, NULL, 0.75]) WITHIN GROUP (ORDER BY s * INTERVAL '01:00:01.5')",
      "rank(2) WITHIN GROUP (ORDER BY {0})",
      "rank(1.5, 'b') WITHIN GROUP (ORDER BY m, w DESC)",
      "rank(3, 'ab', NULL) WITHIN GROUP (ORDER BY s DESC, w, b NULLS FIRST) FILTER (WHERE n > 0)",
      "dense_rank(3) WITHIN GROUP (ORDER BY {0} DESC)",
      "dense_rank(2) WITHIN GROUP (ORDER BY s NULLS FIRST)",
      "dense_rank('b', 2) WITHIN GROUP (ORDER BY w DESC NULLS LAST, s)",
      "percent_rank(NULL) WITHIN GROUP (ORDER BY {0})",
      "percent_rank(2) WITHIN GROUP (ORDER BY s) FILTER (WHERE n > 1000000)",
      "cume_dist('c') WITHIN GROUP (ORDER BY w DESC)",
      "cume_dist(2, true) WITHIN GROUP (ORDER BY s, b)",
      "string_agg({1}w::bytea, '\\x2c'::bytea ORDER BY w::bytea)",
      "count({1}{0})",
      "sum({1}s)",
      "avg(m)",
      "sum(n % 50 * INTERVAL '1 mon -3 days 04:05:06.7')",
      "avg(n % 50 * INTERVAL '1 mon -3 days 04:05:06.7')",
      "avg(s * INTERVAL '1 day 00:00:01.5') FILTER (WHERE b)",
      "min({0})",
      "max(w)",
      "bool_and(w SIMILAR TO '(a|Z)%' OR w IS NULL)",
      "count(*) FILTER (WHERE w SIMILAR TO '[a-b]+|it.s|_t_')",
      "count(*) FILTER (WHERE w SIMILAR TO 'a#_' ESCAPE '#' OR w SIMILAR TO '[^a]{{1,2}}')"};
  Random random_;
};

sql::CatalogPtr catalog() {
  metadata::Definition tenant;
  tenant.id = metadata::DefinitionId(1);
  tenant.kind = metadata::DefinitionKind::kTenant;
  tenant.name = "default";
  metadata::Definition stream;
  stream.id = metadata::DefinitionId(2);
  stream.kind = metadata::DefinitionKind::kStream;
  stream.tenant = TenantId(1);
  stream.name = "t";
  stream.sql = "CREATE STREAM t " + std::string(kColumns);
  auto with_tenant = sql::Catalog::empty()->with(tenant);
  CHECK(with_tenant.ok(), "the catalog takes a tenant");
  auto made = (*with_tenant)->with(stream);
  CHECK(made.ok(), "the catalog takes the stream");
  return *made;
}

std::string answer(const std::string& expression, const sql::Catalog& catalog, const std::string& events) {
  auto statements = sql::parse("SELECT CAST(" + expression + " AS TEXT) AS v FROM t");
  if (!statements.ok()) return statements.error().message;
  auto bound = sql::bind(*statements->front(), catalog, TenantId(1));
  if (!bound.ok()) return std::string(bound.error().id) + " " + bound.error().message;
  const auto& plan = std::get<sql::Select>(*bound).plan;
  const auto values =
      formats::split_ndjson(std::string_view(events).substr(0, events.size() - Buffer::kPadding));
  Batch rows;
  rows.set_schema(plan.stream->columns);
  std::vector<RowError> errors;
  formats::JsonDecoder(plan.stream->columns, {0, 1, 2, 3, 4, 5, 6, 7}).decode(*values, rows, errors);
  CHECK(errors.empty(), "the rows decode");
  const auto made = engine::run_select(plan, rows, {.piece_rows = 3});
  if (!made.ok()) return std::string(made.error().id);
  const Column& value = made->columns[0];
  return value.is_null(0) ? "NULL" : std::string(value.texts[0]);
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  millrace::Maker maker(std::strtoull(argv[1], nullptr, 10));
  std::string events;
  std::string values;
  for (size_t id = 0; id < 40; ++id) {
    const auto row = maker.row(id);
    events += row.json + "\n";
    values += (id == 0 ? "" : ",") + row.values;
  }
  events.resize(events.size() + millrace::Buffer::kPadding);
  fmt::print("S\tCREATE TABLE t {}; INSERT INTO t VALUES {};\n", millrace::kColumns, values);
  const auto catalog = millrace::catalog();
  for (int i = std::atoi(argv[2]); i > 0; --i) {
    const std::string expression = maker.expression();
    fmt::print("Q\t{}\t{}\n", expression, millrace::answer(expression, *catalog, events));
  }
  return 0;
}
