// Gathered: a group's rows as entries (entries.h), for aggregates that need them all: string_agg, array_agg and
// those that make JSON. Private to engine/.
//
// Chain:  blobs of about kChunkBytes, each with the number of the one before, so that a row that is added copies little.
// Order:  they lie as they came; the answer sorts them.
// Bound:  kMaxGatheredBytes a group, separators included. A row beyond it fails; where that is found out behind a
//         repartition, the answer is NULL from then on. Either way the chain ends there.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "state/state_store.h"

namespace millrace::engine {

inline constexpr size_t kMaxGatheredBytes = size_t{1} << 20;

// A chain with one entry more: its blob's number, 0 at the state's bound. `chain` (0: none) is left as it is.
uint64_t add_to_chain(state::Table& table, uint64_t chain, std::string_view entry);
// Whether the new chain refers to the old one's blob; else that has been copied.
bool continues_chain(const state::Table& table, uint64_t chain, uint64_t old);
using Blobs = std::function<std::string_view(uint64_t)>;
void read_chain(uint64_t chain, const Blobs& blob, std::string& entries);          // appended
void append_chain(uint64_t chain, const Blobs& blob, std::vector<uint64_t>& ids);  // its blobs
uint64_t move_chain(uint64_t chain, const Blobs& from, state::Table& to);          // 0: the state's bound

// The answer over what read_chain() gave.
std::string gathered_answer(AggregateKind kind, std::string_view separator, std::string_view entries);

}  // namespace millrace::engine
