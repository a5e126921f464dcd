#include "event-gateway/event_schemas.h"

namespace millrace::gateway {

Error no_registry() {
  return error(Code::kUnavailable, "MR-SCH-0004", "this node has no schema registry, which knows its schema",
               "start it with one: millrace serve --schema-registry 127.0.0.1:8081");
}

void EventSchemas::add(TenantId, OutputSchema, CallerPtr,
                       std::function<void(Result<engine::SchemaRef>)> done) {
  done(no_registry());
}

// Who has no registry knows no writers.
Result<ReadValue> EventSchema::read(const schema::Framed&, size_t&) {
  return no_registry();
}
void EventSchemas::learn(const engine::StreamDef&, Writers, std::function<void(Status)> done) {
  done(no_registry());
}
bool EventSchemas::knows(const engine::StreamDef&, const schema::WriterSchema&) const {
  return false;
}

}  // namespace millrace::gateway
