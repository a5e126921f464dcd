// The schema of a query's rows: what follows from their columns, and from the subject's name.
#pragma once

#include "engine/plan.h"
#include "event-gateway/event_schemas.h"

namespace millrace::gateway {

OutputSchema output_schema_of(const engine::QueryPlan& plan);  // that has an encoding

}  // namespace millrace::gateway
