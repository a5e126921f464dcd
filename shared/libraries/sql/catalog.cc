#include "sql/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {

using engine::PlanPtr;
using engine::QueryPlan;
using engine::StreamDef;
using engine::StreamPtr;
using metadata::Definition;
using metadata::DefinitionKind;

namespace {

Error bad_definition(const Definition& definition, std::string_view what) {
  return error(Code::kCorrupt, kBadDefinition,
               fmt::format("definition {} (\"{}\") of the metadata store {}", definition.id.value,
                           definition.name, what),
               "restore the metadata store from a backup, or drop the definition");
}

// The SQL text of a definition, bound again.
Result<BoundStatement> bind_again(const Definition& definition, const Catalog& catalog) {
  auto statements = parse(definition.sql);
  if (!statements.ok()) return bad_definition(definition, "does not parse: " + statements.error().message);
  if (statements->size() != 1) return bad_definition(definition, "does not hold one statement");
  auto bound = bind_definition(*statements->front(), catalog, definition.tenant, definition.id);
  if (!bound.ok()) return bad_definition(definition, "does not bind: " + bound.error().message);
  return bound;
}

StreamPtr with_id(StreamDef stream, StreamId id) {
  stream.id = id;
  return std::make_shared<StreamDef>(std::move(stream));
}

Result<Catalog::Entry> declared_entry(const Definition& definition, CreateStream bound) {
  if (definition.kind != DefinitionKind::kStream || bound.stream.name != definition.name) {
    return bad_definition(definition, "does not match its statement");
  }
  return Catalog::Entry{definition, with_id(std::move(bound.stream), stream_of(definition.id)), nullptr,
                        std::move(bound.earlier)};
}

Result<Catalog::Entry> query_entry(const Definition& definition, const CreateQuery& bound) {
  QueryPlan plan = numbered(bound, definition.id);
  const bool derived = plan.output_stream != nullptr;
  if (definition.kind != (derived ? DefinitionKind::kDerivedStream : DefinitionKind::kView) ||
      plan.name != definition.name) {
    return bad_definition(definition, "does not match its statement");
  }
  return Catalog::Entry{definition, plan.output_stream, std::make_shared<QueryPlan>(plan), {}};
}

}  // namespace

QueryPlan numbered(const CreateQuery& bound, DefinitionId id) {
  QueryPlan plan = bound.plan;
  plan.id = query_of(id);
  if (plan.output_stream) plan.output_stream = with_id(bound.output, stream_of(id));
  if (plan.repartition) plan.repartition_topic = with_id(*plan.repartition_topic, repartition_of(id));
  return plan;
}

// Made for each reader, of which a stream has few from before it was given columns: made for each time that it was, they
// could be 1,600 of as many columns.
StreamPtr Catalog::Entry::stream_for(DefinitionId reader) const {
  const auto then =
      std::ranges::find_if(earlier, [&](const EarlierColumns& one) { return reader <= one.until; });
  if (reader.value == 0 || then == earlier.end()) return stream;
  StreamDef made = *stream;
  const bool has_op = made.op_column >= 0;  // it stays the last
  made.columns.erase(made.columns.begin() + static_cast<long>(then->columns),
                     made.columns.end() - (has_op ? 1 : 0));
  if (has_op) made.op_column = static_cast<int>(then->columns);
  return std::make_shared<StreamDef>(std::move(made));
}

Schema dead_letter_schema() {
  return {{"at", Type::kTimestamptz}, {"cause", Type::kText},  {"code", Type::kText},
          {"message", Type::kText},   {"stream", Type::kText}, {"partition", Type::kBigint},
          {"offset", Type::kBigint},  {"query", Type::kText},  {"lateness_ms", Type::kBigint},
          {"payload", Type::kText}};
}

const Catalog::Entry* Catalog::find(TenantId tenant, std::string_view name) const {
  const auto found = by_name_.find(NameKey(tenant.value, std::string(name)));
  return found == by_name_.end() ? nullptr : found->second.get();
}

const Catalog::Entry* Catalog::find(DefinitionId id) const {
  const auto found = by_number_.find(id.value);
  return found == by_number_.end() ? nullptr : found->second.get();
}

StreamPtr Catalog::stream(StreamId id) const {
  const auto found = streams_.find(id.value);
  return found == streams_.end() ? nullptr : found->second;
}

StreamPtr Catalog::dead_letters(TenantId tenant) const {
  const Entry* entry = find(tenant, kDeadLetterName);
  return entry == nullptr ? nullptr : entry->stream;
}

std::vector<const Catalog::Entry*> Catalog::entries(TenantId tenant) const {
  std::vector<const Entry*> out;
  for (const auto& [number, entry] : by_number_) {
    if (entry->definition.tenant == tenant && entry->definition.kind != DefinitionKind::kTenant)
      out.push_back(entry.get());
  }
  return out;
}

