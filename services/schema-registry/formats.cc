#include "schema-registry/formats.h"

#include <array>

#include "avro/avro_schema.h"
#include "json-schema/json_schema.h"
#include "protobuf/protobuf_schema.h"
#include "schema-registry/field_names.h"

namespace millrace::registry {
namespace {

using FieldNames = decltype(schema::SchemaFormat::field_names);

schema::SchemaFormat with(schema::SchemaFormat format, FieldNames field_names) {
  format.field_names = field_names;
  return format;
}

}  // namespace

std::span<const schema::SchemaFormat> known_formats() {
  static const std::array kFormats = {with(json_schema::kFormat, json_field_names),
                                      with(protobuf::kFormat, protobuf_field_names),
                                      with(avro::avro_format(), avro_field_names)};
  return kFormats;
}

}  // namespace millrace::registry
