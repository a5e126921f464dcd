// The columns of a stream as they follow from a schema of its events.
#pragma once

#include <string>

#include "event-gateway/event_schemas.h"
#include "schema/schema.h"

namespace millrace::node {

// As between CREATE STREAM's parentheses: "id" BIGINT, "place" ROW<"lat" DOUBLE PRECISION>. What a schema leaves open is
// JSONB, and so is a type inside itself, and what no stream may have: a row or a decimal beyond its bounds.
// MR-SCH-0002: no columns follow from it, or too many.
Result<std::string> columns_of(const schema::Schema& schema);
// The same, taken apart.
Result<gateway::SchemaColumns> column_tree_of(const schema::Schema& schema);

}  // namespace millrace::node
