// JsonMembers: the members of a jsonb object, read by type. What has another type than asked for is an error with its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schema-registry/content.h"

namespace millrace::registry {

class JsonMembers {
 public:
  explicit JsonMembers(std::string_view object) : object_(object) {}

  // Nothing: there is none, or it is null.
  std::optional<std::string_view> value(std::string_view name) const;
  Result<std::optional<std::string>> text(std::string_view name) const;
  Result<std::optional<int32_t>> number(std::string_view name) const;
  Result<std::optional<int64_t>> long_number(std::string_view name) const;
  Result<std::string> object(std::string_view name) const;  // empty: there is none
  Result<std::vector<std::string>> texts(std::string_view name) const;
  Result<std::vector<Reference>> references() const;

 private:
  std::string_view object_;
};

Result<std::string> parse_object(std::string_view json);  // as jsonb; 400
std::string text_of(std::string_view jsonb_string);
std::optional<std::vector<std::string>> texts_of(
    std::string_view jsonb_array);  // nothing: it is none of strings
std::string references_json(const std::vector<Reference>& references);

}  // namespace millrace::registry
