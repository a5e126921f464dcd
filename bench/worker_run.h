// One worker without what is around it: from the journal's frames to the rows that would be written, into a sink
// that counts and hashes them. It steps its queries as stream-processor's Worker does: one decode for all.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "bench/server_process.h"
#include "log/journal.h"
#include "state/spill_space.h"

namespace millrace::bench {

// A journal with events of one stream in frames of a thousand.
class History {
 public:
  // `append` adds the next event to the text.
  static Result<std::unique_ptr<History>> make(const std::string& directory, const std::string& name,
                                               int64_t events,
                                               const std::function<void(std::string&)>& append);
  log::Journal& journal() { return *journal_; }
  // Memory for state beside the journal, and its file.
  std::shared_ptr<state::SpillSpace> spill_space(size_t memory_bytes);
  int64_t events() const { return events_; }

 private:
  History(Scratch scratch, int64_t events) : scratch_(std::move(scratch)), events_(events) {}
  Status write(const std::function<void(std::string&)>& append);

  const Scratch scratch_;
  const int64_t events_;
  const std::unique_ptr<Files> files_ = make_system_files();
  const SystemClock clock_;
  std::unique_ptr<log::Journal> journal_;
};

// What came out: the same for the same events, however often and wherever it runs.
struct Sink {
  uint64_t rows = 0;
  uint64_t hash = 0;          // of rows in any order
  std::FILE* file = nullptr;  // or: the final rows themselves, too
  void count(std::string_view row);
  void take(std::string_view row);
};

struct WorkerRun {
  double seconds = 0;  // with the rows at the end
  size_t state_bytes = 0;
  // When the last step was done.
  double steps_seconds = 0;
  double resident_mb = 0;
  state::SpillSpace::Counters spill;
};
// Runs the queries over the whole history; CREATE STREAM's text, then the queries', named as they like. Views tell
// their changes as to subscribers; in the end follow the rows of those that are up to date at once, and the windows
// that are still open of those that emit on close. Without `spill` all state stays in memory.
Result<WorkerRun> run_worker(History& history, std::string_view stream,
                             const std::vector<std::string>& queries, Sink& sink,
                             const std::shared_ptr<state::SpillSpace>& spill = nullptr);

}  // namespace millrace::bench
