#include "schema-registry/field_names.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/stubs/strutil.h>

#include "avro/avro_schema.h"
#include "json-schema/json_schema.h"

namespace millrace::registry {
namespace {

using Names = std::vector<std::string>;

constexpr int kMaxReferences = 100;  // one after the other; they may lead in a circle

}  // namespace

Result<Names> avro_field_names(const schema::Schema& schema) {
  Names out;
  for (const auto& field : static_cast<const avro::AvroSchema&>(schema).root().fields)
    out.push_back(field.name);
  return out;
}

Result<Names> json_field_names(const schema::Schema& schema) {
  const json_schema::Document& document = *static_cast<const json_schema::JsonSchema&>(schema).document();
  Names out;
  const json_schema::Subschema* at = &document.root();
  for (int i = 0; at != nullptr && i < kMaxReferences; ++i, at = at->ref) {
    const json_schema::Value* properties = document.keyword(*at, "properties");
    if (properties == nullptr) continue;
    for (const auto& property : properties->members) out.push_back(property.name);
  }
  return out;
}

Result<Names> protobuf_field_names(const schema::Schema& schema) {
  TRY_ASSIGN(const std::string text, schema.formatted("serialized"));
  std::string bytes;
  google::protobuf::FileDescriptorProto file;
  CHECK(google::protobuf::Base64Unescape(text, &bytes) && file.ParseFromString(bytes),
        "a schema writes its descriptor so that it can be read");
  Names out;
  for (const auto& message : file.message_type()) {
    for (const auto& field : message.field()) out.push_back(field.name());
  }
  return out;
}

}  // namespace millrace::registry
