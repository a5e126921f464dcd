// The columns of a stream as they follow from a schema of its events.
#pragma once

#include <string>

#include "schema/schema.h"

namespace millrace::node {

// As between CREATE STREAM's parentheses: "id" BIGINT, "place" ROW<"lat" DOUBLE PRECISION>. What a schema leaves open is
// JSONB. MR-SCH-0002: no columns follow from it.
Result<std::string> columns_of(const schema::Schema& schema);

}  // namespace millrace::node
