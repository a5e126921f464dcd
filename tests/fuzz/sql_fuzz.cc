// Any bytes as SQL: parsed, bound against a catalog with streams of every type and a view, explained, and every error
// rendered. A definition that binds has to bind again from its own text with the same identity. A short SELECT is run over
// a few rows, with plans that are optimized and with others: where both have an answer, it is one. Nothing may crash, leak
// or run for long.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "engine/select_tree.h"
#include "formats/json.h"
#include "sql/sql.h"

namespace {

using namespace millrace;       // NOLINT
using namespace millrace::sql;  // NOLINT

constexpr size_t kMostRunBytes = 300;  // of a SELECT that is run: longer ones may take long, too
constexpr size_t kMostRowBytes = 8u << 20;
constexpr Timestamp kNow{1'000'000'000'000'000};

struct Named {
  std::string_view name, sql;
};
constexpr Named kDefinitions[] = {
    {"default", ""},
    {"s",
     "CREATE STREAM s (a TEXT, b BIGINT, c DOUBLE PRECISION, d BOOLEAN, t TIMESTAMPTZ, i INTERVAL, "
     "WATERMARK FOR t AS t - INTERVAL '1 minute') WITH (key = 'a', partitions = 4)"},
    {"every",
     "CREATE STREAM every (b BOOLEAN, i2 SMALLINT, i4 INTEGER, i8 BIGINT, f4 REAL, f8 DOUBLE PRECISION, m "
     "NUMERIC, "
     "p NUMERIC(10, 2), w TEXT, c VARCHAR(5), d DATE, h TIME, ts TIMESTAMP, tz TIMESTAMPTZ, iv INTERVAL, x "
     "BYTEA, "
     "u UUID, j JSONB, ai INTEGER[], aw TEXT[], r ROW<a INTEGER, b TEXT>, ar ROW<a INTEGER>[], "
     "WATERMARK FOR tz AS tz)"},
    {"keyed",
     "CREATE STREAM keyed (k UUID, m NUMERIC, h TIME, j JSONB, t TIMESTAMPTZ, PRIMARY KEY (k), WATERMARK FOR "
     "t AS t)"},
    {"v",
     "CREATE MATERIALIZED VIEW v AS SELECT window_start, a, count(*) AS n FROM TUMBLE(s, t, INTERVAL '1 "
     "hour') GROUP BY 1, 2"},
};
// Rows of `every`.
constexpr std::string_view kRows =
    "VALUES (TRUE, 1::smallint, 2, 3::bigint, 0.5::real, 1.5::double precision, 12.50, 7.25, 'text', 'abc', "
    "DATE '2001-02-03', TIME '10:20:30', TIMESTAMP '2001-02-03 04:05:06', TIMESTAMPTZ "
    "'2001-02-03T04:05:06Z', "
    "INTERVAL '1 mon 2 days 03:00:00', '\\x6162'::bytea, '00000000-0000-0000-0000-00000000000a'::uuid, "
    "'{\"a\": [1, \"b\"]}'::jsonb, '{1,NULL,3}'::integer[], '{a,\"\"}'::text[], "
    "CAST(ROW(1, 'x') AS ROW<a INTEGER, b TEXT>), ARRAY[CAST(ROW(1) AS ROW<a INTEGER>)]), "
    "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
    "NULL, NULL, "
    "NULL, NULL, NULL), "
    "(FALSE, '-32768'::smallint, '-2147483648'::integer, '-9223372036854775808'::bigint, 'NaN'::real, "
    "'-Infinity'::double precision, '-1e100'::numeric, -99999999.99, '', '', DATE '0001-01-01', TIME "
    "'24:00', "
    "TIMESTAMP '9999-12-31 23:59:59.999999', TIMESTAMPTZ '0001-01-01T00:00:00Z', INTERVAL '-1 day', "
    "''::bytea, "
    "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, 'null'::jsonb, '{}'::integer[], NULL, NULL, NULL)";

CatalogPtr make_catalog(engine::PlanOptions options) {
  std::vector<metadata::Definition> all;
  for (const Named& named : kDefinitions) {
    auto& made = all.emplace_back();
    made.id = metadata::DefinitionId(static_cast<uint32_t>(all.size()));
    made.tenant = TenantId(1);
    made.name = std::string(named.name);
    made.sql = std::string(named.sql);
    made.kind = metadata::DefinitionKind::kStream;
  }
  all.front().kind = metadata::DefinitionKind::kTenant;
  all.back().kind = metadata::DefinitionKind::kView;
  auto catalog = Catalog::load(std::move(all), options);
  if (!catalog.ok()) std::abort();
  return *catalog;
}

void check_error(const Error& error, std::string_view text) {
  if (error.code == Code::kInternal || !error.id.starts_with("MR-SQL-") || render_error(error, text).empty())
    std::abort();
}

void bind_again(const CreateQuery& bound, const std::string& text, const Catalog& catalog) {
  auto statements = parse(text);
  if (!statements.ok() || statements->size() != 1) std::abort();
  auto again = bind(*statements->front(), catalog, TenantId(1), kNow);
  if (!again.ok() || std::get<CreateQuery>(*again).plan.identity() != bound.plan.identity()) std::abort();
  if (bound.plan.explain() != std::get<CreateQuery>(*again).plan.explain()) std::abort();
}

Select select_of(const std::string& text, const Catalog& catalog) {
  const auto statements = parse(text);
  if (!statements.ok()) std::abort();
  auto bound = bind(*statements->front(), catalog, TenantId(1), kNow);
  if (!bound.ok()) std::abort();
  return std::get<Select>(std::move(*bound));
}

Batch make_rows(const Catalog& catalog) {
  auto rows = engine::run_select_tree(select_of(std::string(kRows), catalog).plan, {});
  if (!rows.ok()) std::abort();
  const Schema& columns = catalog.find(TenantId(1), "every")->stream->columns;
  if (columns.size() != rows->columns.size()) std::abort();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].type != rows->columns[i].type) std::abort();
  }
  for (size_t row = 0; row < rows->rows; ++row)
    rows->origins.push_back({PartitionId(0), Offset(row), Cut(1), AppendTime(int64_t{1} << 50)});
  return *rows;
}

