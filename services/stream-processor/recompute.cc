#include "stream-processor/recompute.h"

#include <algorithm>

#include "stream-processor/query_start.h"
#include "stream-processor/replay.h"

namespace millrace::processor {
namespace {

constexpr size_t kStepBytes = 4u << 20;

class Recomputer {
 public:
  Recomputer(log::Journal& journal, sql::Definitions& definitions, state::StateStore::Options store_options,
             std::vector<Layout> layouts, RecordedSteps steps)
      : journal_(journal),
        definitions_(definitions),
        store_options_(std::move(store_options)),
        layouts_(std::move(layouts)),
        steps_(std::move(steps)) {}

  // One query from its start through all layouts.
  Status run(const sql::Catalog::Entry& entry, Recomputed& report) {
    TRY_ASSIGN(const Cut start, query_start(journal_, entry));
    // Before it was made it had no tasks: its first layout is the one that it was activated in.
    const Cut made = entry.definition.activated_at.value_or(Cut(0));
    const Cut dropped = entry.definition.dropped_at.value_or(Cut(UINT64_MAX));
    std::vector<std::unique_ptr<QueryTask>> tasks;
    for (size_t i = 0; i < layouts_.size(); ++i) {
      const Cut end = i + 1 < layouts_.size() ? layouts_[i + 1].from : Cut(UINT64_MAX);
      if (end <= start || end < made) continue;
      const uint32_t workers = layouts_[i].workers;
      if (tasks.empty()) {
        tasks = fresh(entry, workers, start);
      } else {
        TRY_ASSIGN(tasks, QueryTask::relayout(std::move(tasks), workers, [this] { return make_store(); }));
      }
      // A dropped one's tasks stopped somewhere behind the drop: what they wrote is all there is to compare.
      const bool last = dropped <= end;
      for (uint32_t w = 0; w < workers; ++w) {
        TRY(run_worker(entry, *tasks[w], {w, workers}, end, !last, report));
      }
      if (last) break;
    }
    return {};
  }

 private:
  std::unique_ptr<state::StateStore> make_store() const { return state::StateStore::make(store_options_); }

  std::vector<std::unique_ptr<QueryTask>> fresh(const sql::Catalog::Entry& entry, uint32_t workers,
                                                Cut start) {
    std::vector<std::unique_ptr<QueryTask>> tasks;
    for (uint32_t w = 0; w < workers; ++w) {
      tasks.push_back(std::make_unique<QueryTask>(entry.query,
                                                  definitions_.history()->dead_letters(entry.query->tenant),
                                                  Placement{w, workers}, make_store(), start));
    }
    return tasks;
  }

  // The steps of one worker in one layout; at the layout's end all tasks must stand at the same cut.
  Status run_worker(const sql::Catalog::Entry& entry, QueryTask& task, Placement placement, Cut end,
                    bool to_end, Recomputed& report) {
    std::vector<RecordedStep> mine;
    const auto recorded = steps_.find({entry.query->id.value, placement.worker});
    if (recorded != steps_.end()) {
      for (const auto& step : recorded->second) {
        if (step.reached > task.position() && step.reached <= end) mine.push_back(step);
      }
    }
    report.steps += mine.size();
    for (const auto& step : mine) report.rows += step.output_rows();
    const Cut until = to_end && end.value != UINT64_MAX ? end : task.position();
    // What a crash has left unwritten of the last step, the next start writes.
    TRY_ASSIGN(const auto replayed, replay(journal_, task, placement, mine, until, kStepBytes));
    const auto& differences = replayed.differences;
    report.differences.insert(report.differences.end(), differences.begin(), differences.end());
    return {};
  }

  log::Journal& journal_;
  sql::Definitions& definitions_;
  const state::StateStore::Options store_options_;
  const std::vector<Layout> layouts_;
  const RecordedSteps steps_;
};

}  // namespace

Result<Recomputed> recompute(log::Journal& journal, sql::Definitions& definitions,
                             const state::StateStore::Options& store_options,
                             const std::function<void(uint64_t, uint64_t)>& progress) {
  if (journal.first_cut().value > 1) {
    return error(
        Code::kGone, "MR-STEP-0040", "the history before this journal's first frame was removed by retention",
        "a recomputation needs all of it; `millrace log verify` without --recompute checks what is there");
  }
  Recomputed report;
  std::vector<Layout> layouts;
  TRY_ASSIGN(const auto saved, definitions.store().get(kLayoutsSetting));
  if (saved) {
    TRY_ASSIGN(layouts, decode_layouts(*saved));
  }
  TRY_ASSIGN(auto steps, read_recorded_steps(journal, Cut(0), journal.end_cut(), 0, &report.differences));
  Recomputer recomputer(journal, definitions, store_options, std::move(layouts), std::move(steps));
  const auto entries = definitions.history()->all();
  for (const auto* entry : entries) {
    if (!entry->query) continue;
    TRY(recomputer.run(*entry, report));
    ++report.queries;
    if (progress) progress(report.queries, entries.size());
  }
  return report;
}

}  // namespace millrace::processor