std::vector<const Catalog::Entry*> Catalog::all() const {
  std::vector<const Entry*> out;
  for (const auto& [number, entry] : by_number_) out.push_back(entry.get());
  return out;
}

std::vector<const Catalog::Entry*> Catalog::readers(DefinitionId read) const {
  std::vector<const Entry*> out;
  const auto [from, to] = readers_.equal_range(read.value);
  for (auto it = from; it != to; ++it) out.push_back(it->second.get());
  std::sort(out.begin(), out.end(),
            [](const Entry* a, const Entry* b) { return a->definition.id < b->definition.id; });
  return out;
}

const std::string* Catalog::tenant_name(TenantId tenant) const {
  const Entry* entry = find(tenant, kDeadLetterName);
  return entry == nullptr ? nullptr : &entry->definition.name;
}

std::optional<TenantId> Catalog::tenant(std::string_view name) const {
  const auto found = tenants_.find(name);
  return found == tenants_.end() ? std::nullopt : std::optional(found->second);
}

void Catalog::add_entry(Entry made) {
  const auto entry = std::make_shared<const Entry>(std::move(made));
  const Definition& definition = entry->definition;
  const bool tenant = definition.kind == DefinitionKind::kTenant;
  by_number_[definition.id.value] = entry;
  last_ = std::max(last_, definition.id);
  by_name_[NameKey(definition.tenant.value, tenant ? std::string(kDeadLetterName) : definition.name)] = entry;
  if (entry->stream) streams_[entry->stream->id.value] = entry->stream;
  if (!entry->query) return;
  for (const auto& source : entry->query->sources()) readers_.emplace(definition_of(source->id).value, entry);
  for (const QueryId view : entry->query->views) readers_.emplace(view.value, entry);
  if (entry->query->late_stream) readers_.emplace(definition_of(entry->query->late_stream->id).value, entry);
  if (const auto& topic = entry->query->repartition_topic) streams_[topic->id.value] = topic;
}

Status Catalog::add_tenant(const Definition& definition) {
  Definition own = definition;
  if (own.tenant.value == 0) own.tenant = tenant_of(own.id);
  StreamDef letters;
  letters.tenant = own.tenant;
  letters.name = std::string(kDeadLetterName);
  letters.kind = engine::StreamKind::kDeadLetters;
  letters.columns = dead_letter_schema();
  tenants_[own.name] = own.tenant;
  add_entry(Entry{own, with_id(std::move(letters), stream_of(own.id)), nullptr, {}});
  return {};
}

Status Catalog::add(const Definition& definition) {
  if (definition.id.value == 0 || definition.id.value > UINT32_MAX / 4)
    return bad_definition(definition, "has a number out of range");
  if (by_number_.count(definition.id.value) > 0) return bad_definition(definition, "is there twice");
  if (definition.kind == DefinitionKind::kTenant) return add_tenant(definition);
  TRY_ASSIGN(BoundStatement bound, bind_again(definition, *this));
  if (auto* stream = std::get_if<CreateStream>(&bound)) {
    TRY_ASSIGN(Entry entry, declared_entry(definition, std::move(*stream)));
    add_entry(std::move(entry));
    return {};
  }
  if (auto* query = std::get_if<CreateQuery>(&bound)) {
    TRY_ASSIGN(Entry entry, query_entry(definition, *query));
    add_entry(std::move(entry));
    return {};
  }
  return bad_definition(definition, "does not define anything");
}

Result<CatalogPtr> Catalog::with(const Definition& definition) const {
  auto next = std::make_shared<Catalog>(*this);
  TRY(next->add(definition));
  return CatalogPtr(std::move(next));
}

Result<CatalogPtr> Catalog::load(std::vector<Definition> definitions, engine::PlanOptions options,
                                 DefinitionId last) {
  std::sort(definitions.begin(), definitions.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  auto next = std::make_shared<Catalog>();
  next->options_ = options;
  next->last_ = last;
  for (const Definition& definition : definitions) TRY(next->add(definition));
  return CatalogPtr(std::move(next));
}

CatalogPtr Catalog::without(DefinitionId id) const {
  auto next = std::make_shared<Catalog>(*this);
  const auto found = next->by_number_.find(id.value);
  if (found == next->by_number_.end()) return next;
  const EntryPtr entry = found->second;
  next->by_number_.erase(found);
  std::erase_if(next->by_name_, [&](const auto& named) { return named.second == entry; });
  std::erase_if(next->readers_, [&](const auto& reader) { return reader.second == entry; });
  next->streams_.erase(stream_of(id).value);
  next->streams_.erase(repartition_of(id).value);
  if (entry->definition.kind == DefinitionKind::kTenant) next->tenants_.erase(entry->definition.name);
  return next;
}

CatalogPtr Catalog::empty(engine::PlanOptions options) {
  auto none = std::make_shared<Catalog>();
  none->options_ = options;
  return none;
}

}  // namespace millrace::sql
