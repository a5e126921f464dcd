#include "bench/station.h"

#include <cstdint>
#include <thread>
#include <utility>

#include "bench/bench_catalog.h"
#include "log/record_batch.h"

namespace millrace::bench {
namespace {

using processor::StepDone;

constexpr uint64_t kWatch = 0;  // the requests' number; of others one more than the query's

// As a node's, without snapshots.
processor::Worker::Options worker_options(processor::Placement placement) {
  processor::Worker::Options options;
  options.placement = placement;
  options.max_step_bytes = 256u << 10;
  options.snapshot_after_bytes = SIZE_MAX;
  options.snapshot_after_us = INT64_MAX;
  return options;
}

size_t index_of(QueryId query) {
  return query.value - query_id(0).value;
}

bool is_repartition(StreamId stream) {
  return stream == sql::repartition_of(sql::definition_of(stream));
}

}  // namespace

Station::Station(log::Journal& journal, const sql::Catalog& catalog, size_t queries,
                 processor::Placement placement, Outlet outlet,
                 const std::shared_ptr<state::SpillSpace>& spill)
    : outlet_(outlet), worker_(journal, worker_options(placement), outbox_), answers_(queries) {
  for (size_t i = 0; i < queries; ++i) add(catalog, i, placement, spill);
}

void Station::add(const sql::Catalog& catalog, size_t query, processor::Placement placement,
                  const std::shared_ptr<state::SpillSpace>& spill) {
  const engine::PlanPtr plan = catalog.find(query_id(query))->query;
  plans_.push_back(plan);
  state::StateStore::Options options;
  options.spill = spill;
  auto task = std::make_unique<processor::QueryTask>(plan, catalog.dead_letters(plan->tenant), placement,
                                                     state::StateStore::make(options), Cut(0));
  worker_.inbox().put(processor::AddTask{std::move(task)});
  processor::Freeze watch{kWatch, plan->id, Cut(0)};
  watch.freeze = false;
  watch.watch = true;
  worker_.inbox().put(std::move(watch));
}

bool Station::turn() {
  if (failed()) return false;
  bool worked = worker_.turn();
  outbox_.take_all(taken_);
  worked |= !taken_.empty();
  for (auto& message : taken_) {
    const Status handled = handle(message);
    if (handled.ok()) continue;
    error_ = handled.error();
    has_failed_.store(true, std::memory_order_release);
    break;
  }
  taken_.clear();
  return worked;
}

void Station::ask(Cut at) {
  answers_left_.store(plans_.size());
  for (size_t i = 0; i < plans_.size(); ++i) {
    processor::Freeze question{1 + i, plans_[i]->id, at};
    question.report = true;
    worker_.inbox().put(std::move(question));
  }
}

Status Station::handle(processor::FromWorker& message) {
  if (auto* step = std::get_if<StepDone>(&message.what)) return take_step(std::move(*step));
  if (auto* failure = std::get_if<processor::TaskFailed>(&message.what)) return failure->error;
  if (auto* progress = std::get_if<processor::Progress>(&message.what)) {
    live_.store(progress->live.value, std::memory_order_release);
  } else if (auto* frozen = std::get_if<processor::Frozen>(&message.what)) {
    if (!frozen->epoch.ok()) return frozen->epoch.error();
    if (frozen->request == kWatch) return {};
    answers_[frozen->request - 1] = std::move(*frozen);
    answers_left_.fetch_sub(1, std::memory_order_release);
  }
  return {};
}

Status Station::take_step(StepDone step) {
  for (const auto& change : step.changes) TRY(take_change(change));
  step.changes.clear();
  TRY(take_batches(step.group));
  if (outlet_ == Outlet::kNothing || step.group.controls.empty()) {
    worker_.written(step.bytes);
    return {};
  }
  while (!steps_.put(std::move(step))) std::this_thread::yield();  // put() moves only when it takes
  return {};
}

// Leaves those in the group that the core is to have.
Status Station::take_batches(log::Group& group) {
  std::vector<log::BatchAppend> left;
  for (auto& output : group.batches) {
    TRY_ASSIGN(const auto batch, log::RecordBatchView::parse(output.batch, false));
    const bool exchanged = is_repartition(output.where.stream);
    if (!exchanged) outlet_ == Outlet::kAll ? sink_.count(batch.count()) : take_records(batch);
    if (exchanged || outlet_ == Outlet::kAll) left.push_back(std::move(output));
  }
  group.batches = std::move(left);
  return {};
}

void Station::take_records(const log::RecordBatchView& batch) {
  log::RecordBatchView::Cursor cursor(batch);
  for (log::Record record; cursor.next(record);) sink_.take(record.value);
}

Status Station::take_change(const StepDone::Change& change) {
  const bool final = plans_[index_of(change.query)]->emit_on_close;
  for (size_t i = 0; i < change.rows.size(); ++i) {
    final ? sink_.take(change.rows.row(i)) : sink_.take_change(change.rows.row(i));
  }
  if (!change.closed) return {};
  TRY_ASSIGN(const auto rows, processor::render(*change.closed));
  for (size_t i = 0; i < rows.size(); ++i) sink_.take(rows.row(i));
  return {};
}

}  // namespace millrace::bench
