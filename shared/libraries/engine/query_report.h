// QueryReport: what a running query says about itself: which partition holds its windows open, what its steps did.
//
// Counted:  since the process started, the steps that a recovery ran again included. No answer depends on it.
// Times:    of whole batches, by the clock that the node hands in; 0 without one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/types.h"
#include "engine/plan.h"

namespace millrace::engine {

struct StepCounters {
  uint64_t steps = 0;
  uint64_t batches = 0;  // of rows that stood together
  uint64_t rows = 0;     // events of the source, read
  uint64_t undecodable = 0;
  uint64_t filtered = 0;  // the condition was not true
  uint64_t late = 0;      // or closed_while_idle, or without event time
  uint64_t kept_by_closed =
      0;  // of an updating source: rows that went when their window had ended, and are in it still
  uint64_t changes = 0;         // of an updating source: rows that its events made come and go
  uint64_t shaped = 0;          // rows that reached the aggregate, or the output …
  uint64_t shaped_batches = 0;  // … together
  uint64_t merged = 0;          // partial groups of the repartition topic …
  uint64_t merged_batches = 0;
  uint64_t failed = 0;    // an expression failed
  uint64_t nulls = 0;     // expressions that failed and gave NULL
  uint64_t outputs = 0;   // records written: of a derived stream, a repartition topic, dead letters
  int64_t decode_ns = 0;  // shared by all queries of the stream
  int64_t filter_ns = 0;  // and the late check
  int64_t shape_ns = 0;   // aggregate, or project
  int64_t merge_ns = 0;   // partial groups of the repartition topic

  void add(const StepCounters& other);
};

struct PartitionReport {
  PartitionId partition;
  bool seen = false;  // had an event
  bool idle = false;
  int64_t watermark_us = INT64_MIN;
};

// A row of the partition comes too late if its last window ends up to there.
struct LateBefore {
  PartitionId partition;
  int64_t watermark_us = INT64_MIN;
};

// What an operator keeps.
struct OperatorState {
  uint64_t keys = 0;
  uint64_t bytes = 0;

  void add(const OperatorState& other) {
    keys += other.keys;
    bytes += other.bytes;
  }
};

struct QueryReport {
  std::vector<PartitionReport> partitions;  // of the source, by number; empty: nothing closes by watermark
  std::vector<LateBefore> late_before;      // likewise; empty: no row comes too late
  StepCounters counters;
  OperatorState groups;
  OperatorState distinct;   // the values that DISTINCT has seen, where they stand beside the groups
  OperatorState rows;       // of a view without groups, or of groups as they were told last
  OperatorState last_rows;  // of each primary key: what may have to be taken back
  uint64_t state_bytes = 0;

  // Takes in what another worker says of its share.
  void add(const QueryReport& other);
};

// Lines for EXPLAIN and for EXPLAIN ANALYZE, each indented as a node of the plan.
std::string watermark_lines(const QueryPlan& plan, const QueryReport& report);
std::string analyze_lines(const QueryPlan& plan, const QueryReport& report);

}  // namespace millrace::engine
