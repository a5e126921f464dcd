#include "event-gateway/inventory.h"

#include <algorithm>

namespace millrace::gateway {
namespace {

using metadata::DefinitionKind;

bool is_key(const engine::StreamDef& stream, int column) {
  return column == stream.key_column ||
         std::ranges::find(stream.primary_key, column) != stream.primary_key.end();
}

template <typename Wanted>
std::vector<const CatalogEntry*> entries_that(const sql::Catalog& catalog, TenantId tenant, Wanted wanted) {
  std::vector<const CatalogEntry*> out;
  for (const auto* entry : catalog.entries(tenant)) {
    if (wanted(*entry)) out.push_back(entry);
  }
  return out;
}

}  // namespace

std::vector<const CatalogEntry*> streams_of(const sql::Catalog& catalog, TenantId tenant) {
  auto out = entries_that(catalog, tenant, [](const CatalogEntry& entry) { return entry.stream != nullptr; });
  const auto* letters = catalog.find(metadata::DefinitionId(tenant.value));
  if (letters != nullptr && letters->stream != nullptr) out.push_back(letters);
  return out;
}

std::vector<const CatalogEntry*> views_of(const sql::Catalog& catalog, TenantId tenant) {
  return entries_that(catalog, tenant, [](const CatalogEntry& entry) {
    return entry.definition.kind == DefinitionKind::kView && entry.query != nullptr;
  });
}

std::vector<const CatalogEntry*> queries_of(const sql::Catalog& catalog, TenantId tenant) {
  return entries_that(catalog, tenant, [](const CatalogEntry& entry) { return entry.query != nullptr; });
}

const std::string& name_of(const CatalogEntry& entry) {
  return entry.stream ? entry.stream->name : entry.definition.name;
}

std::string_view kind_of(const engine::StreamDef& stream) {
  switch (stream.kind) {
    case engine::StreamKind::kDeclared:
      return "declared";
    case engine::StreamKind::kDerived:
      return "derived";
    case engine::StreamKind::kRepartition:
      return "internal";
    case engine::StreamKind::kDeadLetters:
      return "dead letters";
  }
  return "";
}

const std::string* column_at(const engine::StreamDef& stream, int column) {
  return column < 0 ? nullptr : &stream.columns[static_cast<size_t>(column)].name;
}

std::vector<ColumnInfo> columns_of(const CatalogEntry& entry) {
  const engine::StreamDef* stream = entry.stream.get();
  const Schema schema = stream != nullptr ? stream->columns : entry.query->output_schema();
  std::vector<ColumnInfo> out;
  for (size_t i = 0; i < schema.size(); ++i) {
    const int column = static_cast<int>(i);
    out.push_back({schema[i].name, declared_type(schema[i]), stream != nullptr && is_key(*stream, column),
                   stream != nullptr && stream->watermark_column == column});
  }
  return out;
}

QueryState state_of(const CatalogEntry& entry, engine::ViewReads* views) {
  if (views == nullptr) return {"no processor on this node", {}, {}};
  auto status = views->status(entry.query->id);
  if (!status.ok()) return {"failed: " + status.error().message, status.error(), {}};
  return {status->state, status->failed, std::move(*status)};
}

std::map<TenantId, TenantCounts> tenants_of(const sql::Catalog& catalog, std::optional<TenantId> only) {
  std::map<TenantId, TenantCounts> out;
  for (const auto* entry : catalog.all()) {
    const TenantId tenant = entry->definition.tenant;
    if (only && tenant != *only) continue;
    TenantCounts& counts = out[tenant];
    if (entry->definition.kind == DefinitionKind::kTenant) {
      counts.name = entry->definition.name;
      continue;
    }
    ++(entry->stream ? counts.streams : counts.views);
    if (entry->query) ++counts.queries;
  }
  return out;
}

}  // namespace millrace::gateway
