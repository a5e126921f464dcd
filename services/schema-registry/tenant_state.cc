#include "schema-registry/tenant_state.h"

#include <algorithm>

#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

constexpr std::string_view kReadOnlyOverride = "READONLY_OVERRIDE";

template <typename Map>
const typename Map::mapped_type* found_in(const Map& map, const typename Map::key_type& key) {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

}  // namespace

void TenantState::apply(const Fact& fact) {
  switch (fact.what) {
    case Fact::What::kRegister:
      return add(fact);
    case Fact::What::kDelete: {
      const auto at = subjects_.find(fact.subject);
      if (at == subjects_.end()) return;
      const auto version = at->second.find(fact.version);
      if (version != at->second.end()) version->second.deleted = true;
      return;
    }
    case Fact::What::kErase:
      return erase(fact.subject, fact.version);
    case Fact::What::kConfig:
      if (fact.config) {
        configs_[fact.subject] = *fact.config;
      } else {
        configs_.erase(fact.subject);
      }
      return;
    case Fact::What::kMode:
      if (fact.mode) {
        modes_[fact.subject] = *fact.mode;
      } else {
        modes_.erase(fact.subject);
      }
      return;
    case Fact::What::kDropContext:
      contexts_.erase(fact.subject);
      return;
  }
}

void TenantState::add(const Fact& fact) {
  // A soft-deleted version that comes again takes the place of the one before.
  std::vector<int32_t> replaced;
  if (const Versions* before = versions(fact.subject)) {
    for (const auto& [number, version] : *before) {
      const bool again = version.deleted && version.id == fact.id && number < fact.version;
      if (again || number == fact.version) replaced.push_back(number);
    }
  }
  for (const int32_t number : replaced) erase(fact.subject, number);
  Context& context = contexts_[context_of(fact.subject)];
  IdHistory& history = id_histories_[context_of(fact.subject)];
  StoredSchema& stored = context.ids[fact.id];
  if (stored.content == nullptr) {
    stored.content = fact.content;
    stored.guid = guid_of(*fact.content);
    context.by_guid[stored.guid].insert(fact.id);
    ++schemas_;
  }
  stored.versions.emplace(fact.subject, fact.version);
  history.last = std::max(history.last, fact.id);
  history.erased.erase(fact.id);
  subjects_[fact.subject][fact.version] = {fact.version, fact.id, false, fact.time_ms, stored.content};
  ++versions_;
  for (const auto& one : stored.content->references) {
    referrers_[{in_context_of(fact.subject, one.subject), one.version}].emplace(fact.subject, fact.version);
  }
}

void TenantState::erase(const std::string& subject, int32_t number) {
  const Version* version = find(subject, number);
  if (version == nullptr) return;
  ++erasures_;
  for (const auto& one : version->content->references) {
    const auto at = referrers_.find({in_context_of(subject, one.subject), one.version});
    if (at == referrers_.end()) continue;
    at->second.erase({subject, number});
    if (at->second.empty()) referrers_.erase(at);
  }
  Context& context = contexts_[context_of(subject)];
  const auto stored = context.ids.find(version->id);
  stored->second.versions.erase({subject, number});
  if (stored->second.versions.empty()) {
    const auto guid = context.by_guid.find(stored->second.guid);
    guid->second.erase(version->id);
    if (guid->second.empty()) context.by_guid.erase(guid);
    id_histories_[context_of(subject)].erased[version->id] = stored->second.guid;
    context.ids.erase(stored);
    --schemas_;
  }
  const auto at = subjects_.find(subject);
  at->second.erase(number);
  --versions_;
  if (at->second.empty()) subjects_.erase(at);
}

const Versions* TenantState::versions(const std::string& subject) const {
  return found_in(subjects_, subject);
}

bool TenantState::has_live_versions(const std::string& subject) const {
  return latest(subject) != nullptr;
}

const Version* TenantState::find(const std::string& subject, int32_t version) const {
  const Versions* all = versions(subject);
  return all == nullptr ? nullptr : found_in(*all, version);
}

const Version* TenantState::latest(const std::string& subject) const {
  const Versions* all = versions(subject);
  if (all == nullptr) return nullptr;
  const auto last = std::find_if(all->rbegin(), all->rend(), [](const auto& v) { return !v.second.deleted; });
  return last == all->rend() ? nullptr : &last->second;
}

const StoredSchema* TenantState::schema(const std::string& context, int32_t id) const {
  const Context* in = found_in(contexts_, context);
  return in == nullptr ? nullptr : found_in(in->ids, id);
}

int32_t TenantState::last_id(const std::string& context) const {
  const IdHistory* history = found_in(id_histories_, context);
  return history == nullptr ? 0 : history->last;
}

const std::string* TenantState::erased_guid(const std::string& context, int32_t id) const {
  const IdHistory* history = found_in(id_histories_, context);
  return history == nullptr ? nullptr : found_in(history->erased, id);
}

bool TenantState::is_live(const SubjectVersion& version) const {
  const Version* found = find(version.first, version.second);
  return found != nullptr && !found->deleted;
}

std::vector<SubjectVersion> TenantState::referrers(const SubjectVersion& of, bool deleted) const {
  std::vector<SubjectVersion> out;
  const auto* all = found_in(referrers_, of);
  if (all == nullptr) return out;
  for (const auto& one : *all) {
    if (deleted || is_live(one)) out.push_back(one);
  }
  return out;
}

const Config* TenantState::config(const std::string& scope) const {
  return found_in(configs_, scope);
}

const std::string* TenantState::mode(const std::string& scope) const {
  return found_in(modes_, scope);
}

std::vector<std::string> TenantState::scopes_of(const std::string& subject) {
  std::vector<std::string> scopes = {subject, context_scope(context_of(subject)), "",
                                     std::string(kGlobalScope)};
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  return scopes;
}

const std::string* TenantState::config_value(const std::string& subject, std::string_view key) const {
  const std::string name(key);
  for (const auto& scope : scopes_of(subject)) {
    const Config* config = this->config(scope);
    const std::string* value = config == nullptr ? nullptr : found_in(*config, name);
    if (value != nullptr) return value;
  }
  return nullptr;
}

std::string TenantState::mode_of(const std::string& subject) const {
  for (const auto& all : {std::string(kGlobalScope), std::string()}) {
    const std::string* of_all = mode(all);
    if (of_all != nullptr && *of_all == kReadOnlyOverride) return *of_all;
  }
  for (const auto& scope : scopes_of(subject)) {
    if (const std::string* said = mode(scope)) return *said;
  }
  return std::string(kReadWrite);
}

}  // namespace millrace::registry
