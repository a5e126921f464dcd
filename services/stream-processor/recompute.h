// Recompute: derives every query again from the whole journal and compares each recorded step.
//
// Two comparisons: the record's hash with what stands beside it (somebody changed the outputs), and with what
//                  the same events give now (somebody changed an event, the program, or determinism is
//                  broken). Offline; reads only.
// Bound:           needs the journal from its first frame; shortened history is answered with kGone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "log/journal.h"
#include "sql/definitions.h"
#include "state/state_store.h"

namespace millrace::processor {

struct Recomputed {
  uint64_t queries = 0;
  uint64_t steps = 0;
  uint64_t rows = 0;
  std::vector<std::string> differences;
};

Result<Recomputed> recompute(log::Journal& journal, sql::Definitions& definitions,
                             const state::StateStore::Options& store_options,
                             const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace millrace::processor
