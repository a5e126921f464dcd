#include "bench/worker_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <thread>
#include <utility>

#include "bench/bench_catalog.h"
#include "bench/cpus.h"
#include "bench/loadgen.h"
#include "bench/station.h"
#include "engine/serving.h"

namespace millrace::bench {
namespace {

bool exchanges(const sql::Catalog& catalog, size_t queries, uint32_t workers) {
  for (size_t i = 0; i < queries; ++i) {
    const auto& plan = *catalog.find(query_id(i))->query;
    if (plan.repartition || (workers > 1 && plan.shape == engine::QueryPlan::Shape::kAggregate)) return true;
  }
  return false;
}

// The core loop and its workers.
class Crew {
 public:
  Crew(log::Journal& journal, const sql::Catalog& catalog, size_t queries, const WorkerOptions& options,
       Outlet outlet)
      : journal_(journal) {
    for (uint32_t w = 0; w < options.workers; ++w) {
      stations_.push_back(std::make_unique<Station>(
          journal, catalog, queries, processor::Placement{w, options.workers}, outlet, options.spill));
      stations_.back()->sink().file = options.rows;
    }
  }

  // Until all events are through and everything is durable, and the workers have said how they stand then.
  Status run(const std::vector<size_t>& cpus) {
    for (size_t w = 1; w < stations_.size(); ++w) {
      threads_.emplace_back([this, w, cpu = cpus[w]] {
        const PinnedThread pinned(cpu);
        while (!stop_.load()) {
          if (!stations_[w]->turn()) std::this_thread::yield();
        }
      });
    }
    const PinnedThread pinned(cpus.front());
    turn_until([this] { return at_end(); });
    for (const auto& station : stations_) station->ask(journal_.end_cut());
    turn_until([this] { return all([](const Station& station) { return station.answered(); }); });
    stop_.store(true);
    for (auto& thread : threads_) thread.join();
    for (const auto& station : stations_) {
      if (station->error()) return *station->error();
    }
    return journal_.failed() ? Status(*journal_.failed()) : Status();
  }

  std::vector<std::unique_ptr<Station>>& stations() { return stations_; }

 private:
  template <typename Done>
  void turn_until(Done done) {
    while (!done() && !failed()) {
      bool worked = stations_.front()->turn();
      for (size_t w = 0; w < stations_.size(); ++w) worked |= append_steps(w);
      journal_.poll();
      journal_.flush();
      for (; !appended_.empty() && appended_.front().cut <= journal_.durable_cut(); appended_.pop_front())
        stations_[appended_.front().worker]->written(appended_.front().bytes);
      if (!worked) std::this_thread::yield();
    }
  }

  bool append_steps(size_t worker) {
    std::vector<processor::StepDone> steps;
    stations_[worker]->steps().take_all(steps);
    for (auto& step : steps) waiting_.push_back({worker, std::move(step)});
    while (!waiting_.empty()) {
      auto& [from, step] = waiting_.front();
      const auto appended = journal_.append(step.group, log::Priority::kStep);
      if (!appended.ok()) break;  // full: after the next sync; what is final the journal itself says
      appended_.push_back({appended->cut, from, step.bytes});
      waiting_.pop_front();
    }
    return !steps.empty();
  }

  // Asked in this order: a station says where it stands when the steps up to there are in its mailbox.
  bool at_end() {
    const Cut end = journal_.end_cut();
    if (!all([&](const Station& station) { return station.stands_at(end); })) return false;
    for (size_t w = 0; w < stations_.size(); ++w) append_steps(w);
    return waiting_.empty() && journal_.end_cut() == end && journal_.durable_cut() == end;
  }

  bool failed() const {
    return journal_.failed() || !all([](const Station& station) { return !station.failed(); });
  }

  template <typename Holds>
  bool all(Holds holds) const {
    return std::all_of(stations_.begin(), stations_.end(),
                       [&](const auto& station) { return holds(*station); });
  }

