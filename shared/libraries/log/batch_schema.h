// BatchSchema: the version of a schema that the events of a frame's batches of one stream were checked against.
//
// Bytes: docs/formats/journal.md. A control of kind kSchema holds one for each such stream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "log/journal.h"

namespace millrace::log {

struct BatchSchema {
  StreamId stream;
  int32_t id = 0;  // of the schema, in the registry's context of the subject
  int32_t version = 0;
  bool operator==(const BatchSchema&) const = default;
};

void append_batch_schema(std::string& payload, const BatchSchema& schema);
std::vector<BatchSchema> decode_batch_schemas(std::string_view payload);  // the whole ones

// Of the frame's events of the stream; 0: it had none.
int32_t schema_id_in(const Frame& frame, StreamId stream);

}  // namespace millrace::log
