// Runs an ad-hoc SELECT over rows: filter, groups, outputs, DISTINCT, ORDER BY, LIMIT. On a reader thread; errors are the
// statement's.
#pragma once

#include "base/stop.h"
#include "engine/plan.h"

namespace millrace::engine {

// `rows` are the view's output rows (or one row without columns). The answer's text lives in its own arena.
inline constexpr size_t kMaxGroupBytes = size_t{512} << 20;
struct SelectBounds {
  size_t max_bytes = kMaxGroupBytes;  // of its groups: MR-QRY-0006
  const Stop* stop = nullptr;         // looked at between pieces of the rows: MR-QRY-0011
  size_t piece_rows = 16'384;         // no answer depends on it
};
Result<Batch> run_select(const SelectPlan& plan, const Batch& rows, const SelectBounds& bounds = {});
Error stopped();  // MR-QRY-0011
Selection all_rows(const Batch& batch);
// The rows of `in` that are selected, appended to `out`; text is copied into its arena.
void gather(const Column& in, const Selection& rows, Column& out, Arena& arena);
// Keeps those of a view's selected group rows (group keys…, aggregates…) that pass its HAVING.
void filter_groups(const QueryPlan& plan, const Batch& groups, Selection& selection,
                   std::vector<RowError>& errors);
// Group rows -> the view's output rows. Rows whose outputs fail go to `errors`.
Status project(const QueryPlan& plan, const Batch& in, Selection& selection, Batch& out,
               std::vector<RowError>& errors);

}  // namespace millrace::engine
