// Upserts and LastRows: what the events of a stream with a primary key mean for the table that they make.
//
// Why:     an aggregate can take a row back only if somebody knows it still: the last row of each key is kept, of the
//          columns that the query reads.
// Changes: an event of a key that has a row gives that row with weight -1; unless it deletes, it gives its own with
//          weight +1 behind it. Both have the event's origin and bytes.
// Order:   a key's events stand in one partition, so its changes come in their order, however partitions interleave.
// Threads: the worker's.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "state/state_store.h"

namespace millrace::engine {

// Reads events, whose columns are `columns` of the stream.
class Upserts {
 public:
  Upserts(const StreamDef& stream, const std::vector<int>& columns);
  // The primary key's bytes. False: longer than a key of the state may be.
  bool key_of(const Batch& events, uint32_t row, std::string& key) const;
  bool deletes(const Batch& events, uint32_t row) const;
  static RowError too_long(uint32_t row);

 private:
  std::vector<size_t> key_;
  size_t op_ = 0;
};

class LastRows {
 public:
  LastRows(PlanPtr plan, const std::vector<int>& columns);
  // What the selected events change, in `out`: rows of the plan's read columns, but for the op. `errors` are of events.
  Status changes_of(const Batch& events, const Selection& selection, state::StateStore& store, Batch& out,
                    std::vector<RowError>& errors);

 private:
  Status retract(std::string_view row, const Batch& events, uint32_t event, Batch& out) const;
  void insert(const Batch& events, uint32_t event, Batch& out);
  static void note(const Batch& events, uint32_t event, int32_t weight, Batch& out);

  PlanPtr plan_;
  Upserts upserts_;
  Schema schema_;               // of the changes
  std::vector<size_t> places_;  // of its columns, in the events
  std::string key_, bytes_;     // scratch
};

}  // namespace millrace::engine
