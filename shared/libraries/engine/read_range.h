// ReadRange: which events of a stored stream a SELECT can use, by what its WHERE says of _partition, _offset and _time (or
// PROCTIME()). The read begins and ends there, and what stands outside counts for none of its bounds.
//
// Taken: conditions that all have to be true, of one of these columns and a constant: < <= = >= >, BETWEEN, IN, and <> of
//        _partition. Whatever else WHERE says stays for the rows, and so do these.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::engine {

struct SelectPlan;

// Both ends belong to it.
struct Interval64 {
  int64_t first = INT64_MIN;
  int64_t last = INT64_MAX;
  bool empty() const { return first > last; }
  bool has(int64_t value) const { return first <= value && value <= last; }
  void cut(const Interval64& other);
};

// Of each partition that is read.
struct EventRange {
  Interval64 offsets{0, INT64_MAX};
  Interval64 times_us;  // append times
  bool has(int64_t offset, int64_t time_us) const { return offsets.has(offset) && times_us.has(time_us); }
};

struct ReadRange {
  EventRange events;
  std::vector<bool> partitions;  // of the stream's, those that are read
  bool exact = true;             // it is all that WHERE says: each row in it passes

  bool empty() const;  // no event can be in it
  bool all_partitions() const;
  bool whole_partitions() const { return events.offsets.first <= 0 && events.offsets.last == INT64_MAX; }
  std::string to_string() const;  // "partition 0, offsets 5 to 9"; empty: it is the whole stream
};

// Of a plan that reads a stream or the dead letters.
ReadRange read_range(const SelectPlan& plan);

}  // namespace millrace::engine
