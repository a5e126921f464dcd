// TenantState: what a tenant's facts, taken in order, have come to.
//
// Why:        every answer is read from here; nothing is asked of the store to look something up.
// Owns:       everything; contents are shared with whoever got them.
// Threads:    one.
// Invariants: an id's content never changes; an id goes with the last version that has it and never stands for another content.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema-registry/fact.h"
#include "schema-registry/usage.h"

namespace millrace::registry {

inline constexpr std::string_view kCompatibilityLevel = "compatibilityLevel";
inline constexpr std::string_view kCompatibilityPolicy = "compatibilityPolicy";
inline constexpr std::string_view kReadWrite = "READWRITE";
inline bool is_import(std::string_view mode) {
  return mode == "IMPORT" || mode == "FORWARD";
}

struct Version {
  int32_t number = 0;
  int32_t id = 0;
  bool deleted = false;  // softly
  int64_t time_ms = 0;
  ContentPtr content;
};
using Versions = std::map<int32_t, Version>;
using SubjectVersion = std::pair<std::string, int32_t>;

struct StoredSchema {
  ContentPtr content;
  std::string guid;
  std::set<SubjectVersion> versions;  // that have it, soft-deleted ones, too
};

struct Context {
  std::map<int32_t, StoredSchema> ids;
  std::map<std::string, std::set<int32_t>> by_guid;  // several ids: imported ones
};

// What outlives the context itself: clients keep an id's schema for good.
struct IdHistory {
  int32_t last = 0;
  std::map<int32_t, std::string> erased;  // the guids of the contents that they had
};

class TenantState {
 public:
  void apply(const Fact& fact);
  uint64_t erasures() const { return erasures_; }  // of versions, so far
  TenantUsage usage() const { return {subjects_.size(), versions_, schemas_}; }

  const std::map<std::string, Versions>& subjects() const { return subjects_; }
  const std::map<std::string, Context>& contexts() const { return contexts_; }

  const Versions* versions(const std::string& subject) const;  // null: there are none
  bool has_live_versions(const std::string& subject) const;
  const Version* find(const std::string& subject, int32_t version) const;  // deleted or not
  const Version* latest(const std::string& subject) const;                 // that is not deleted
  const StoredSchema* schema(const std::string& context, int32_t id) const;
  int32_t last_id(const std::string& context) const;  // 0: none was given yet
  // Of what the id stood for before it was erased; null: for nothing.
  const std::string* erased_guid(const std::string& context, int32_t id) const;
  bool is_live(const SubjectVersion& version) const;
  // Versions that refer to it; soft-deleted ones, too, if `deleted`.
  std::vector<SubjectVersion> referrers(const SubjectVersion& of, bool deleted = false) const;

  const Config* config(const std::string& scope) const;
  const std::string* mode(const std::string& scope) const;
  const std::map<std::string, std::string>& modes() const { return modes_; }  // by scope
  const std::map<std::string, Config>& configs() const { return configs_; }
  // Of the subject or context, of what it is in, of all; null: nobody has said.
  const std::string* config_value(const std::string& subject, std::string_view key) const;
  std::string mode_of(const std::string& subject) const;

  // The scopes that hold for it, the nearest first.
  static std::vector<std::string> scopes_of(const std::string& subject);

 private:
  void add(const Fact& fact);
  void erase(const std::string& subject, int32_t version);

  std::map<std::string, Versions> subjects_;
  std::map<std::string, Context> contexts_;
  std::map<std::string, IdHistory> id_histories_;  // by context
  std::map<SubjectVersion, std::set<SubjectVersion>> referrers_;
  std::map<std::string, Config> configs_;
  std::map<std::string, std::string> modes_;
  uint64_t erasures_ = 0;
  size_t versions_ = 0, schemas_ = 0;
};

}  // namespace millrace::registry