  struct Waiting {
    size_t worker;
    processor::StepDone step;
  };
  struct Written {
    Cut cut;
    size_t worker;
    size_t bytes;
  };
  log::Journal& journal_;
  std::vector<std::unique_ptr<Station>> stations_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stop_{false};
  std::deque<Waiting> waiting_;
  std::deque<Written> appended_;  // not yet durable
};

// Of a view that emits on close: the windows that are still open in the end.
Status take_open_windows(const engine::PlanPtr& plan, const std::vector<const processor::Frozen*>& frozen,
                         Sink& sink) {
  for (const auto* worker : frozen) {
    TRY_ASSIGN(const auto rest, processor::render({plan, *worker->epoch, worker->closed, INT64_MAX}));
    for (size_t i = 0; i < rest.size(); ++i) sink.take(rest.row(i));
  }
  return {};
}

// Of a view that has told its changes: its rows in the end.
Status take_rows(const engine::PlanPtr& plan, const std::vector<const processor::Frozen*>& frozen,
                 Sink& sink) {
  engine::ViewAtCut view{plan, frozen.front()->at, {}};
  for (const auto* worker : frozen) view.epochs.push_back(*worker->epoch);
  TRY_ASSIGN(const Batch rows, engine::view_rows(view));
  processor::JsonRows text;
  processor::append_rows(*plan, rows, "", text);
  for (size_t i = 0; i < text.size(); ++i) sink.take(text.row(i));
  return {};
}

// What is asked for comparison alone, is not in the time.
Status take_views(Crew& crew, const sql::Catalog& catalog, size_t queries, int64_t start, WorkerRun& run) {
  Sink& first = crew.stations().front()->sink();
  std::vector<std::vector<const processor::Frozen*>> frozen(queries);
  for (size_t i = 0; i < queries; ++i) {
    for (const auto& station : crew.stations()) {
      frozen[i].push_back(&station->answers()[i]);
      run.state_bytes += frozen[i].back()->report.state_bytes;
    }
  }
  const auto plan = [&](size_t i) { return catalog.find(query_id(i))->query; };
  for (size_t i = 0; i < queries; ++i) {
    if (plan(i)->emit_on_close && !plan(i)->output_stream) TRY(take_open_windows(plan(i), frozen[i], first));
  }
  run.seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
  for (size_t i = 0; i < queries; ++i) {
    if (!plan(i)->emit_on_close && !plan(i)->output_stream) TRY(take_rows(plan(i), frozen[i], first));
  }
  return {};
}

}  // namespace

Result<WorkerRun> run_workers(History& history, const std::vector<std::string>& queries,
                              const WorkerOptions& options) {
  const auto cpus = usable_cpus();
  if (cpus.size() < options.workers) {
    return error(
        Code::kUnavailable, "MR-BENCH-0024",
        fmt::format("{} workers need a core each, and this process may use {}", options.workers, cpus.size()),
        "ask for fewer --workers");
  }
  TRY_ASSIGN(const auto catalog, catalog_of(history.stream(), queries));
  const bool exchange = exchanges(*catalog, queries.size(), options.workers);
  const Outlet outlet = options.journal ? Outlet::kAll : exchange ? Outlet::kExchange : Outlet::kNothing;
  std::unique_ptr<History> own;  // what is appended must not be there in the next run
  if (outlet != Outlet::kNothing) {
    TRY_ASSIGN(own, history.copy());
  }
  log::Journal& journal = own ? own->journal() : history.journal();
  Crew crew(journal, *catalog, queries.size(), options, outlet);
  const int64_t start = monotonic_ns();
  TRY(crew.run(cpus));
  WorkerRun run;
  run.steps_seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
  run.resident_mb = resident_mb(::getpid());
  if (options.spill) run.spill = options.spill->counters();
  TRY(take_views(crew, *catalog, queries.size(), start, run));
  for (const auto& station : crew.stations()) run.sink.add(station->sink());
  return run;
}

}  // namespace millrace::bench
