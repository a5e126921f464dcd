#include "stream-processor/replay.h"

#include <fmt/format.h>

#include <iterator>

#include "base/planted.h"
#include "stream-processor/own_batches.h"
#include "stream-processor/union_rows.h"

namespace millrace::processor {
namespace {

// The hash of what stands in the frame for one entry, computed from the stored batches.
Result<uint64_t> stored_hash(const log::Frame& frame, size_t first_batch, const StepEntry& entry) {
  uint64_t hash = 0;
  for (size_t b = first_batch; b < first_batch + entry.batches; ++b) {
    if (b >= frame.batches.size()) {
      return error(Code::kCorrupt, "MR-STEP-0004", "a step's frame holds fewer batches than its record says");
    }
    TRY_ASSIGN(const auto view, log::RecordBatchView::parse(frame.batches[b].bytes.view(), true));
    uint64_t part = 0;
    log::RecordBatchView::Cursor cursor(view);
    for (log::Record record; cursor.next(record);) part = hash_record(part, record.value);
    hash = hash_part(hash, frame.batches[b].where, part);
  }
  for (const auto& report : entry.reports) hash = hash_report(hash, report);
  return hash;
}

class Replayer {
 public:
  Replayer(log::Journal& journal, QueryTask& task, Placement placement, size_t max_step_bytes)
      : journal_(journal),
        task_(task),
        rows_(make_rows(task.plan(), placement.worker, placement.workers)),
        own_batches_(placement),
        max_step_bytes_(max_step_bytes) {
    own_batches_.add(task.plan());
    task.use_columns(task.plan().read_columns);
  }

  // Steps to `cut`, in one step or in pieces; what the last step with outputs gave.
  Result<std::vector<TaskOutput::Slice>> run_to(Cut cut, bool in_one, size_t slice_bytes = SIZE_MAX) {
    std::vector<TaskOutput::Slice> given;
    while (task_.position() < cut) {
      TRY_ASSIGN(const auto frames,
                 journal_.read_frames(task_.position(), cut, in_one ? SIZE_MAX : max_step_bytes_,
                                      own_batches_.filter()));
      if (frames.empty()) break;
      rows_->decode(frames);
      TaskOutput out(slice_bytes);
      const FrameReports heard(frames);
      TRY(task_.step(frames, heard, frames.back()->cut, false, *rows_, out));
      if (planted(Planted::kReplayTwice)) {
        TaskOutput again(slice_bytes);
        TRY(task_.step(frames, heard, frames.back()->cut, false, *rows_, again));
      }
      if (out.empty()) continue;
      given = out.finish(task_.plan(), task_.plan_identity());
    }
    return given;
  }

