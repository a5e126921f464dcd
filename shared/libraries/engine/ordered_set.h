// Aggregates of values in order: percentile_cont, percentile_disc, mode. Private to engine/.
//
// State: all values of a group, each with how many rows have it (counted_values.h), so rows may go, too.
#pragma once

#include <vector>

#include "engine/counted_values.h"
#include "engine/plan.h"

namespace millrace::engine {

// Appends the answer over values in ascending order, encoded as keys; NULL of none. May reverse them.
void append_ordered_set(const AggregateCall& call, std::vector<CountedValue>& values, Column& out,
                        Arena& arena);

}  // namespace millrace::engine
