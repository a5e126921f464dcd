#include "schema/schema.h"

#include <array>
#include <utility>

namespace millrace::schema {

namespace {

constexpr std::array<std::pair<SchemaType, std::string_view>, 3> kNames = {
    {{SchemaType::kAvro, "AVRO"}, {SchemaType::kJson, "JSON"}, {SchemaType::kProtobuf, "PROTOBUF"}}};

}  // namespace

std::string_view to_string(SchemaType type) {
  return kNames[static_cast<size_t>(type)].second;
}

std::optional<SchemaType> schema_type_of(std::string_view api_name) {
  for (const auto& [type, name] : kNames) {
    if (name == api_name) return type;
  }
  return std::nullopt;
}

}  // namespace millrace::schema
