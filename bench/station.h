// Station: one of the stream-processor's workers and what stands behind it: rows go into a sink, on the worker's own
// thread; what other workers or the journal must have goes to the core.
//
// Threads: turn() on one thread; the rest as said.
// Bound:   the worker waits for written(), as in a server; the steps for the core are a bounded mailbox, and a full one
//          is waited for.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/mailbox.h"
#include "bench/sink.h"
#include "log/record_batch.h"
#include "sql/catalog.h"
#include "stream-processor/worker.h"

namespace millrace::bench {

// What leaves a station for the core, beyond what the sink takes.
enum class Outlet : uint8_t {
  kNothing,
  kExchange,  // step records and repartition topics, for the other workers
  kAll,       // outputs, too: the sink counts them unseen
};

class Station {
 public:
  Station(log::Journal& journal, const sql::Catalog& catalog, size_t queries, processor::Placement placement,
          Outlet outlet, const std::shared_ptr<state::SpillSpace>& spill);

  bool turn();  // false: there was nothing to do
  // Final answers to a Freeze of each query, in the queries' order; when done() says so.
  void ask(Cut at);

  // Any thread.
  bool stands_at(Cut end) const { return live_.load(std::memory_order_acquire) >= end.value; }
  bool failed() const { return has_failed_.load(std::memory_order_acquire); }
  bool answered() const { return answers_left_.load(std::memory_order_acquire) == 0; }
  Mailbox<processor::StepDone>& steps() { return steps_; }
  void written(size_t bytes) { worker_.written(bytes); }

  // When the thread has ended.
  const std::optional<Error>& error() const { return error_; }
  const std::vector<processor::Frozen>& answers() const { return answers_; }
  Sink& sink() { return sink_; }

 private:
  void add(const sql::Catalog& catalog, size_t query, processor::Placement placement,
           const std::shared_ptr<state::SpillSpace>& spill);
  Status handle(processor::FromWorker& message);
  Status take_step(processor::StepDone step);
  Status take_batches(log::Group& group);
  void take_records(const log::RecordBatchView& batch);
  Status take_change(const processor::StepDone::Change& change);

  const Outlet outlet_;
  std::vector<engine::PlanPtr> plans_;
  Mailbox<processor::FromWorker> outbox_{4096};
  Mailbox<processor::StepDone> steps_{4096};
  processor::Worker worker_;
  Sink sink_;
  std::vector<processor::FromWorker> taken_;
  std::vector<processor::Frozen> answers_;
  std::optional<Error> error_;
  std::atomic<uint64_t> live_{0};
  std::atomic<size_t> answers_left_{SIZE_MAX};
  std::atomic<bool> has_failed_{false};
};

}  // namespace millrace::bench
