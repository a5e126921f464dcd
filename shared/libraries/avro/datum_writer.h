// JSON values to binary data: one writer for both forms of JSON, and for the defaults in schemas.
#pragma once

#include <string>

#include "avro/codec.h"

namespace millrace::avro {

// Appends to `out`, adds what it tries to `values`. As the specification has defaults: a union's is not enclosed, bytes
// are code points.
Status write_default(const Node& type, const JsonValue& value, std::string& out, size_t& values);

}  // namespace millrace::avro
