#include "schema-registry/api_error.h"

#include <fmt/format.h>

#include <charconv>

namespace millrace::registry {
namespace {

Code code_of(int number) {
  switch (number < 1000 ? number : number / 100) {
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    case 500:
      return Code::kUnavailable;
    default:
      return Code::kInvalid;
  }
}

}  // namespace

Error api_error(int number, std::string message) {
  return error(code_of(number), std::to_string(number), std::move(message));
}

std::optional<int> number_of(const Error& error) {
  int number = 0;
  const char* end = error.id.data() + error.id.size();
  const auto [stop, failure] = std::from_chars(error.id.data(), end, number);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return number;
}

Error no_subject(std::string_view subject) {
  return api_error(40401, fmt::format("Subject '{}' not found.", subject));
}
Error no_version(int32_t version) {
  return api_error(40402, fmt::format("Version {} not found.", version));
}
Error no_schema(std::string_view id) {
  return api_error(40403, id.empty() ? "Schema not found" : fmt::format("Schema {} not found", id));
}
Error subject_is_deleted(std::string_view subject) {
  return api_error(
      40404, fmt::format("Subject '{}' was soft deleted.Set permanent=true to delete permanently", subject));
}
Error subject_is_not_deleted(std::string_view subject) {
  return api_error(
      40405, fmt::format("Subject '{}' was not deleted first before being permanently deleted", subject));
}
Error version_is_deleted(std::string_view subject, int32_t version) {
  return api_error(
      40406, fmt::format("Subject '{}' Version {} was soft deleted.Set permanent=true to delete permanently",
                         subject, version));
}
Error version_is_not_deleted(std::string_view subject, int32_t version) {
  return api_error(
      40407, fmt::format("Subject '{}' Version {} was not deleted first before being permanently deleted",
                         subject, version));
}
Error no_config(std::string_view subject) {
  return api_error(40408,
                   fmt::format("Subject '{}' does not have subject-level compatibility configured", subject));
}
Error no_mode(std::string_view subject) {
  return api_error(40409, fmt::format("Subject '{}' does not have subject-level mode configured", subject));
}
Error incompatible(std::string_view subject, std::string_view details) {
  return api_error(40901, fmt::format("Schema being registered is incompatible with an earlier schema for "
                                      "subject \"{}\", details: {}",
                                      subject, details));
}
Error invalid_schema(std::string message) {
  return api_error(42201, std::move(message));
}
Error invalid_version(std::string_view text) {
  return api_error(42202, fmt::format("The specified version '{}' is not a valid version id. Allowed values "
                                      "are between [1, 2^31-1] and the string \"latest\"",
                                      text));
}
Error invalid_level() {
  return api_error(42203,
                   "Invalid compatibility level. Valid values are none, backward, forward, full, "
                   "backward_transitive, forward_transitive, and full_transitive");
}
Error invalid_policy() {
  return api_error(42203, "Invalid compatibility policy. Valid values are strict and lenient");
}
Error invalid_mode() {
  return api_error(
      42204, "Invalid mode. Valid values are readwrite, readonly, readonly_override, import, and forward");
}
Error not_permitted(std::string message) {
  return api_error(42205, std::move(message));
}
Error is_referenced(std::string_view subject, int32_t version) {
  return api_error(42206, fmt::format("One or more references exist to the schema "
                                      "{{magic=1,keytype=SCHEMA,subject={},version={}}}.",
                                      subject, version));
}
Error id_differs(std::string message) {
  return api_error(42207, std::move(message));
}
Error invalid_subject(std::string_view subject) {
  return api_error(42208, fmt::format("The specified subject '{}' is not a valid.", subject));
}
Error too_large() {
  return api_error(42209, "Register operation failed because schema is too large");
}
Error invalid_rules(std::string message) {
  return api_error(42210, std::move(message));
}
Error context_not_empty(std::string_view context) {
  return api_error(42211, fmt::format("The specified context '{}' is not empty.", context));
}

}  // namespace millrace::registry
