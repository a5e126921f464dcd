// /config, /mode, /contexts, and what the server says of itself.
#include <fmt/format.h>

#include <algorithm>

#include "schema-registry/api_bodies.h"
#include "schema-registry/api_error.h"
#include "schema-registry/handlers.h"
#include "schema-registry/subject_lists.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

const std::string kLevelKey(kCompatibilityLevel);

// What holds in the end: the nearest scope's word; an alias is of its subject alone.
Config effective_config(const TenantState& state, const std::string& scope) {
  Config out = {{kLevelKey, fmt::format("\"{}\"", kDefaultLevel)}};
  auto scopes = TenantState::scopes_of(scope);
  std::reverse(scopes.begin(), scopes.end());
  for (const auto& one : scopes) {
    const Config* config = state.config(one);
    if (config == nullptr) continue;
    for (const auto& [key, value] : *config) {
      if (key != "alias" || one == scope) out[key] = value;
    }
  }
  return out;
}

std::string mode_json(const std::string& mode) {
  return fmt::format("{{\"mode\":\"{}\"}}", mode);
}

}  // namespace

Result<std::string> show_config(Call& call) {
  const std::string scope = call.scope();
  const Config* own = call.state().config(scope);
  if (scope.empty() || call.flag("defaultToGlobal"))
    return config_body(effective_config(call.state(), scope), kCompatibilityLevel);
  if (own == nullptr) return no_config(scope);
  return config_body(*own, kCompatibilityLevel);
}

Result<std::string> set_config(Call& call) {
  TRY_ASSIGN(const Config changes, read_config(call.request.body));
  const std::string scope = call.scope();
  if (!call.arguments.empty() && !SubjectName::parse(scope).subject.empty() && !is_subject_name(scope))
    return invalid_subject(scope);
  TRY(call.registry.set_config(call.tenant(), scope, changes));
  return config_body(changes, "compatibility");
}

Result<std::string> drop_config(Call& call) {
  TRY_ASSIGN(Config before, call.registry.drop_config(call.tenant(), call.scope()));
  if (before.empty()) before[kLevelKey] = fmt::format("\"{}\"", kDefaultLevel);
  return config_body(before, kCompatibilityLevel);
}

Result<std::string> show_mode(Call& call) {
  const std::string scope = call.scope();
  if (scope.empty() || call.flag("defaultToGlobal")) return mode_json(call.state().mode_of(scope));
  const std::string* own = call.state().mode(scope);
  if (own == nullptr) return no_mode(scope);
  return mode_json(*own);
}

Result<std::string> set_mode(Call& call) {
  TRY_ASSIGN(const std::string mode, read_mode(call.request.body));
  const std::string scope = call.scope();
  if (!call.arguments.empty() && !SubjectName::parse(scope).subject.empty() && !is_subject_name(scope))
    return invalid_subject(scope);
  TRY(call.registry.set_mode(call.tenant(), scope, mode, call.flag("force")));
  return mode_json(mode);
}

Result<std::string> drop_mode(Call& call) {
  TRY_ASSIGN(const std::string before,
             call.registry.drop_mode(call.tenant(), call.scope(), call.flag("recursive")));
  return mode_json(before);
}

Result<std::string> list_contexts(Call& call) {
  std::vector<std::string> names = {std::string(kDefaultContext)};
  for (const auto& [name, context] : call.state().contexts()) {
    if (name != kDefaultContext) names.push_back(name);
  }
  const std::string prefix = call.text("contextPrefix");
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
  return names_json(call, std::move(names));
}

Result<std::string> drop_context(Call& call) {
  TRY(call.registry.drop_context(call.tenant(), context_name(call.arguments[0])));
  return std::string();
}

Result<std::string> server_id(Call&) {
  return std::string(
      R"({"scope":{"path":[],"clusters":{"kafka-cluster":"","schema-registry-cluster":"schema-registry"}}})");
}

Result<std::string> server_version(Call&) {
  return std::string(R"({"version":"millrace )" MILLRACE_VERSION R"(","commitId":""})");
}

Result<std::string> server_deployment(Call&) {
  return std::string(R"({"attributes":[]})");
}

Result<std::string> nothing(Call&) {
  return std::string("{}");
}

}  // namespace millrace::registry
