// ORDER BY of a SELECT: which rows come first. Private to engine/.
#pragma once

#include <vector>

#include "base/stop.h"
#include "engine/plan.h"

namespace millrace::engine {

// Puts the first `needed` of the rows in order; `keys` are the values of ORDER BY, by row. Ties keep their order.
// Sorts runs of rows, then merges them, and looks at `stop` in between. False: it was stopped.
bool order_rows(const std::vector<SortKey>& order_by, const std::vector<Column>& keys, size_t needed,
                Selection& rows, const Stop* stop);

}  // namespace millrace::engine
