// FrameReports: what the step records in some frames say of watermarks, by query and by the streams that queries make,
// and the dead letters that queries take again: decoded once for all tasks of a step, since each of a thousand queries
// would look for its own among all of them.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "engine/letters.h"
#include "log/journal.h"
#include "stream-processor/step_record.h"

namespace millrace::processor {

class FrameReports {
 public:
  struct Heard {
    Cut frame;
    std::vector<Report> reports;
  };
  // No row to come in that worker's partitions of the stream is before least_us.
  struct Told {
    Cut frame;
    Placement by;
    int64_t least_us = INT64_MIN;
  };
  // The query takes the event behind the rows of that frame.
  struct Redriven {
    Cut frame;
    AppendTime time;
    engine::LetterEvent event;
  };
  FrameReports() = default;
  explicit FrameReports(std::span<const log::FramePtr> frames);

  const std::vector<Heard>& of(QueryId query) const;  // in the frames' order
  const std::map<uint32_t, std::vector<Heard>>& by_query() const { return by_query_; }
  const std::vector<Told>& told(StreamId stream) const;  // in the frames' order
  const std::map<uint32_t, std::vector<Told>>& by_stream() const { return by_stream_; }
  const std::vector<Redriven>& redriven(QueryId query) const;  // in the frames' order
  const std::map<uint32_t, std::vector<Redriven>>& redriven() const { return redriven_; }

 private:
  void add(Cut frame, Placement by, StepEntry entry);
  void add_letter(const log::Frame& frame, std::string_view payload);

  std::map<uint32_t, std::vector<Heard>> by_query_;
  std::map<uint32_t, std::vector<Told>> by_stream_;
  std::map<uint32_t, std::vector<Redriven>> redriven_;
};

}  // namespace millrace::processor
