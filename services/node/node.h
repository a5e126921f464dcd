// Node: one process's services wired together. Holds no logic of its own: it opens them in order, passes the
// journal's progress around, and closes them.
//
// Threads: the core loop calls everything here. With inline_workers all workers run inside turn() (the
//          simulation; also one worker in production: events, steps and the sync they share stay on one
//          core); else workers 1… have threads.
// turn():  takes the journal's completions, hands out what became durable, steps over what is new, flushes.
//          Call it after every drain of the sockets, and whenever a wake comes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/random.h"
#include "engine/serving.h"
#include "event-gateway/backups.h"
#include "event-gateway/dead_letters.h"
#include "event-gateway/gateway.h"
#include "log/journal.h"
#include "node/node_log.h"
#include "node/tracing.h"
#include "sql/definitions.h"

namespace millrace::node {

struct NodeOptions {
  std::string directory;
  uint32_t workers = 1;
  bool process = true;          // false: take in and serve reads only
  bool inline_workers = false;  // all workers inside turn(), in an order chosen by `schedule`
  std::function<uint64_t(uint64_t bound)> schedule;  // the simulation's choices; null: round robin
  NodeLog* log = nullptr;                            // null: it says nothing
  Tracing* tracing = nullptr;                        // null: no spans are made
  size_t max_step_bytes =
      256u << 10;                     // journal bytes a step takes at most: with its rows, what a core caches
  size_t max_slice_bytes = 8u << 20;  // of a step's outputs, in one frame
  size_t snapshot_after_bytes = 256u << 20;        // journal bytes of replay that make a snapshot due
  int64_t snapshot_after_us = 60'000'000;          // or this much append time, if anything changed
  size_t state_bytes = size_t{2} << 30;            // a task's bound
  size_t state_memory_bytes = SIZE_MAX;            // of all tasks' state, in memory; the rest is on the disk
  size_t save_ingest_after_bytes = 128u << 20;     // journal bytes until the idempotency keys are saved
  std::chrono::milliseconds statement_timeout{0};  // of a statement that reads; 0: none
  int64_t dead_letters_kept_us = int64_t{7} * 24 * 3'600'000'000;
  engine::PlanOptions plan;
  log::Journal::Options journal;  // directory is set from the above
};

class Node {
 public:
  // Recovers the data directory, or makes a new one. kConflict: another process has it (MR-NODE-0001);
  // kUnsupported: it was written by a newer version. `progress` gets a phrase and done/total; may be null.
  static Result<std::unique_ptr<Node>> open(
      Files& files, const Clock& clock, engine::Background& background, NodeOptions options,
      std::function<void(const char*, uint64_t, uint64_t)> progress = nullptr);
  virtual ~Node() = default;

  virtual bool turn() = 0;        // true: there is more to do right now
  virtual int64_t wait_us() = 0;  // how long the loop may sleep if nothing wakes it (timers)
  virtual void set_wake(
      std::function<void()> wake) = 0;  // called from any thread when turn() has something to do
  virtual const std::optional<Error>& failed() const = 0;  // the journal or the disk gave up: end the process
  virtual Status ready() const = 0;                        // kUnavailable with the reason while catching up
  // Prometheus text: of the node; and of each stream, query and tenant, of all tenants or of one.
  virtual std::string metrics() = 0;
  virtual std::string metrics_full(std::optional<TenantId> only) = 0;

  virtual Result<TenantId> tenant(const std::string& name) = 0;  // made if missing; waits for nothing
  virtual gateway::Ingest& ingest() = 0;
  virtual gateway::SqlService& sql() = 0;
  virtual gateway::DeadLetters& dead_letters() = 0;
  virtual engine::StreamReads& streams() = 0;
  virtual log::Journal& journal() = 0;
  virtual sql::Definitions& definitions() = 0;
  virtual gateway::Backups& backups() = 0;
  virtual bool idle() const = 0;  // everything appended is durable and every task has reached the end
  // A clean end: flush, snapshot, release the directory. Without snapshots the next start takes more steps again.
  virtual Status close(bool with_snapshots) = 0;
  Status close() { return close(true); }
};

// `log verify --recompute`: runs every query again over the journal and compares each recorded step. Offline.
struct NamedSchema {  // by a stream, for its events
  std::string tenant, stream;
  engine::SchemaRef schema;
};
struct RecomputeReport {
  uint64_t queries = 0;
  uint64_t steps = 0;
  uint64_t rows = 0;
  std::vector<std::string> differences;  // empty: everything is as it was computed
  std::vector<NamedSchema> schemas;      // that definitions name; nobody has looked for them
};
Result<RecomputeReport> recompute(Files& files, const Clock& clock, const std::string& directory,
                                  size_t state_memory_bytes = SIZE_MAX,
                                  std::function<void(uint64_t, uint64_t)> progress = nullptr);

}  // namespace millrace::node
