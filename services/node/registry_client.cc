#include "node/registry_client.h"

#include <fmt/format.h>

namespace millrace::cli {
namespace {

constexpr const char* kType = "application/vnd.schemaregistry.v1+json";
constexpr uint64_t kSubjectDeletedSoftly = 40404, kVersionDeletedSoftly = 40406;

bool is_success(const HttpAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

Error refused(const HttpAnswer& answer) {
  const auto parsed = Json::parse(answer.body, nullptr, false);
  const Code code = answer.status == 404   ? Code::kNotFound
                    : answer.status == 409 ? Code::kConflict
                    : answer.status >= 500 ? Code::kUnavailable
                                           : Code::kInvalid;
  if (parsed.is_object() && parsed.contains("error_code")) {
    return error(code, "MR-CLI-0050",
                 fmt::format("the registry answers {}: {}", parsed["error_code"].dump(),
                             text_in(parsed, "message").value_or("")));
  }
  if (parsed.is_object() && parsed.contains("code")) return error_of(answer);
  return error(code, "MR-CLI-0050",
               fmt::format("the registry answers {} without an error code", answer.status),
               "is this a schema registry's address?");
}

bool was_deleted_softly(const HttpAnswer& answer) {
  if (answer.status != 404) return false;
  const auto code = number_in(Json::parse(answer.body, nullptr, false), "error_code");
  return code == kSubjectDeletedSoftly || code == kVersionDeletedSoftly;
}

Result<Json> parsed(const HttpAnswer& answer) {
  if (!is_success(answer)) return refused(answer);
  auto json = Json::parse(answer.body, nullptr, false);
  if (!json.is_discarded()) return json;
  if (answer.body.empty()) return Json();
  return answers_without("JSON");
}

}  // namespace

Error answers_without(const char* what) {
  return error(Code::kCorrupt, "MR-CLI-0050", fmt::format("the registry answers without {}", what),
               "is this a schema registry's address?");
}

Result<RegistryClient> RegistryClient::open(const ServerOptions& options, HttpClient::Options limits) {
  TRY_ASSIGN(auto client, open_client(options, std::move(limits)));
  return RegistryClient(std::move(client));
}

Result<HttpAnswer> RegistryClient::send(const std::string& method, const std::string& path,
                                        const Json& body) {
  const std::string text = body.is_null() ? "" : body.dump(-1, ' ', false, Json::error_handler_t::replace);
  HttpRequest request{method, path, {{"Accept", kType}}, text};
  if (!body.is_null()) request.headers.emplace_back("Content-Type", kType);
  return client_->call(request);
}

Result<Json> RegistryClient::call(const std::string& method, const std::string& path, const Json& body) {
  TRY_ASSIGN(const HttpAnswer answer, send(method, path, body));
  return parsed(answer);
}

Result<std::optional<Json>> RegistryClient::find(const std::string& path) {
  TRY_ASSIGN(const HttpAnswer answer, send("GET", path, nullptr));
  if (answer.status == 404) return std::optional<Json>();
  TRY_ASSIGN(Json found, parsed(answer));
  return std::optional<Json>(std::move(found));
}

Result<std::optional<Json>> RegistryClient::delete_softly(const std::string& path) {
  TRY_ASSIGN(const HttpAnswer answer, send("DELETE", path, nullptr));
  if (was_deleted_softly(answer)) return std::optional<Json>();
  TRY_ASSIGN(Json gone, parsed(answer));
  return std::optional<Json>(std::move(gone));
}

std::string subject_path(const std::string& subject) {
  return "/subjects/" + percent_encode(subject);
}

std::string version_path(const std::string& subject, const std::string& version) {
  return subject_path(subject) + "/versions/" + percent_encode(version);
}

}  // namespace millrace::cli
