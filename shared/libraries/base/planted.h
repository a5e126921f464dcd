// Planted: bugs that the simulation can put into its own copy of a source, to prove that they would be
// noticed.
//
// Why:        a test that cannot fail proves nothing.
// Production: planted() is a constant false; nothing of this is in the binary. Only tests/sim compiles the
//             sources that ask for it a second time, with MILLRACE_PLANTED_BUGS.
// Threads:    set before anything runs.
#pragma once

#include <cstdint>

namespace millrace {

enum class Planted : uint8_t {
  kNone,
  kForgetWatermarks,       // a snapshot holds no watermarks
  kSnapshotAhead,          // a snapshot says that it is one frame further than it is
  kSnapshotBeforeOutputs,  // a snapshot is written before its last step's outputs are durable
  kReplayTwice,            // recovery takes a recorded step's frames twice
  kSwapOutputs,            // a step's outputs go to each other's partitions
  kDeafToReports,          // a worker does not hear the others' watermarks
  kForgetGroups,           // a change of the number of workers loses the last old worker's groups
  kForgetKeys,             // the idempotency table finds nothing
  kForgetFloor,            // retention does not ask what snapshots and queries need
  kLoseChanges,            // some of a view's changes do not reach its subscribers
  kDropEarly,              // a view's closed windows are not kept
  kForgetSlices,           // recovery does not write the rest of a step's outputs
};

#ifdef MILLRACE_PLANTED_BUGS
inline Planted planted_bug = Planted::kNone;
static inline bool planted(Planted bug) {
  return planted_bug == bug;
}
#else
static constexpr bool planted(Planted) {
  return false;
}
#endif

}  // namespace millrace