// What a SELECT reads: the rows of `every`, and nothing of the others.
engine::SelectRows rows_for(const engine::SelectPlan& plan, const Batch& every) {
  engine::SelectRows out;
  for (const auto* read : engine::reads_of(plan)) {
    Batch rows;
    if (read->stream && read->stream->name == "every") {
      rows = every;
    } else if (read->view) {
      rows.set_schema(read->view->output_schema());
    } else {
      rows.set_schema((read->stream ? read->stream : read->dead_letters)->columns);
    }
    out.emplace(read, std::move(rows));
  }
  return out;
}

// nullopt: a row fails, or the SELECT takes more than it may.
std::optional<std::string> answer_of(const engine::SelectPlan& plan, const Batch& every, size_t piece_rows) {
  const auto rows = engine::run_select_tree(plan, rows_for(plan, every),
                                            {.max_bytes = kMostRowBytes, .piece_rows = piece_rows});
  if (!rows.ok()) {
    if (rows.error().code == Code::kInternal) std::abort();
    return std::nullopt;
  }
  std::vector<const Column*> columns;
  for (const Column& column : rows->columns) columns.push_back(&column);
  formats::JsonRowWriter writer(engine::names_of(plan.outputs));
  std::string out;
  for (size_t row = 0; row < rows->rows; ++row) writer.append(out, columns, row);
  return out;
}

void run_twice(const engine::SelectPlan& plan, const std::string& text, const Catalog& plain) {
  static const Batch every = make_rows(plain);
  const auto statements = parse(text);
  if (!statements.ok() || statements->size() != 1) std::abort();
  const auto bound = bind(*statements->front(), plain, TenantId(1), kNow);
  const auto optimized = answer_of(plan, every, every.rows);
  // What is constant only once it is computed, and PROCTIME() over a query: refused here.
  if (!bound.ok()) return;
  const auto computed = answer_of(std::get<Select>(*bound).plan, every, 1);
  if (optimized && computed && *optimized != *computed) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const CatalogPtr catalog = make_catalog({});
  static const CatalogPtr plain = make_catalog({.optimize = false});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto statements = parse(text);
  if (!statements.ok()) {
    check_error(statements.error(), text);
    return 0;
  }
  for (const auto& statement : *statements) {
    auto bound = bind(*statement, *catalog, TenantId(1), kNow);
    if (!bound.ok()) {
      check_error(bound.error(), text);
    } else if (const auto* query = std::get_if<CreateQuery>(&*bound)) {
      bind_again(*query, statement_text(*statement), *catalog);
    } else if (const auto* select = std::get_if<Select>(&*bound)) {
      if (select->plan.explain().empty()) std::abort();
      const std::string own = statement_text(*statement);
      if (own.size() <= kMostRunBytes) run_twice(select->plan, own, *plain);
    }
  }
  return 0;
}
