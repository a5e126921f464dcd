#include "schema-registry/formats.h"

#include <array>

#include "avro/avro_schema.h"
#include "json-schema/json_schema.h"
#include "protobuf/protobuf_schema.h"

namespace millrace::registry {

std::span<const schema::SchemaFormat> known_formats() {
  static const std::array kFormats = {json_schema::kFormat, protobuf::kFormat, avro::avro_format()};
  return kFormats;
}

}  // namespace millrace::registry
