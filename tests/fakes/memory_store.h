// A metadata store in memory, for tests; it outlives the Definitions over it, as a file outlives a process.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metadata/metadata_store.h"

namespace millrace::fakes {

struct StoredDefinitions {
  std::map<uint32_t, metadata::Definition> rows;
  std::map<std::string, std::string> settings;
  uint32_t next = 1;
  bool fail_marks = false;
  bool doubt_settings = false;  // one that is put is there, and is said to have failed
  bool doubt_texts = false;     // likewise
};

class MemoryStore final : public metadata::MetadataStore {
 public:
  explicit MemoryStore(std::shared_ptr<StoredDefinitions> stored) : stored_(std::move(stored)) {}

  Result<metadata::DefinitionId> insert(const metadata::Definition& definition) override {
    for (const auto& [id, row] : stored_->rows) {
      if (row.name == definition.name && row.tenant == definition.tenant && row.kind == definition.kind &&
          !row.dropped_at) {
        return error(Code::kConflict, "MR-META-0003", "the name is taken");
      }
    }
    metadata::Definition row = definition;
    row.id = metadata::DefinitionId(stored_->next++);
    stored_->rows[row.id.value] = row;
    return row.id;
  }
  Status mark_activated(metadata::DefinitionId id, std::optional<Cut> cut) override {
    if (stored_->fail_marks) return no_mark();
    stored_->rows.at(id.value).activated_at = cut;
    return {};
  }
  Status mark_dropped(metadata::DefinitionId id, std::optional<Cut> cut) override {
    if (stored_->fail_marks) return no_mark();
    stored_->rows.at(id.value).dropped_at = cut;
    return {};
  }
  Status set_sql(metadata::DefinitionId id, const std::string& sql) override {
    stored_->rows.at(id.value).sql = sql;
    if (stored_->doubt_texts) return no_mark();
    return {};
  }
  Status remove(metadata::DefinitionId id) override {
    stored_->rows.erase(id.value);
    return {};
  }
  Result<std::vector<metadata::Definition>> list() override {
    std::vector<metadata::Definition> all;
    for (const auto& [id, row] : stored_->rows) all.push_back(row);
    return all;
  }
  Result<std::optional<std::string>> get(const std::string& name) override {
    const auto found = stored_->settings.find(name);
    if (found == stored_->settings.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }
  Status put(const std::string& name, const std::string& value) override {
    stored_->settings[name] = value;
    if (stored_->doubt_settings) return no_mark();
    return {};
  }
  Result<std::string> contents() override { return std::string(); }
  Result<std::vector<metadata::Setting>> settings(const std::string& prefix) override {
    std::vector<metadata::Setting> out;
    for (const auto& [name, value] : stored_->settings) {
      if (name.starts_with(prefix)) out.push_back({name, value});
    }
    return out;
  }
  Status change(const std::vector<metadata::SettingChange>& changes) override {
    if (stored_->fail_marks) return no_mark();
    for (const auto& one : changes) {
      if (one.value) {
        stored_->settings[one.name] = *one.value;
      } else {
        stored_->settings.erase(one.name);
      }
    }
    return {};
  }

 private:
  static Error no_mark() { return error(Code::kUnavailable, "MR-META-0001", "the disk does not write"); }

  std::shared_ptr<StoredDefinitions> stored_;
};

}  // namespace millrace::fakes
