// The JSON schemas of what the API takes and answers: components of /openapi.json.
#pragma once

#include <span>
#include <string_view>

namespace millrace::gateway {

struct ApiSchema {
  std::string_view name, json;
};
std::span<const ApiSchema> api_schemas();

}  // namespace millrace::gateway
