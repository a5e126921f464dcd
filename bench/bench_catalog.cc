#include "bench/bench_catalog.h"

#include <utility>

namespace millrace::bench {
namespace {

using metadata::Definition;
using metadata::DefinitionKind;

constexpr uint32_t kFirstQuery = 3;

Definition definition(sql::DefinitionId id, DefinitionKind kind, std::string name, std::string_view sql) {
  Definition made;
  made.id = id;
  made.kind = kind;
  made.tenant = sql::tenant_of(kTenantDefinition);
  made.name = std::move(name);
  made.sql = sql;
  return made;
}

// The third word of CREATE STREAM name, the fourth of CREATE MATERIALIZED VIEW name.
std::string name_in(std::string_view sql, bool view) {
  for (int skipped = view ? 3 : 2; skipped > 0; --skipped) sql.remove_prefix(sql.find(' ') + 1);
  return std::string(sql.substr(0, sql.find_first_of(" (")));
}

}  // namespace

sql::DefinitionId query_id(size_t i) {
  return sql::DefinitionId{kFirstQuery + static_cast<uint32_t>(i)};
}

Result<sql::CatalogPtr> catalog_of(std::string_view stream, const std::vector<std::string>& queries) {
  std::vector<Definition> all{
      definition(kTenantDefinition, DefinitionKind::kTenant, "default", ""),
      definition(kStreamDefinition, DefinitionKind::kStream, name_in(stream, false), stream)};
  for (size_t i = 0; i < queries.size(); ++i) {
    const bool view = queries[i].starts_with("CREATE MATERIALIZED VIEW");
    all.push_back(definition(query_id(i), view ? DefinitionKind::kView : DefinitionKind::kDerivedStream,
                             name_in(queries[i], view), queries[i]));
  }
  return sql::Catalog::load(std::move(all));
}

}  // namespace millrace::bench
