// MetadataStore: the definitions (tenants, streams, queries), in SQLite over `Files`.
//
// A definition is inserted first, then activated by a record in the journal, then marked here. A crash
// between leaves a row without a mark: the start looks for its activation in the journal after `created_at`
// and marks or removes it. Marks ahead of the journal's end are not valid (the caller clears them: Rule
// write-ahead).
// Threads: one.
// Errors:  kConflict (the name is taken), kCorrupt, kUnavailable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/types.h"

namespace millrace::metadata {

using DefinitionId = Strong<struct DefinitionTag, uint32_t>;

enum class DefinitionKind : uint8_t { kTenant = 1, kStream = 2, kView = 3, kDerivedStream = 4 };

struct Definition {
  DefinitionId id;  // never reused
  TenantId tenant;  // of a tenant itself: its own number, set by insert()
  DefinitionKind kind = DefinitionKind::kStream;
  std::string name;
  std::string sql;  // empty for a tenant
  Cut created_at;   // the journal's end when the row was inserted
  std::optional<Cut> activated_at;
  std::optional<Cut> dropped_at;
};

struct Setting {
  std::string name, value;
};
struct SettingChange {
  std::string name;
  std::optional<std::string> value;
};

class MetadataStore {
 public:
  // A directory written by a newer version is refused with words (MR-META-0002).
  static Result<std::unique_ptr<MetadataStore>> open(Files& files, const std::string& path);
  virtual ~MetadataStore() = default;
  virtual Result<DefinitionId> insert(const Definition& definition) = 0;  // id is assigned
  virtual Status mark_activated(DefinitionId id, std::optional<Cut> cut) = 0;
  virtual Status mark_dropped(DefinitionId id, std::optional<Cut> cut) = 0;
  virtual Status set_sql(DefinitionId id, const std::string& sql) = 0;  // what it decides of the past stays
  virtual Status remove(DefinitionId id) = 0;
  virtual Result<std::vector<Definition>> list() = 0;                           // by id
  virtual Result<std::optional<std::string>> get(const std::string& name) = 0;  // small settings
  virtual Status put(const std::string& name, const std::string& value) = 0;
  virtual Result<std::string> contents() = 0;  // the bytes of a file that holds what this one does
  virtual Result<std::vector<Setting>> settings(
      const std::string& prefix) = 0;  // whose names begin so, by name
  // All of it or nothing; where there is no value, the setting goes.
  virtual Status change(const std::vector<SettingChange>& changes) = 0;
};

}  // namespace millrace::metadata
