// Runs a tree of SELECTs from the bottom up: each over the rows of those in it. On a reader thread; errors are the
// statement's.
//
// Bounds: run_select()'s, of each; max_bytes also of the rows between them (MR-QRY-0006).
#pragma once

#include <unordered_map>
#include <vector>

#include "engine/select.h"

namespace millrace::engine {

// Those that read a view, a stream or the dead letters, each once.
std::vector<const SelectPlan*> reads_of(const SelectPlan& plan);

using SelectRows = std::unordered_map<const SelectPlan*, Batch>;
// `read` has the rows of each of reads_of(), whose text has to live on until the answer is there.
Result<Batch> run_select_tree(const SelectPlan& plan, SelectRows read, const SelectBounds& bounds = {});

}  // namespace millrace::engine
