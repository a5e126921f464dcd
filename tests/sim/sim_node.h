// One simulated life of a whole node, from one seed: random definitions, clients and faults, then the oracle.
//
// Real:    everything from parsed requests down: ingest, journal, tasks, snapshots, recovery, definitions,
//          reads. Simulated: disk (SimFiles), clock (SimClock), background work (run when the seed says), the
//          workers' schedule, the clients.
// Checked: (a) every acknowledged request is in the log once, its events in order, in one frame, at the
//          offsets answered; an unacknowledged one whole or not at all; one sent again under its
//          Idempotency-Key never twice; (b) every view and derived stream, and the dead letters, are the
//          naive evaluator's over the final log, as are the streams that take late events; a SELECT covers what was acknowledged before it was asked;
//          (c) what a reader saw, it saw in the log's order without gap or repeat, and it never changes or
//          vanishes; what a view's subscriber folds is what the view shows; (d) a definition whose statement was answered is there after any crash, or gone if it
//          was a DROP.
// Replay:  the same seed gives the same run; a failure prints the command.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/planted.h"
#include "log/journal.h"

namespace millrace::sim {

struct SimOptions {
  uint64_t seed = 1;
  uint32_t actions = 400;
  log::PlantedBug bug = log::PlantedBug::kNone;  // of the journal
  Planted planted = Planted::kNone;              // of the other parts
  bool trace = false;                            // prints what happens
};

struct SimReport {
  std::optional<std::string> failure;
  uint64_t requests = 0;
  uint64_t acknowledged = 0;
  uint64_t events = 0;
  uint64_t frames = 0;
  uint64_t crashes = 0;
  uint64_t restarts = 0;
  uint64_t views = 0;
  uint64_t derived = 0;
  uint64_t window_rows = 0;  // of derived streams of closed windows
  uint64_t changes = 0;      // rows of derived streams of what changed in groups
  uint64_t selects = 0;
  uint64_t followed = 0;  // views, by a subscriber that was compared
  uint64_t late = 0;      // events in streams that take those
  uint64_t dead_letters = 0;
  uint64_t removed = 0;    // frames, by retention
  uint64_t overtaken = 0;  // readers
};

SimReport simulate(const SimOptions& options);
std::string replay_command(const SimOptions& options);
// Sets the bug of that name; false: there is none.
bool plant(const std::string& name, SimOptions& options);
std::vector<std::string> planted_bugs();

}  // namespace millrace::sim
