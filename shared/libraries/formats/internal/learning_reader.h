// LearningReader: what the decoder and the validator read events with. Remembered shapes first; an event that
// has none is EventReader's, and may be learnt.
//
// Why:        most streams have a few shapes. One that has a new shape in every event must not pay for the
//             attempts: where fewer than half of a window's events had a known shape, all are forgotten and
//             the shapes rest for a while, twice as long each time.
// Threads:    confined.
// Invariants: every answer is EventReader's: it gives all refusals, and shapes take nothing that it refuses.
// Bound:      ShapeTree's; kLearnedAWindow events learnt of kWindow.
#pragma once

#include <string_view>

#include "formats/internal/column_slots.h"
#include "formats/internal/event_reader.h"
#include "formats/internal/shape_tree.h"

namespace millrace::formats {

class LearningReader {
 public:
  // Slot i is the column schema[wanted[i]].
  LearningReader(const Schema& schema, const std::vector<int>& wanted);
  LearningReader(const LearningReader&) = delete;
  LearningReader& operator=(const LearningReader&) = delete;

  void attach(std::vector<Column>& columns, Arena& arena) { slots_.attach(columns, arena); }
  // Into a row whose columns are NULL. False: the event is refused, failure() says why; the row's values are
  // unspecified.
  bool read(std::string_view event, size_t row);
  EventReader::Failure failure() const { return general_.failure(); }

 private:
  static constexpr uint32_t kWindow = 512;
  static constexpr uint32_t kLearnedAWindow = 16;  // learning costs what reading does, and more
  static constexpr uint32_t kShortestRest = 16 * kWindow;
  static constexpr uint32_t kLongestRest = 256 * kWindow;

  bool read_general(std::string_view event, size_t row);
  void review();

  ColumnSlots slots_;
  EventReader general_;
  ShapeTree shapes_;
  uint32_t left_ = kWindow;  // events of this window, or of the rest
  bool resting_ = false;
  uint32_t next_rest_ = kShortestRest;
  uint32_t misses_ = 0;  // in this window
  uint32_t learned_ = 0;
};

}  // namespace millrace::formats
