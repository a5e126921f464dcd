// Runner: one case on one in-process node, under one of the hidden schedules. Every schedule has to give the
// same answer.
#pragma once

#include <memory>
#include <string>

#include "node/query_tests/case.h"

namespace millrace::query_tests {

struct Schedule {
  const char* name;
  uint16_t partitions;  // of streams that do not say; 0: as they are
  uint32_t workers;
  size_t step_bytes;      // journal bytes a step takes
  bool event_by_event;    // one request an event, else one a push
  bool restarts;          // after every push, now by a crash, now by a clean end
  bool spills = false;    // no state stays in memory between two steps, and an output fills a frame
  bool optimizes = true;  // PlanOptions; what EXPLAIN says of the plans is not looked at then
};
inline constexpr Schedule kSchedules[] = {
    {"plain", 0, 1, 1u << 20, false, false},
    {"one_frame_a_step", 0, 1, 1, true, false, true},
    {"restart_after_every_push", 0, 1, 4'000, false, true},
    {"four_partitions", 4, 1, 1u << 20, true, false},
    {"two_workers", 4, 2, 1, true, false},
    {"two_workers_restarting", 4, 2, 4'000, true, true, true},
    {"not_optimized", 0, 1, 1u << 20, false, false, false, false},
};

// Empty: as expected. Else what differs, with file and line. `rewrite`: expectations become what was found.
std::string run_case(const std::string& path, Case& test, const Schedule& schedule, bool rewrite);

}  // namespace millrace::query_tests
