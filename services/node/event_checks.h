// What makes a schema of any format a check of events, whether they come as JSON or as serialized values.
#pragma once

#include <memory>

#include "event-gateway/event_schemas.h"
#include "node/learnt_writers.h"
#include "schema/schema.h"

namespace millrace::node {

// JSON Schema: the event fits it. Avro: the event can be written with it, as plain JSON (avro/codec.h). Protobuf: the event
// is its first message in Protobuf's JSON mapping. The error is the format's own; at once if the schema cannot be carried
// out.
//
// Values: JSON Schema: the payload is the event. Avro: it is resolved from its writer's schema to this one. Protobuf: it is read
// as this one's first message, which has to be the writer's by its full name (MR-SCH-0011), with integers of 64 bits as numbers.
// An event has at most formats::kMaxEventBytes.
Result<std::unique_ptr<gateway::EventSchema>> make_event_check(const schema::SchemaPtr& schema,
                                                               WritersOf writers = {});

}  // namespace millrace::node
