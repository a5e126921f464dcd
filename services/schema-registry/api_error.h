// The errors that the registry's API has numbers for: `Error::id` is the number, its first three digits the HTTP status.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::registry {

Error api_error(int number, std::string message);
std::optional<int> number_of(const Error& error);  // nothing: an error of another area

Error no_subject(std::string_view subject);
Error no_version(int32_t version);
Error no_schema(std::string_view id_or_guid);  // empty: it was not asked for by one
Error subject_is_deleted(std::string_view subject);
Error subject_is_not_deleted(std::string_view subject);
Error version_is_deleted(std::string_view subject, int32_t version);
Error version_is_not_deleted(std::string_view subject, int32_t version);
Error no_config(std::string_view subject);
Error no_mode(std::string_view subject);
Error incompatible(std::string_view subject, std::string_view details);
Error invalid_schema(std::string message);
Error invalid_version(std::string_view text);
Error invalid_level();
Error invalid_policy();
Error invalid_mode();
Error not_permitted(std::string message);
Error is_referenced(std::string_view subject, int32_t version);
Error id_differs(std::string message);
Error invalid_subject(std::string_view subject);
Error too_large();
Error invalid_rules(std::string message);
Error context_not_empty(std::string_view context);

}  // namespace millrace::registry
