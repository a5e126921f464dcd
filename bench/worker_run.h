// The stream-processor's workers without what is around them: from the journal's frames to the rows that would be
// written, into a sink. One worker runs on the caller's thread, which is the core, too, and appends what the workers
// exchange; each other one on a thread of its own. Every thread keeps to a core.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/history.h"
#include "bench/sink.h"
#include "state/spill_space.h"

namespace millrace::bench {

struct WorkerOptions {
  uint32_t workers = 1;
  bool journal = false;                      // outputs go into the journal, too, and are synced
  std::FILE* rows = nullptr;                 // a file for the rows
  std::shared_ptr<state::SpillSpace> spill;  // null: all state stays in memory
};
struct WorkerRun {
  double seconds = 0;  // until the last row or change was told
  size_t state_bytes = 0;
  Sink sink;
  // When the last step was done.
  double steps_seconds = 0;
  double resident_mb = 0;
  state::SpillSpace::Counters spill;
};
// Runs the queries over the whole history, from their texts. Views tell their changes as to subscribers, and those that
// emit on close in the end the windows that are still open. What the others hold then goes into the sink, too, to be
// compared, but not into the time: they have told it.
Result<WorkerRun> run_workers(History& history, const std::vector<std::string>& queries,
                              const WorkerOptions& options);

}  // namespace millrace::bench
