// JournalWorld, for tests: a journal on a simulated disk beside a plain list of what was appended, and the
// rules that must hold between the two after every start.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "log/journal.h"
#include "sim/sim_clock.h"
#include "sim/sim_files.h"

namespace millrace::log {

// One batch of `count` records; their values name the seed, so that no two are alike.
std::string make_batch(uint64_t seed, uint32_t count, size_t value_bytes = 20);
Journal::Options small_options();

class JournalWorld {
 public:
  explicit JournalWorld(uint64_t seed, Journal::Options options = small_options());
  ~JournalWorld();

  // Opens and checks everything. The first broken rule, or empty.
  std::string start();
  Status try_start();  // only opens; `failure` of the disk may be under way
  std::string try_start_then_crash(uint64_t failing_call);  // inside the start, or just behind it
  void crash();                                             // the journal is gone, the disk decides
  void kill();

  void append_some();
  void turn();    // flush, poll, and remember what was acknowledged
  void settle();  // turns until everything is durable
  void random_steps(int n);
  void recycle_oldest();
  std::string check();  // the rules, now

  sim::SimFiles files;
  sim::SimClock clock;
  Random random;
  Journal::Options options;
  std::unique_ptr<Journal> journal;
  std::vector<std::string> frames;  // the cut less one is the index; as describe() says them
  Cut acknowledged;
  Cut recycled;  // what retention was asked to remove
  uint32_t most_streams = 5;
  size_t largest_value = 400;

 private:
  static std::string describe(const Frame& frame);
  std::string take_unfinished_starts(Cut upto);
  std::string check_frames();
  std::string check_some(Cut after, const std::vector<FramePtr>& all);
  std::string check_streams();
  std::string check_position();

  std::map<Cut, std::string> positions_;  // the value of the name "p" from that cut on
  uint64_t next_seed_ = 1;
  uint64_t unfinished_starts_ = 0;  // each may have left its own frame behind the others
};

}  // namespace millrace::log
