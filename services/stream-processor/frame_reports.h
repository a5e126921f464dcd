// FrameReports: what the step records in some frames say of watermarks, by query: decoded once for all tasks of a
// step, since each of a thousand queries would look for its own among all of them.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "log/journal.h"
#include "stream-processor/step_record.h"

namespace millrace::processor {

class FrameReports {
 public:
  struct Heard {
    Cut frame;
    std::vector<Report> reports;
  };
  FrameReports() = default;
  explicit FrameReports(std::span<const log::FramePtr> frames);

  const std::vector<Heard>& of(QueryId query) const;  // in the frames' order
  const std::map<uint32_t, std::vector<Heard>>& by_query() const { return by_query_; }

 private:
  std::map<uint32_t, std::vector<Heard>> by_query_;
};

}  // namespace millrace::processor
