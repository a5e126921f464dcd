// The fields at the top of what a schema describes: those of an Avro record, the properties of a JSON Schema and of what its
// root refers to, those of all outermost messages of a Protobuf file.
#pragma once

#include "schema/schema.h"

namespace millrace::registry {

// Each of its format, else CHECK or a wrong cast: they are for known_formats() alone.
Result<std::vector<std::string>> avro_field_names(const schema::Schema& schema);
Result<std::vector<std::string>> json_field_names(const schema::Schema& schema);
Result<std::vector<std::string>> protobuf_field_names(const schema::Schema& schema);

}  // namespace millrace::registry
