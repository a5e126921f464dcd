#include "sql/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/bytes.h"
#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {
namespace {

using metadata::Definition;
using metadata::DefinitionKind;

// A setting of the store: the journal's end when the drop under way began. Empty: none is under way.
constexpr const char* kDropsFrom = "drops_from";
constexpr const char* kPaused = "paused";  // a setting of the store: number, cut, number, cut, …
constexpr size_t kScanBytes = 4u << 20;

Error bad_activation() {
  return error(Code::kCorrupt, "MR-DEF-0001", "an activation record does not parse",
               "run millrace log verify");
}
Error name_taken(const std::string& name) {
  return error(Code::kConflict, kNameTaken, fmt::format("\"{}\" exists already", name),
               "choose another name, or write IF NOT EXISTS");
}
Error unknown(DefinitionId id) {
  return error(Code::kNotFound, "MR-DEF-0002", fmt::format("there is no definition {}", id.value),
               "it was dropped meanwhile");
}
Error changed(const std::string& name) {
  return error(Code::kConflict, "MR-DEF-0005",
               fmt::format("\"{}\", or what there is beside it, was changed meanwhile", name),
               "look at it, and alter it again");
}
Error too_many() {
  return error(Code::kExhausted, "MR-DEF-0003", "too many definitions are being changed",
               "try again shortly");
}

// A tenant's number is its definition's.
void name_tenant(Definition& definition) {
  if (definition.kind == DefinitionKind::kTenant) definition.tenant = tenant_of(definition.id);
}

Status check_readers(const Catalog& catalog, const Catalog::Entry& entry) {
  std::vector<std::string> names;
  for (const auto* reader : catalog.readers(entry.definition.id)) names.push_back(reader->definition.name);
  if (names.empty()) return {};
  return error(Code::kConflict, kStillRead,
               fmt::format("\"{}\" is still used by {}", entry.definition.name, list_names(names)),
               "drop those first");
}

struct Found {
  std::map<uint32_t, Cut> started, ended;
};

// The activations in the journal after `from`.
Result<Found> scan_activations(log::Journal& journal, Cut from) {
  Found found;
  Cut at = Cut(std::max(from.value + 1, journal.first_cut().value) - 1);
  const Cut end = journal.end_cut();
  while (at < end) {
    TRY_ASSIGN(const auto frames, journal.read_frames(at, end, kScanBytes));
    if (frames.empty()) break;
    for (const auto& frame : frames) {
      for (const auto& control : frame->controls) {
        if (control.kind != log::ControlKind::kActivation) continue;
        TRY_ASSIGN(const Activation activation, decode_activation(control.payload.view()));
        auto& cuts = activation.what == Activation::What::kStart ? found.started : found.ended;
        cuts[activation.definition.value] = frame->cut;
      }
    }
    at = frames.back()->cut;
  }
  return found;
}

Result<std::optional<Cut>> drops_from(metadata::MetadataStore& store) {
  TRY_ASSIGN(const auto text, store.get(kDropsFrom));
  if (!text || text->empty()) return std::optional<Cut>();
  uint64_t cut = 0;
  std::from_chars(text->data(), text->data() + text->size(), cut);
  return std::optional<Cut>(Cut(cut));
}

}  // namespace

std::string encode_activation(const Activation& activation) {
  std::string payload;
  payload.push_back(static_cast<char>(activation.what));
  append_varint(payload, activation.definition.value);
  append_varint(payload, activation.oldest.value);
  return payload;
}

Result<Activation> decode_activation(std::string_view payload) {
  ByteReader in(payload);
  const auto what = in.le<uint8_t>();
  const uint64_t number = in.varint();
  const Cut oldest(in.varint());
  if (!in.done() || what < 1 || what > 2 || number > UINT32_MAX) return bad_activation();
  return Activation{static_cast<Activation::What>(what), DefinitionId(static_cast<uint32_t>(number)), oldest};
}

Definitions::Definitions(std::unique_ptr<metadata::MetadataStore> store, log::Journal& journal,
                         engine::PlanOptions options)
    : store_(std::move(store)),
      journal_(journal),
      catalog_(Catalog::empty(options)),
      history_(Catalog::empty(options)) {}

Result<std::unique_ptr<Definitions>> Definitions::open(std::unique_ptr<metadata::MetadataStore> store,
                                                       log::Journal& journal, engine::PlanOptions options) {
  std::unique_ptr<Definitions> definitions(new Definitions(std::move(store), journal, options));
  TRY(definitions->recover());
  return definitions;
}

