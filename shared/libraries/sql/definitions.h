// Definitions: the one way a stream, a view or a tenant comes into being, or ends.
//
// create: row in the metadata store -> activation record in the journal -> durable -> mark in the store -> done.
// A crash between leaves either nothing or all of it: recover() finishes what has its activation in the journal and removes
// what has not. The stream-processor changes its plan at the cut of the activation, which it reads from the journal.
// Threads: the core loop.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "log/journal.h"
#include "metadata/metadata_store.h"
#include "sql/catalog.h"
#include "sql/sql.h"

namespace millrace::sql {

// The payload of ControlKind::kActivation.
struct Activation {
  enum class What : uint8_t { kStart = 1, kEnd = 2 } what = What::kStart;
  DefinitionId definition;
};
std::string encode_activation(const Activation& activation);
Result<Activation> decode_activation(std::string_view payload);

class Definitions {
 public:
  using Done = std::function<void(Result<DefinitionId>)>;

  // Reads the store, finishes or removes half-made definitions against the journal.
  static Result<std::unique_ptr<Definitions>> open(std::unique_ptr<metadata::MetadataStore> store, log::Journal& journal);

  CatalogPtr catalog() const { return catalog_; }
  metadata::MetadataStore& store() { return *store_; }
  // Definitions that ever were, also dropped ones: what a replay over history needs.
  const CatalogPtr& history() const { return history_; }

  Result<TenantId> ensure_tenant(const std::string& name, Done done);  // at once if it is there
  void create(TenantId tenant, metadata::DefinitionKind kind, const std::string& name, const std::string& sql, Done done);
  void drop(DefinitionId id, Done done);
  void on_durable(Cut durable);  // called as the journal's durable cut advances

 private:
  Definitions(std::unique_ptr<metadata::MetadataStore> store, log::Journal& journal);
  Status recover();
  void append(const Activation& activation, Done done);

  struct Pending {
    Cut cut;
    Activation activation;
    Done done;
  };
  std::unique_ptr<metadata::MetadataStore> store_;
  log::Journal& journal_;
  CatalogPtr catalog_;   // what statements see: made and not dropped
  CatalogPtr history_;   // everything
  std::deque<Pending> pending_;
};

}  // namespace millrace::sql
