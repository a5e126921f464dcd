// What makes a schema of any format a check of events that come as JSON.
#pragma once

#include <memory>

#include "event-gateway/event_schemas.h"
#include "schema/schema.h"

namespace millrace::node {

// JSON Schema: the event fits it. Avro: the event can be written with it, as plain JSON (avro/codec.h). Protobuf: the event
// is its first message in Protobuf's JSON mapping. The error is the format's own; at once if the schema cannot be carried
// out.
Result<std::unique_ptr<gateway::EventSchema>> make_event_check(const schema::SchemaPtr& schema);

}  // namespace millrace::node