Status Definitions::recover() {
  TRY_ASSIGN(auto all, store_->list());
  for (auto& definition : all) name_tenant(definition);
  TRY(forget_marks_ahead(all));
  TRY(finish_or_remove(all));
  TRY(build(all));
  return load_paused();
}

// Rule (write-ahead): a mark ahead of the journal's end says something that did not happen.
Status Definitions::forget_marks_ahead(std::vector<Definition>& all) {
  const Cut end = journal_.end_cut();
  for (auto& definition : all) {
    if (definition.activated_at && *definition.activated_at > end) {
      TRY(store_->mark_activated(definition.id, std::nullopt));
      definition.activated_at.reset();
    }
    if (definition.dropped_at && *definition.dropped_at > end) {
      TRY(store_->mark_dropped(definition.id, std::nullopt));
      definition.dropped_at.reset();
    }
  }
  return {};
}

Status Definitions::finish_or_remove(std::vector<Definition>& all) {
  TRY_ASSIGN(std::optional<Cut> from, drops_from(*store_));
  const bool dropping = from.has_value();
  for (const auto& definition : all) {
    if (!definition.activated_at)
      from = std::min(from.value_or(definition.created_at), definition.created_at);
  }
  if (!from) return {};
  TRY_ASSIGN(const Found found, scan_activations(journal_, *from));
  for (auto& definition : all) {
    const auto started = found.started.find(definition.id.value);
    if (!definition.activated_at && started != found.started.end()) {
      definition.activated_at = started->second;
      TRY(store_->mark_activated(definition.id, definition.activated_at));
    } else if (!definition.activated_at) {
      TRY(store_->remove(definition.id));
    }
    const auto ended = found.ended.find(definition.id.value);
    if (!definition.dropped_at && ended != found.ended.end()) {
      definition.dropped_at = ended->second;
      TRY(store_->mark_dropped(definition.id, definition.dropped_at));
    }
  }
  std::erase_if(all, [](const Definition& d) { return !d.activated_at; });
  if (dropping) TRY(store_->put(kDropsFrom, ""));
  return {};
}

Status Definitions::build(const std::vector<Definition>& all) {
  TRY_ASSIGN(history_, Catalog::load(all, catalog_->options()));
  std::vector<Definition> there;
  for (const auto& definition : all) {
    if (!definition.dropped_at) there.push_back(definition);
  }
  TRY_ASSIGN(catalog_, Catalog::load(std::move(there), catalog_->options(), history_->last()));
  return {};
}

Status Definitions::load_paused() {
  TRY_ASSIGN(const auto saved, store_->get(kPaused));
  ByteReader in(saved ? std::string_view(*saved) : std::string_view());
  while (in.ok() && !in.done()) {
    const uint64_t number = in.varint();
    const Cut cut(in.varint());
    if (number <= UINT32_MAX && catalog_->find(DefinitionId(static_cast<uint32_t>(number))) != nullptr)
      paused_[static_cast<uint32_t>(number)] = cut;
  }
  if (in.ok()) return {};
  return error(Code::kCorrupt, "MR-DEF-0004", "the metadata store's list of paused queries does not parse",
               "restore the file from a backup of the data directory");
}

Status Definitions::keep_paused(std::map<uint32_t, Cut> paused) {
  std::string saved;
  for (const auto& [number, cut] : paused) {
    append_varint(saved, number);
    append_varint(saved, cut.value);
  }
  paused_in_doubt_ = true;
  TRY(store_->put(kPaused, saved));
  paused_in_doubt_ = false;
  paused_ = std::move(paused);
  return {};
}

Status Definitions::pause(DefinitionId id) {
  if (catalog_->find(id) == nullptr) return unknown(id);
  auto paused = paused_;
  const bool added = paused.try_emplace(id.value, Cut(journal_.end_cut().value + 1)).second;
  if (!added && !paused_in_doubt_) return {};
  return keep_paused(std::move(paused));
}

Status Definitions::resume(DefinitionId id) {
  auto paused = paused_;
  if (paused.erase(id.value) == 0 && !paused_in_doubt_) return {};
  return keep_paused(std::move(paused));
}

Result<Definition> Definitions::insert(Definition definition) {
  definition.created_at = journal_.end_cut();
  TRY_ASSIGN(definition.id, store_->insert(definition));
  name_tenant(definition);
  return definition;
}

