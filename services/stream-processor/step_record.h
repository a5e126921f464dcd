// What the stream-processor writes into the journal beside its outputs.
//
// StepRecord one worker's step: the cut it reached, and for every query with outputs in it a hash of them. It
//            stands in the same frame as the outputs, so neither is ever there without the other. A step
//            without outputs leaves none, for running it again gives nothing again; but one that changed groups
//            whose changes are a stream leaves one without batches: its bounds decide what the next one gives.
// Slice      of one query's outputs in one step, what one frame takes: with more than slice_bytes there are several,
//            each with its record, in order. The step is done when the last one is written; a start that finds only
//            the first ones makes the outputs again and writes the rest.
// Report     how far a source partition's watermark is, for the workers that do not read it themselves; or that
//            it turned idle, and in which frame: by the time others hear of it, it may be active again. Or how far it
//            is in the worker's partitions of the stream that the query makes (kOutputs), for those who read that.
// Layout     the number of workers from a cut on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace millrace::processor {

// Raised when the same journal may give other outputs than before: recorded in every step, compared by a
// re-run.
inline constexpr uint16_t kEngineVersion = 1;

// Which of the workers.
struct Placement {
  uint32_t worker = 0;
  uint32_t workers = 1;
};

struct Report {
  static constexpr PartitionId kOutputs{UINT16_MAX};

  PartitionId partition;
  int64_t watermark_us = INT64_MIN;
  Cut idle_since;  // 0: it is not idle

  bool idle() const { return idle_since.value != 0; }
};

struct StepEntry {
  QueryId query;
  uint64_t plan_identity = 0;
  uint64_t output_hash = 0;
  uint32_t output_rows = 0;
  uint32_t batches = 0;         // of the frame: entries take them in order
  std::vector<Report> reports;  // of the last slice
  uint32_t slice = 0;
  bool last = true;  // slice of the step
};

struct StepRecord {
  uint16_t worker = 0;
  uint16_t workers = 1;
  uint16_t engine_version = kEngineVersion;
  Cut from;     // the step took the frames after this cut
  Cut reached;  // up to and including this one
  std::vector<StepEntry> entries;
  uint64_t slice_bytes = 0;  // by which the outputs were cut
};

std::string encode(const StepRecord& record);
Result<StepRecord> decode_step(std::string_view payload);  // kCorrupt MR-STEP-0001

// The hash of a query's outputs: record by record within a partition, then partition by partition, then the
// reports.
uint64_t hash_record(uint64_t hash, std::string_view value);
uint64_t hash_part(uint64_t hash, StreamPartition where, uint64_t part_hash);
uint64_t hash_report(uint64_t hash, const Report& report);

struct Layout {
  Cut from;  // frames after this cut
  uint32_t workers = 1;
};
inline constexpr const char* kLayoutsSetting = "stream-processor.layouts";  // in the metadata store
// "0:1,1234:2": for the metadata store and the journal.
std::string encode(const std::vector<Layout>& layouts);
Result<std::vector<Layout>> decode_layouts(std::string_view text);

}  // namespace millrace::processor
