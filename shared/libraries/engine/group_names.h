// The outputs of a grouped query that name a group: group keys as they are, a window's end, grouping(…). Computing them
// cannot fail. By them those who are told changes know which row is meant.
#pragma once

#include <vector>

#include "engine/plan.h"

namespace millrace::engine {

bool names_group(const QueryPlan& plan, const Expr& output);
std::vector<NamedExpr> naming_outputs(const QueryPlan& plan);

}  // namespace millrace::engine