 private:
  log::Journal& journal_;
  QueryTask& task_;
  std::unique_ptr<StepRows> rows_;
  OwnBatches own_batches_;
  size_t max_step_bytes_;
};

std::string describe(const QueryTask& task, Placement placement, const RecordedStep& step,
                     const std::string& what) {
  return fmt::format("{}, worker {} of {}, step after cut {} up to cut {}: {}", task.plan().name,
                     placement.worker, placement.workers, step.from.value, step.reached.value, what);
}

// What was written of a step, against what it gives now. Empty: the same, as far as it goes.
std::string difference(const RecordedStep& step, const std::vector<TaskOutput::Slice>& given) {
  const size_t written = step.slices.size();
  bool same = written <= given.size() && step.slices.back().last == (written == given.size());
  for (size_t i = 0; i < written && same; ++i)
    same = step.slices[i].slice == i && step.slices[i].output_hash == given[i].entry.output_hash;
  if (same) return "";
  uint32_t rows = 0;
  for (const auto& slice : given) rows += slice.entry.output_rows;
  return fmt::format("{} records now, {} then, or other bytes", rows, step.output_rows());
}

}  // namespace

Error other_outputs(const std::string& difference) {
  return error(Code::kCorrupt, kOtherOutputs, "a step gives other outputs than it gave before: " + difference,
               "the journal, a snapshot or the program changed: run `millrace log verify --recompute`");
}

uint32_t RecordedStep::output_rows() const {
  uint32_t rows = 0;
  for (const StepEntry& slice : slices) rows += slice.output_rows;
  return rows;
}

void add_step(std::vector<RecordedStep>& steps, RecordedStep step) {
  if (step.slices.front().slice == 0 || steps.empty() || steps.back().reached != step.reached) {
    steps.push_back(std::move(step));
    return;
  }
  auto& slices = steps.back().slices;
  std::move(step.slices.begin(), step.slices.end(), std::back_inserter(slices));
}

Result<RecordedSteps> read_recorded_steps(log::Journal& journal, Cut after, Cut upto, uint32_t workers,
                                          std::vector<std::string>* stored) {
  RecordedSteps steps;
  const bool outputs = stored != nullptr;  // else the records beside their steps are all that is looked at
  const log::WantsRecords wants = [outputs](StreamPartition) { return outputs; };
  for (Cut at = after; at < upto;) {
    TRY_ASSIGN(const auto frames, journal.read_frames(at, upto, 4u << 20, wants));
    if (frames.empty()) break;
    for (const auto& frame : frames) {
      for (const auto& control : frame->controls) {
        if (control.kind != log::ControlKind::kStep) continue;
        TRY_ASSIGN(auto record, decode_step(control.payload.view()));
        if (workers != 0 && record.workers != workers) continue;
        size_t batch = 0;
        for (auto& entry : record.entries) {
          if (stored != nullptr) {
            TRY_ASSIGN(const uint64_t hash, stored_hash(*frame, batch, entry));
            if (hash != entry.output_hash) {
              stored->push_back(
                  fmt::format("frame {}: the stored outputs of query {} are not those its step record names",
                              frame->cut.value, entry.query.value));
            }
          }
          batch += entry.batches;
          auto& of_task = steps[{entry.query.value, record.worker}];
          add_step(of_task, {record.from, record.reached, record.slice_bytes, {std::move(entry)}});
        }
      }
    }
    at = frames.back()->cut;
  }
  return steps;
}

Result<Replayed> replay(log::Journal& journal, QueryTask& task, Placement placement,
                        const std::vector<RecordedStep>& steps, Cut until, size_t max_step_bytes) {
  Replayed replayed;
  auto& differences = replayed.differences;
  Replayer replayer(journal, task, placement, max_step_bytes);
  for (const auto& step : steps) {
    if (step.reached <= task.position()) continue;
    if (!replayed.owed_slices.empty()) {
      differences.push_back(describe(task, placement, step, "a part of the outputs before it is missing"));
      replayed.owed_slices.clear();
    }
    if (step.slices.front().plan_identity != task.plan_identity()) {
      differences.push_back(describe(task, placement, step, "it was written by another plan of this query"));
      return replayed;
    }
    TRY_ASSIGN(const auto before, replayer.run_to(step.from, false));
    if (!before.empty()) {
      differences.push_back(
          describe(task, placement, step,
                   fmt::format("{} records and {} watermarks appear that were not written before it",
                               before.back().entry.output_rows, before.back().entry.reports.size())));
    }
    TRY_ASSIGN(auto given, replayer.run_to(step.reached, true, step.slice_bytes));
    if (auto differs = difference(step, given); !differs.empty()) {
      differences.push_back(describe(task, placement, step, differs));
      continue;
    }
    const auto written = given.begin() + static_cast<ptrdiff_t>(step.slices.size());
    replayed.owed_slices.assign(std::make_move_iterator(written), std::make_move_iterator(given.end()));
    replayed.owed = {static_cast<uint16_t>(placement.worker),
                     static_cast<uint16_t>(placement.workers),
                     kEngineVersion,
                     step.from,
                     step.reached,
                     {},
                     step.slice_bytes};
  }
  if (planted(Planted::kForgetSlices)) replayed.owed_slices.clear();
  TRY_ASSIGN(const auto after, replayer.run_to(until, false));
  if (!after.empty()) {
    differences.push_back(
        fmt::format("{}, worker {}: outputs after its last recorded step were never written",
                    task.plan().name, placement.worker));
  }
  return replayed;
}

}  // namespace millrace::processor
