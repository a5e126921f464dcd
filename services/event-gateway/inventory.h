// Inventory: what a tenant has, and how its queries are, as values. SHOW tells it as rows, HTTP as resources, so that
// both say the same.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/serving.h"
#include "sql/catalog.h"

namespace millrace::gateway {

using CatalogEntry = sql::Catalog::Entry;

// Declared and derived streams in the order in which they were made, then the tenant's dead letters.
std::vector<const CatalogEntry*> streams_of(const sql::Catalog& catalog, TenantId tenant);
std::vector<const CatalogEntry*> views_of(const sql::Catalog& catalog, TenantId tenant);
std::vector<const CatalogEntry*> queries_of(const sql::Catalog& catalog, TenantId tenant);

// Of a stream, a view or a query: the name that statements call it by.
const std::string& name_of(const CatalogEntry& entry);
std::string_view kind_of(const engine::StreamDef& stream);  // "declared", "derived", "dead letters"
// The column's name; null: there is none.
const std::string* column_at(const engine::StreamDef& stream, int column);

struct ColumnInfo {
  std::string name, type;
  bool key = false, watermark = false;
};
std::vector<ColumnInfo> columns_of(const CatalogEntry& entry);  // of a stream or a view

struct QueryState {
  std::string state;             // as engine::QueryStatus says it
  std::optional<Error> failure;  // why it stands
  std::optional<engine::QueryStatus>
      known;  // what is measured; none where no processor runs, or nothing is known
};
QueryState state_of(const CatalogEntry& entry, engine::ViewReads* views);

struct TenantCounts {
  std::string_view name;  // lives as long as the catalog
  size_t streams = 0;     // derived ones included, dead letters not
  size_t views = 0;
  size_t queries = 0;
};
// One pass over the catalog: there may be ten thousand tenants.
std::map<TenantId, TenantCounts> tenants_of(const sql::Catalog& catalog, std::optional<TenantId> only);

}  // namespace millrace::gateway
