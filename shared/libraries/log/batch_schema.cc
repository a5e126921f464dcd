#include "log/batch_schema.h"

#include "base/bytes.h"

namespace millrace::log {

namespace {
constexpr size_t kBytes = 12;
}  // namespace

void append_batch_schema(std::string& payload, const BatchSchema& schema) {
  append_le(payload, schema.stream.value);
  append_le(payload, schema.id);
  append_le(payload, schema.version);
}

std::vector<BatchSchema> decode_batch_schemas(std::string_view payload) {
  std::vector<BatchSchema> out;
  for (; payload.size() >= kBytes; payload.remove_prefix(kBytes)) {
    const char* at = payload.data();
    out.push_back({StreamId(load_le<decltype(StreamId::value)>(at)), load_le<int32_t>(at + 4),
                   load_le<int32_t>(at + 8)});
  }
  return out;
}

int32_t schema_id_in(const Frame& frame, StreamId stream) {
  for (const auto& control : frame.controls) {
    if (control.kind != ControlKind::kSchema) continue;
    for (const BatchSchema& schema : decode_batch_schemas(control.payload.view())) {
      if (schema.stream == stream) return schema.id;
    }
  }
  return 0;
}

}  // namespace millrace::log
