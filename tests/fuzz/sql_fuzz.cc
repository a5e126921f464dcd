// Any bytes as SQL: parsed, bound against a catalog with streams and a view, explained, and every error
// rendered. Nothing may crash, leak or run for long, and a definition that binds has to bind again from its
// own text with the same identity.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sql/sql.h"

namespace {

using namespace millrace;       // NOLINT
using namespace millrace::sql;  // NOLINT

constexpr std::string_view kDefinitions[] = {
    "",
    "CREATE STREAM s (a TEXT, b BIGINT, c DOUBLE PRECISION, d BOOLEAN, t TIMESTAMPTZ, i INTERVAL, "
    "WATERMARK FOR t AS t - INTERVAL '1 minute') WITH (key = 'a', partitions = 4)",
    "CREATE MATERIALIZED VIEW v AS SELECT window_start, a, count(*) AS n FROM TUMBLE(s, t, INTERVAL '1 "
    "hour') GROUP BY 1, 2",
};

CatalogPtr make_catalog() {
  std::vector<metadata::Definition> all(3);
  for (uint32_t i = 0; i < all.size(); ++i) {
    all[i].id = metadata::DefinitionId(i + 1);
    all[i].tenant = TenantId(1);
    all[i].sql = std::string(kDefinitions[i]);
  }
  all[0].kind = metadata::DefinitionKind::kTenant;
  all[0].name = "default";
  all[1].name = "s";
  all[2].name = "v";
  all[2].kind = metadata::DefinitionKind::kView;
  auto catalog = Catalog::load(std::move(all));
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
  auto again = bind(*statements->front(), catalog, TenantId(1));
  if (!again.ok() || std::get<CreateQuery>(*again).plan.identity() != bound.plan.identity()) std::abort();
  if (bound.plan.explain() != std::get<CreateQuery>(*again).plan.explain()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const CatalogPtr catalog = make_catalog();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto statements = parse(text);
  if (!statements.ok()) {
    check_error(statements.error(), text);
    return 0;
  }
  for (const auto& statement : *statements) {
    auto bound = bind(*statement, *catalog, TenantId(1));
    if (!bound.ok()) {
      check_error(bound.error(), text);
    } else if (const auto* query = std::get_if<CreateQuery>(&*bound)) {
      bind_again(*query, statement_text(*statement), *catalog);
    } else if (const auto* select = std::get_if<Select>(&*bound)) {
      if (select->plan.explain().empty()) std::abort();
    }
  }
  return 0;
}