Result<Cut> Definitions::append(Activation::What what, DefinitionId definition) {
  log::Group group;
  const Activation activation{what, definition, oldest_kept()};
  group.controls.push_back({log::ControlKind::kActivation, encode_activation(activation)});
  TRY_ASSIGN(const log::Appended appended, journal_.append(std::move(group), log::Priority::kStep));
  return appended.cut;
}

Result<TenantId> Definitions::ensure_tenant(const std::string& name, Done done) {
  if (const auto tenant = catalog_->tenant(name)) {
    if (done) done(DefinitionId(tenant->value));
    return *tenant;
  }
  Definition wanted;
  wanted.kind = DefinitionKind::kTenant;
  wanted.name = name;
  TRY_ASSIGN(Definition definition, insert(std::move(wanted)));
  auto cut = append(Activation::What::kStart, definition.id);
  if (!cut.ok()) {
    TRY(store_->remove(definition.id));
    return std::move(cut).error();
  }
  definition.activated_at = *cut;
  TRY_ASSIGN(history_, history_->with(definition));
  TRY_ASSIGN(catalog_, catalog_->with(definition));
  tenants_.push_back({*cut, Activation::What::kStart, definition, std::move(done)});
  return tenant_of(definition.id);
}

void Definitions::create(TenantId tenant, DefinitionKind kind, const std::string& name,
                         const std::string& sql, Done done) {
  if (waiting_.size() >= kMaxWaiting) return done(too_many());
  Definition definition;
  definition.tenant = tenant;
  definition.kind = kind;
  definition.name = name;
  definition.sql = sql;
  enqueue(
      [this, definition = std::move(definition), done = std::move(done)] { start_create(definition, done); });
}

void Definitions::drop(DefinitionId id, Done done) {
  if (waiting_.size() >= kMaxWaiting) return done(too_many());
  enqueue([this, id, done = std::move(done)] { start_drop(id, done); });
}

void Definitions::replace(DefinitionId id, const std::string& sql, Done done) {
  if (waiting_.size() >= kMaxWaiting) return done(too_many());
  enqueue([this, id, sql, done = std::move(done)] { done(replace_now(id, sql)); });
}

void Definitions::alter(const Alter& alter, Done done) {
  if (waiting_.size() >= kMaxWaiting) return done(too_many());
  enqueue([this, alter, done = std::move(done)] { done(alter_now(alter)); });
}

void Definitions::enqueue(std::function<void()> change) {
  waiting_.push_back(std::move(change));
  if (waiting_.size() == 1) run_next();
}

// A change that fails at once leaves nothing pending, and the next one starts. The one that runs stays in
// front of the queue, so that a callback's new change waits for its turn.
void Definitions::run_next() {
  while (!pending_ && !waiting_.empty()) {
    const auto change = waiting_.front();
    change();
    if (!pending_) waiting_.pop_front();
  }
}

// As the catalog is now: it may have changed since the statement was bound.
Status Definitions::bind_now(const Definition& definition) const {
  TRY_ASSIGN(const auto statements, parse(definition.sql));
  if (statements.size() == 1) TRY(bind(*statements.front(), *catalog_, definition.tenant));
  TRY(catalog_->with(definition));
  return {};
}

void Definitions::start_create(Definition wanted, Done done) {
  if (catalog_->find(wanted.tenant, wanted.name) != nullptr) return done(name_taken(wanted.name));
  if (auto settled = settle_texts(); !settled.ok()) return done(std::move(settled).error());
  auto inserted = insert(std::move(wanted));
  if (!inserted.ok()) return done(std::move(inserted).error());
  Definition definition = std::move(*inserted);
  const auto undo = [&](Error why) {
    const auto removed = store_->remove(definition.id);  // failing that, the next start removes it
    if (!removed.ok()) why.detail += removed.error().to_string();
    done(std::move(why));
  };
  if (auto bound = bind_now(definition); !bound.ok()) return undo(std::move(bound).error());
  auto cut = append(Activation::What::kStart, definition.id);
  if (!cut.ok()) return undo(std::move(cut).error());
  definition.activated_at = *cut;
  pending_ = Pending{*cut, Activation::What::kStart, std::move(definition), std::move(done), oldest_kept()};
}

