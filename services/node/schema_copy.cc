#include "node/schema_copy.h"

#include <fmt/format.h>

#include <functional>
#include <set>
#include <sstream>

namespace millrace::cli {
namespace {

constexpr size_t kPage = 1'000;

using Version = std::pair<std::string, int>;

Version version_of(const Json& schema) {
  return {schema.value("subject", ""), schema.value("version", 0)};
}

Code code_of(int status) {
  if (status == 401 || status == 403) return Code::kDenied;
  if (status == 404) return Code::kNotFound;
  if (status == 409) return Code::kConflict;
  return status >= 500 ? Code::kUnavailable : Code::kInvalid;
}

Result<std::vector<Json>> all_schemas(HttpClient& client, bool deleted) {
  std::vector<Json> out;
  while (true) {
    TRY_ASSIGN(const Json page, call_registry(client, "GET",
                                              fmt::format("/schemas?deleted={}&offset={}&limit={}", deleted,
                                                          out.size(), kPage)));
    if (!page.is_array() || page.empty()) return out;
    out.insert(out.end(), page.begin(), page.end());
  }
}

// Nothing where the scope has none of its own.
Result<Json> own(HttpClient& client, const std::string& what, const std::string& scope) {
  auto answer = call_registry(client, "GET", "/" + what + (scope.empty() ? "" : "/" + percent_encode(scope)));
  if (!answer.ok() && answer.error().code == Code::kNotFound) return Json();
  return answer;
}

Status add_settings(HttpClient& client, const std::string& scope, std::vector<Json>& out) {
  TRY_ASSIGN(Json config, own(client, "config", scope));
  if (config.is_object()) {
    if (const auto level = config.find("compatibilityLevel"); level != config.end()) {
      Json value = *level;
      config.erase("compatibilityLevel");
      config["compatibility"] = std::move(value);
    }
    out.push_back({{"config", std::move(config)}, {"scope", scope}});
  }
  TRY_ASSIGN(const Json mode, own(client, "mode", scope));
  if (mode.is_object()) out.push_back({{"mode", mode.value("mode", "")}, {"scope", scope}});
  return {};
}

Status put(HttpClient& client, const std::string& what, const std::string& scope, const Json& body) {
  const std::string path = "/" + what + (scope.empty() ? "" : "/" + percent_encode(scope));
  TRY(call_registry(client, "PUT", path + (what == "mode" ? "?force=true" : ""), body));
  return {};
}

// What refers to others comes behind them: round by round, until nothing is left or nothing moves.
Status in_rounds(std::vector<const Json*> left, const std::function<Status(const Json&)>& act) {
  while (!left.empty()) {
    std::vector<const Json*> again;
    Status last;
    for (const Json* one : left) {
      last = act(*one);
      if (!last.ok()) again.push_back(one);
    }
    if (again.size() == left.size()) return act(*again.front());
    left = std::move(again);
  }
  return {};
}

std::string subject_path(const Json& schema) {
  return "/subjects/" + percent_encode(schema.value("subject", ""));
}

Status add_version(HttpClient& client, const Json& schema) {
  Json body = schema;
  for (const char* name : {"subject", "deleted", "guid", "ts", "createTs"}) body.erase(name);
  TRY(call_registry(client, "POST", subject_path(schema) + "/versions", body));
  return {};
}

Status delete_version(HttpClient& client, const Json& schema) {
  const auto gone = call_registry(
      client, "DELETE", fmt::format("{}/versions/{}", subject_path(schema), schema.value("version", 0)));
  if (!gone.ok() && gone.error().id != "40406") return gone.error();
  return {};
}

}  // namespace

Result<Json> call_registry(HttpClient& client, const std::string& method, const std::string& target,
                           const Json& body) {
  const std::string text = body.is_null() ? "" : body.dump();
  HttpRequest request{method, target, {{"Accept", "application/vnd.schemaregistry.v1+json"}}, text};
  if (!text.empty()) request.headers.emplace_back("Content-Type", "application/vnd.schemaregistry.v1+json");
  TRY_ASSIGN(const HttpAnswer answer, client.call(request));
  Json parsed = Json::parse(answer.body, nullptr, false);
  if (answer.status < 300) return parsed.is_discarded() ? Json() : std::move(parsed);
  if (!parsed.is_object() || !parsed.contains("error_code")) return error_of(answer);
  return error(code_of(answer.status), std::to_string(parsed.value("error_code", 0)),
               parsed.value("message", ""));
}

Result<std::vector<Json>> export_registry(HttpClient& client) {
  TRY_ASSIGN(const auto live, all_schemas(client, false));
  TRY_ASSIGN(auto all, all_schemas(client, true));
  std::set<Version> there;
  for (const auto& one : live) there.insert(version_of(one));
  std::set<std::string> scopes = {""};
  std::vector<Json> out;
  for (auto& one : all) {
    const Version version = version_of(one);
    if (!there.contains(version)) one["deleted"] = true;
    scopes.insert(version.first);
    if (version.first.starts_with(":."))
      scopes.insert(version.first.substr(0, version.first.find(':', 1) + 1));
    out.push_back({{"schema", std::move(one)}});
  }
  for (const auto& scope : scopes) TRY(add_settings(client, scope, out));
  return out;
}

Result<std::vector<Json>> parse_export(const std::string& text) {
  std::vector<Json> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    Json one = Json::parse(line, nullptr, false);
    const bool known = one.is_object() && (one.contains("schema") || one.contains("scope"));
    if (!known) {
      return error(Code::kInvalid, "MR-CLI-0052",
                   fmt::format("line {} is none that millrace schema export writes", out.size() + 1),
                   "pass what it has printed, unchanged");
    }
    out.push_back(std::move(one));
  }
  return out;
}

Result<size_t> import_registry(HttpClient& client, const std::vector<Json>& lines) {
  std::vector<const Json*> schemas, deleted;
  std::set<std::string> subjects;
  for (const auto& line : lines) {
    const auto schema = line.find("schema");
    if (schema == line.end()) continue;
    schemas.push_back(&*schema);
    if (schema->value("deleted", false)) deleted.push_back(&*schema);
    subjects.insert(version_of(*schema).first);
  }
  for (const auto& subject : subjects) TRY(put(client, "mode", subject, {{"mode", "IMPORT"}}));
  TRY(in_rounds(schemas, [&](const Json& one) { return add_version(client, one); }));
  TRY(in_rounds(deleted, [&](const Json& one) { return delete_version(client, one); }));
  for (const auto& subject : subjects)
    TRY(call_registry(client, "DELETE", "/mode/" + percent_encode(subject)));
  for (const auto& line : lines) {
    if (line.contains("config")) TRY(put(client, "config", line.value("scope", ""), line["config"]));
  }
  for (const auto& line : lines) {
    if (line.contains("mode")) TRY(put(client, "mode", line.value("scope", ""), {{"mode", line["mode"]}}));
  }
  return schemas.size();
}

}  // namespace millrace::cli
