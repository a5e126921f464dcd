// Catalog: the names of every tenant and what they stand for. Immutable; a change makes a new one.
//
// A definition is a row of the metadata store: number, tenant, name, SQL text. Everything else (schema, plan)
// follows from binding that text again, in the order of numbers, so nothing derived is stored. Ids follow
// from the number:
//   stream of definition n: n * 4 (declared or derived), its repartition topic: n * 4 + 1, its QueryId: n.
// A tenant's own definition (kind kTenant) makes its dead-letter stream, named "dead_letters"; the TenantId
// of a tenant is its definition's number (the metadata store fills it in). A later definition of a name hides
// an earlier one, so that a catalog may also hold what was dropped (the history). Cost: a change copies maps
// of pointers, so load() is the way to make many.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/plan.h"
#include "metadata/metadata_store.h"

namespace millrace::sql {

using metadata::DefinitionId;

constexpr StreamId stream_of(DefinitionId n) {
  return StreamId(n.value * 4);
}
constexpr StreamId repartition_of(DefinitionId n) {
  return StreamId(n.value * 4 + 1);
}
constexpr QueryId query_of(DefinitionId n) {
  return QueryId(n.value);
}
constexpr TenantId tenant_of(DefinitionId n) {
  return TenantId(n.value);
}
constexpr DefinitionId definition_of(StreamId s) {
  return DefinitionId(s.value / 4);
}

// A declared stream that was given columns had so many until then: for what was defined before it has no more, for ever.
// What * stands for, what a name means and what a plan's identity is of stay what they are.
struct EarlierColumns {
  size_t columns = 0;
  DefinitionId until;  // the last definition that there was
};

class Catalog {
 public:
  struct Entry {
    metadata::Definition definition;
    engine::StreamPtr stream;                  // declared or derived; a tenant's: its dead letters
    engine::PlanPtr query;                     // view or derived stream
    std::vector<EarlierColumns> earlier = {};  // of a declared stream, oldest first

    // The stream as the definition reads it; 0: as a statement of now does.
    engine::StreamPtr stream_for(DefinitionId reader) const;
  };

  // Streams and views share one name space; "dead_letters" is the tenant's own entry. Pointers live as long
  // as any catalog that holds the entry.
  const Entry* find(TenantId tenant, std::string_view name) const;
  const Entry* find(DefinitionId id) const;
  engine::StreamPtr stream(StreamId id) const;  // any kind, also repartition and dead letters
  engine::StreamPtr dead_letters(TenantId tenant) const;
  std::vector<const Entry*> entries(TenantId tenant) const;  // streams and views, by number
  std::vector<const Entry*> all() const;                     // also tenants, by number
  std::vector<const Entry*> readers(
      DefinitionId read) const;  // queries that read the stream or the view, or give late events to it
  const std::string* tenant_name(TenantId tenant) const;
  std::optional<TenantId> tenant(std::string_view name) const;

  // A new catalog with the definition bound and added (or removed).
  Result<std::shared_ptr<const Catalog>> with(const metadata::Definition& definition) const;
  std::shared_ptr<const Catalog> without(DefinitionId id) const;
  static std::shared_ptr<const Catalog> empty(engine::PlanOptions options = {});
  // The same as with() for one after another, by number.
  static Result<std::shared_ptr<const Catalog>> load(std::vector<metadata::Definition> definitions,
                                                     engine::PlanOptions options = {},
                                                     DefinitionId last = {});
  // The highest number of a definition that it has, has had, or was told of: later ones have higher numbers.
  DefinitionId last() const { return last_; }
  const engine::PlanOptions& options() const { return options_; }  // of every plan over it

 private:
  using EntryPtr = std::shared_ptr<const Entry>;
  using NameKey = std::pair<uint32_t, std::string>;

  Status add(const metadata::Definition& definition);
  Status add_tenant(const metadata::Definition& definition);
  void add_entry(Entry entry);

  engine::PlanOptions options_;
  DefinitionId last_;
  std::map<uint32_t, EntryPtr> by_number_;
  std::map<NameKey, EntryPtr> by_name_;
  std::unordered_map<uint32_t, engine::StreamPtr> streams_;
  std::multimap<uint32_t, EntryPtr> readers_;  // by the number of what is read
  std::map<std::string, TenantId, std::less<>> tenants_;
};
using CatalogPtr = std::shared_ptr<const Catalog>;

// Columns of a dead-letter stream: at, cause, code, message, stream, partition, "offset", query, lateness_ms,
// payload.
Schema dead_letter_schema();

}  // namespace millrace::sql
