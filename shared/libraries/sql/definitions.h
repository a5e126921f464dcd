// Definitions: the one way a stream, a view or a tenant comes into being, or ends.
//
// create:  row in the store -> activation record in the journal -> durable -> mark in the store -> done.
// Crash:   leaves either nothing or all of it: recover() finishes what has its activation in the journal and
//          removes what has not. The stream-processor changes its plan at the cut of the activation.
// Order:   changes are made one after the other, each checked against what the one before has left.
// Threads: the core loop.
// Bound:   kMaxWaiting changes (kExhausted).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/journal.h"
#include "metadata/metadata_store.h"
#include "sql/catalog.h"
#include "sql/sql.h"

namespace millrace::sql {

// The payload of ControlKind::kActivation. Where a query's history begins is written down: retention goes on
// after it, and a crash may undo what retention had removed.
struct Activation {
  enum class What : uint8_t { kStart = 1, kEnd = 2 } what = What::kStart;
  DefinitionId definition;
  Cut oldest;  // kStart: the frames after it were kept then
};
std::string encode_activation(const Activation& activation);
Result<Activation> decode_activation(std::string_view payload);

class Definitions {
 public:
  static constexpr size_t kMaxWaiting = 10'000;
  using Done = std::function<void(Result<DefinitionId>)>;

  // Reads the store, finishes or removes half-made definitions against the journal.
  static Result<std::unique_ptr<Definitions>> open(std::unique_ptr<metadata::MetadataStore> store,
                                                   log::Journal& journal, engine::PlanOptions options = {});

  CatalogPtr catalog() const { return catalog_; }
  metadata::MetadataStore& store() { return *store_; }
  // Also the dropped ones: what a replay over history needs.
  const CatalogPtr& history() const { return history_; }

  // The tenant, made if missing. It can be used at once: what is written for it stands behind its activation
  // in the journal. `done` comes when it is durable.
  Result<TenantId> ensure_tenant(const std::string& name, Done done);
  void create(TenantId tenant, metadata::DefinitionKind kind, const std::string& name, const std::string& sql,
              Done done);
  void drop(DefinitionId id, Done done);
  // A view goes on under another text, which shows the groups that it has (may_replace): that decides nothing of what
  // steps do, so the store alone knows of it. kConflict: the catalog has changed since the statement was bound.
  void replace(DefinitionId id, const std::string& sql, Done done);
  // A declared stream goes on under another text, which says of what comes in and how long it is kept something else, or
  // has more columns, for later definitions: likewise. kConflict: its text is not `from` any more, or there are other
  // definitions than those up to `last`.
  void alter(const Alter& alter, Done done);
  // A paused query stands still at the cut: when its tasks step decides no answer, so the store alone knows of
  // it. The cut is of a frame that nobody has seen yet. Pausing what is paused changes nothing.
  Status pause(DefinitionId id);
  Status resume(DefinitionId id);
  const std::map<uint32_t, Cut>& paused() const { return paused_; }  // by number
  void on_durable(Cut durable);  // called as the journal's durable cut advances
  // Rule (floor): the frames after it are needed by the next start, or by the change under way.
  Cut floor() const;

 private:
  Definitions(std::unique_ptr<metadata::MetadataStore> store, log::Journal& journal,
              engine::PlanOptions options);

  // recover(), in steps
  Status recover();
  Status forget_marks_ahead(std::vector<metadata::Definition>& all);
  Status finish_or_remove(std::vector<metadata::Definition>& all);
  Status build(const std::vector<metadata::Definition>& all);
  Status load_paused();
  Status keep_paused(std::map<uint32_t, Cut> paused);

  // Changes are made one after the other: each is checked against what the one before has left.
  struct Pending {
    Cut cut;
    Activation::What what = Activation::What::kStart;
    metadata::Definition definition;
    Done done;
    Cut oldest{UINT64_MAX};  // kept when it was appended: a query may begin there
  };
  void enqueue(std::function<void()> change);
  void run_next();
  void start_create(metadata::Definition definition, Done done);
  void start_drop(DefinitionId id, Done done);
  Result<DefinitionId> replace_now(DefinitionId id, const std::string& sql);
  Result<DefinitionId> alter_now(const Alter& alter);
  Result<DefinitionId> keep_text(metadata::Definition definition, CatalogPtr catalog);
  Status settle_texts();
  Status bind_now(const metadata::Definition& definition) const;
  Result<metadata::Definition> insert(metadata::Definition definition);
  Result<Cut> append(Activation::What what, DefinitionId definition);
  Cut oldest_kept() const { return Cut(journal_.first_cut().value - 1); }
  void finish(Pending pending);

  std::unique_ptr<metadata::MetadataStore> store_;
  log::Journal& journal_;
  CatalogPtr catalog_;  // what statements see: made and not dropped
  CatalogPtr history_;  // everything
  std::map<uint32_t, Cut> paused_;
  bool paused_in_doubt_ = false;  // a write of it failed: the store may have the new one all the same
  std::vector<DefinitionId> texts_in_doubt_;  // likewise
  bool drop_unmarked_ = false;   // a drop's mark failed: the note of where to look stays for the next start
  Cut unmarked_{UINT64_MAX};     // before the first change whose mark failed
  std::deque<Pending> tenants_;  // in the catalog already, not yet durable
  std::optional<Pending> pending_;  // the change under way
  std::deque<std::function<void()>> waiting_;
};

}  // namespace millrace::sql
