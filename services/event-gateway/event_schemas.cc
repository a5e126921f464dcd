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

}  // namespace millrace::gateway
