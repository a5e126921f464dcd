// Replay: takes a task through recorded steps again, with its outputs suppressed, and compares them.
//
// Why: a recovery must not write an output twice, and must notice if the same journal no longer gives the
//      same answer.
// How: a recorded step is run with the boundaries it had; what lies between recorded steps gave nothing then,
//      and must give nothing now. Of the last one some slices may not have been written: they are handed back.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "log/journal.h"
#include "stream-processor/query_task.h"

namespace millrace::processor {

struct RecordedStep {
  Cut from;
  Cut reached;
  size_t slice_bytes = 0;
  std::vector<StepEntry> slices;  // as far as they are written

  uint32_t output_rows() const;
};
struct TaskKey {
  uint32_t query = 0;
  uint32_t worker = 0;
  friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
};
using RecordedSteps = std::map<TaskKey, std::vector<RecordedStep>>;
// Of one task, in the journal's order: the next slice goes to its step.
void add_step(std::vector<RecordedStep>& steps, RecordedStep step);

inline constexpr const char* kOtherOutputs = "MR-STEP-0006";
Error other_outputs(const std::string& difference);

struct Replayed {
  std::vector<std::string> differences;  // one sentence each
  // The slices of the last step that a crash has left unwritten.
  StepRecord owed;  // of the step; without entries
  std::vector<TaskOutput::Slice> owed_slices;
};

// The step records in the frames after `after`, up to `upto`, of workers in a layout of `workers` (0: any).
// `stored`, if not null, gets the differences between each record's hash and the batches that stand beside
// it.
Result<RecordedSteps> read_recorded_steps(log::Journal& journal, Cut after, Cut upto, uint32_t workers,
                                          std::vector<std::string>* stored = nullptr);

// Runs the task over `steps` (those beyond its position) and, past the last, on to `until` if that is
// further. An Error is a failure to read or to step.
Result<Replayed> replay(log::Journal& journal, QueryTask& task, Placement placement,
                        const std::vector<RecordedStep>& steps, Cut until, size_t max_step_bytes);

}  // namespace millrace::processor
