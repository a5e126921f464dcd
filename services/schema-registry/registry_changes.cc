// What a registry takes away, and what it is told: deletes, config, mode, contexts.
#include <fmt/format.h>

#include <algorithm>

#include "formats/jsonb.h"
#include "schema-registry/api_error.h"
#include "schema-registry/json_members.h"
#include "schema-registry/registry.h"
#include "schema-registry/rule_sets.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

using What = Fact::What;

constexpr std::array<std::string_view, 5> kModes = {"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT",
                                                    "FORWARD"};

Status check_writable(const TenantState& state, const std::string& subject) {
  if (!state.mode_of(subject).starts_with("READONLY")) return {};
  return not_permitted(
      fmt::format("Subject {} in context {} is in read-only mode", subject, context_of(subject)));
}

// Whatever is in a scope: of a subject its own versions, of a context all of its subjects, of all everything.
bool has_subjects(const TenantState& state, const std::string& scope) {
  if (scope.empty() || scope == kGlobalScope) return !state.subjects().empty();
  const SubjectName name = SubjectName::parse(scope);
  if (!name.subject.empty()) return state.versions(scope) != nullptr;
  return std::any_of(state.subjects().begin(), state.subjects().end(),
                     [&](const auto& one) { return context_of(one.first) == name.context; });
}

size_t bytes_of(const Config& config) {
  size_t out = 0;
  for (const auto& [key, value] : config) out += key.size() + value.size();
  return out;
}

bool is_in(const std::string& inner, const std::string& scope) {
  if (inner == scope) return false;
  const auto scopes = TenantState::scopes_of(inner);
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

}  // namespace

Result<std::vector<int32_t>> Registry::delete_subject(const std::string& tenant, const std::string& subject,
                                                      bool permanent) {
  std::vector<int32_t> deleted;
  TRY(change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    deleted.clear();
    const Versions* all = state.versions(subject);
    if (all == nullptr) return no_subject(subject);
    TRY(check_writable(state, subject));
    const bool live = state.has_live_versions(subject);
    if (!permanent && !live) return subject_is_deleted(subject);
    if (permanent && live) return subject_is_not_deleted(subject);
    std::vector<Fact> facts;
    for (const auto& [number, version] : *all) {
      if (!permanent && version.deleted) continue;
      if (!state.referrers({subject, number}).empty()) return is_referenced(subject, number);
      Fact one = fact(permanent ? What::kErase : What::kDelete, tenant, subject);
      one.version = number;
      facts.push_back(std::move(one));
      deleted.push_back(number);
    }
    if (state.config(subject) != nullptr) facts.push_back(fact(What::kConfig, tenant, subject));
    if (state.mode(subject) != nullptr) facts.push_back(fact(What::kMode, tenant, subject));
    return facts;
  }));
  return deleted;
}

Status Registry::delete_version(const std::string& tenant, const std::string& subject, int32_t version,
                                bool permanent) {
  return change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    if (state.versions(subject) == nullptr) return no_subject(subject);
    const Version* found = state.find(subject, version);
    if (found == nullptr) return no_version(version);
    if (!permanent && found->deleted) return version_is_deleted(subject, version);
    TRY(check_writable(state, subject));
    if (permanent && !found->deleted) return version_is_not_deleted(subject, version);
    if (!state.referrers({subject, version}).empty()) return is_referenced(subject, version);
    Fact one = fact(permanent ? What::kErase : What::kDelete, tenant, subject);
    one.version = version;
    return std::vector<Fact>{std::move(one)};
  });
}

Result<Config> Registry::set_config(const std::string& tenant, const std::string& scope,
                                    const Config& changes) {
  const auto level = changes.find(std::string(kCompatibilityLevel));
  if (level != changes.end() && level->second != "null" && !level_named(text_of(level->second)))
    return invalid_level();
  const auto policy = changes.find(std::string(kCompatibilityPolicy));
  if (policy != changes.end() && policy->second != "null" && !policy_named(text_of(policy->second)))
    return invalid_policy();
  for (const char* rules : {"defaultRuleSet", "overrideRuleSet"}) {
    const auto at = changes.find(rules);
    if (at != changes.end() && at->second != "null") TRY(check_rule_set(at->second));
  }
  Config result;
  TRY(change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    TRY(check_writable(state, scope));
    const Config* before = state.config(scope);
    result = before == nullptr ? Config() : *before;
    for (const auto& [key, value] : changes) {
      if (value == "null") {
        result.erase(key);
      } else {
        result[key] = value;
      }
    }
    if (bytes_of(result) > options_.max_schema_bytes) return too_large();
    Fact one = fact(What::kConfig, tenant, scope);
    one.config = result;
    return std::vector<Fact>{std::move(one)};
  }));
  return result;
}

Result<Config> Registry::drop_config(const std::string& tenant, const std::string& scope) {
  Config before;
  TRY(change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    const Config* config = state.config(scope);
    if (config == nullptr) {
      if (scope.empty()) return std::vector<Fact>();
      return no_subject(scope);
    }
    TRY(check_writable(state, scope));
    before = *config;
    return std::vector<Fact>{fact(What::kConfig, tenant, scope)};
  }));
  return before;
}

Status Registry::set_mode(const std::string& tenant, const std::string& scope, const std::string& mode,
                          bool force) {
  if (std::find(kModes.begin(), kModes.end(), mode) == kModes.end()) return invalid_mode();
  return change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    if (mode == "IMPORT" && !force && state.mode_of(scope) != mode && has_subjects(state, scope))
      return not_permitted("Cannot import since found existing subjects");
    Fact one = fact(What::kMode, tenant, scope);
    one.mode = mode;
    return std::vector<Fact>{std::move(one)};
  });
}

Result<std::string> Registry::drop_mode(const std::string& tenant, const std::string& scope, bool recursive) {
  std::string before;
  TRY(change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    const std::string* mode = state.mode(scope);
    if (mode == nullptr && !recursive && !scope.empty()) return no_subject(scope);
    before = mode == nullptr ? std::string(kReadWrite) : *mode;
    std::vector<Fact> facts;
    if (mode != nullptr) facts.push_back(fact(What::kMode, tenant, scope));
    for (const auto& [other, unused] : state.modes()) {
      if (recursive && is_in(other, scope)) facts.push_back(fact(What::kMode, tenant, other));
    }
    return facts;
  }));
  return before;
}

Status Registry::drop_context(const std::string& tenant, const std::string& context) {
  return change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    if (has_subjects(state, context_scope(context)) || context == kDefaultContext)
      return context_not_empty(context);
    std::vector<Fact> facts;
    const std::string scope = context_scope(context);
    if (state.config(scope) != nullptr) facts.push_back(fact(What::kConfig, tenant, scope));
    if (state.mode(scope) != nullptr) facts.push_back(fact(What::kMode, tenant, scope));
    if (state.contexts().contains(context)) facts.push_back(fact(What::kDropContext, tenant, context));
    return facts;
  });
}

}  // namespace millrace::registry
