// RegistryClient: calls of a schema registry's HTTP API: Millrace's, or another one that speaks it.
//
// Errors: MR-CLI-0050: the registry has refused; the message has its number and its words; or it has answered with
// something else than a registry does. Those of HttpClient.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "node/cli.h"
#include "node/json_members.h"

namespace millrace::cli {

class RegistryClient {
 public:
  static Result<RegistryClient> open(const ServerOptions& options, HttpClient::Options limits = {});

  // Null: an answer without a body.
  Result<Json> call(const std::string& method, const std::string& path, const Json& body = nullptr);
  // Nothing: the registry has no such thing.
  Result<std::optional<Json>> find(const std::string& path);
  // Nothing: it had been deleted softly before.
  Result<std::optional<Json>> delete_softly(const std::string& path);

 private:
  explicit RegistryClient(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}
  Result<HttpAnswer> send(const std::string& method, const std::string& path, const Json& body);

  std::unique_ptr<HttpClient> client_;
};

Error answers_without(const char* what);
// What an answer has to have.
template <typename T>
Result<T> answered(std::optional<T> value, const char* what) {
  if (!value) return answers_without(what);
  return std::move(*value);
}

// The path of a subject, or of one of its versions.
std::string subject_path(const std::string& subject);
std::string version_path(const std::string& subject, const std::string& version);

}  // namespace millrace::cli
