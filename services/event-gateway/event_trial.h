// EventTrial: a schema run against the last events that a stream has stored.
//
// Which:   of each partition as many, as far as it has them; oldest first.
// Bound:   a budget of bytes and a time, shared by the trials of one check; what lies beyond is not looked at, and said.
// Threads: begin and callback on the core loop; events are judged on Background.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "engine/serving.h"
#include "event-gateway/event_schemas.h"
#include "log/journal.h"

namespace millrace::gateway {

struct Misfit {
  PartitionId partition;
  Offset offset;
  AppendTime arrived;
  Error why;
};
struct TriedEvents {
  static constexpr size_t kMostShown = 10;
  size_t tried = 0, misfits = 0;
  std::vector<Misfit> first;     // at most kMostShown
  bool complete = true;          // false: the budget ended before the events did
  std::optional<Error> failure;  // of reading them
};

struct TrialBudget {
  size_t bytes = 0;
  int64_t until_ns = 0;            // of the monotonic clock
  std::atomic<bool> gone = false;  // nobody waits for the answer any more: the rest is not looked at
};

struct TrialServices {
  log::Journal& journal;
  engine::StreamReads& streams;
  engine::Background& background;
  const Clock& clock;
};

// All of these outlive it.
void try_events(const TrialServices& services, engine::StreamPtr stream, std::shared_ptr<EventSchema> schema,
                size_t events, std::shared_ptr<TrialBudget> budget, std::function<void(TriedEvents)> done);

}  // namespace millrace::gateway