void Definitions::start_drop(DefinitionId id, Done done) {
  const auto* entry = catalog_->find(id);
  if (entry == nullptr) return done(unknown(id));
  if (auto readers = check_readers(*catalog_, *entry); !readers.ok()) return done(std::move(readers).error());
  if (!drop_unmarked_) {
    auto noted = store_->put(kDropsFrom, std::to_string(journal_.end_cut().value));
    if (!noted.ok()) return done(std::move(noted).error());
  }
  auto cut = append(Activation::What::kEnd, id);
  if (!cut.ok()) return done(std::move(cut).error());
  pending_ = Pending{*cut, Activation::What::kEnd, entry->definition, std::move(done)};
}

Result<DefinitionId> Definitions::replace_now(DefinitionId id, const std::string& sql) {
  const auto* entry = catalog_->find(id);
  if (entry == nullptr) return unknown(id);
  Definition definition = entry->definition;
  definition.sql = sql;
  TRY_ASSIGN(auto catalog, catalog_->without(id)->with(definition));
  if (!may_replace(*catalog_, *entry, *catalog->find(id)->query)) return name_taken(definition.name);
  return keep_text(std::move(definition), std::move(catalog));
}

// A definition that was made since the statement was bound may have been bound to the columns before: it has to be among
// those that do not see the new ones.
Result<DefinitionId> Definitions::alter_now(const Alter& alter) {
  const auto* entry = catalog_->find(alter.definition);
  if (entry == nullptr) return unknown(alter.definition);
  Definition definition = entry->definition;
  const bool others = alter.last.value != 0 && alter.last != catalog_->last();
  if (definition.sql != alter.from || others) return changed(definition.name);
  definition.sql = alter.to;
  TRY_ASSIGN(auto catalog, catalog_->without(definition.id)->with(definition));
  return keep_text(std::move(definition), std::move(catalog));
}

Result<DefinitionId> Definitions::keep_text(Definition definition, CatalogPtr catalog) {
  TRY_ASSIGN(auto history, history_->without(definition.id)->with(definition));
  TRY(settle_texts());
  if (auto kept = store_->set_sql(definition.id, definition.sql); !kept.ok()) {
    texts_in_doubt_.push_back(definition.id);
    return std::move(kept).error();
  }
  catalog_ = std::move(catalog);
  history_ = std::move(history);
  return definition.id;
}

// What a failed write may have left would be bound by the next start. A definition that is made before is bound to what the
// catalog has: the store gets that again first.
Status Definitions::settle_texts() {
  while (!texts_in_doubt_.empty()) {
    const DefinitionId id = texts_in_doubt_.back();
    TRY(store_->set_sql(id, history_->find(id)->definition.sql));
    texts_in_doubt_.pop_back();
  }
  return {};
}

void Definitions::on_durable(Cut durable) {
  while (!tenants_.empty() && tenants_.front().cut <= durable) {
    Pending tenant = std::move(tenants_.front());
    tenants_.pop_front();
    finish(std::move(tenant));
  }
  if (!pending_ || pending_->cut > durable) return;
  Pending pending = std::move(*pending_);
  pending_.reset();
  const auto id = pending.definition.id;
  Done done = std::move(pending.done);
  pending.done = nullptr;
  finish(std::move(pending));
  if (done) done(id);
  waiting_.pop_front();
  run_next();
}

Cut Definitions::floor() const {
  return std::min(unmarked_, pending_ ? pending_->oldest : Cut(UINT64_MAX));
}

// The change is in the journal for good. A mark that cannot be written now is written by the next start.
void Definitions::finish(Pending pending) {
  const auto& definition = pending.definition;
  Status marked;
  if (pending.what == Activation::What::kEnd) {
    marked = store_->mark_dropped(definition.id, pending.cut);
    if (!marked.ok()) drop_unmarked_ = true;
    if (!drop_unmarked_) marked = store_->put(kDropsFrom, "");
    catalog_ = catalog_->without(definition.id);
    paused_.erase(
        definition.id.value);  // its number is not used again: what the store has of it is passed over
  } else {
    marked = store_->mark_activated(definition.id, pending.cut);
    if (definition.kind != DefinitionKind::kTenant) {
      auto now = catalog_->with(definition);
      CHECK(now.ok(), "a definition was bound before it was appended");
      catalog_ = std::move(*now);
      if (auto all = history_->with(definition); all.ok()) history_ = std::move(*all);
    }
  }
  if (!marked.ok()) unmarked_ = std::min(unmarked_, Cut(pending.cut.value - 1));
  if (!marked.ok()) fmt::print(stderr, "millrace: {}\n", marked.error().to_string());
  if (pending.done) pending.done(definition.id);
}

}  // namespace millrace::sql
