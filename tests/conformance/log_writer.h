// LogWriter: one user of a Log who remembers all it sent, and the rules that must hold between that and what
// the log gives back. A broken rule is a sentence; the empty string is none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/conformance/log_subject.h"

namespace millrace::conformance {

class LogWriter {
 public:
  LogWriter(LogSubject& subject, uint64_t seed) : subject_(subject), random_(seed) {}

  // Appends a group of up to four batches, with a position now and then; false if it was refused.
  bool send(size_t largest_value = 300);
  std::string take_answers();
  std::string settle();  // until all is answered
  void restarted();      // what is unanswered may be there or not, from now on for good
  std::string check();   // reads everything

  size_t unanswered() const;
  size_t committed() const;
  size_t sent() const { return sent_.size(); }

 private:
  enum class Fate : uint8_t { kOpen, kCommitted, kAborted, kUnknown };
  struct Sent {
    log::Ticket ticket = 0;
    std::vector<std::pair<StreamPartition, std::string>> batches;  // without the base offset
    std::string position;                                          // empty: none
    std::vector<log::BatchPlace> places;
    Fate fate = Fate::kOpen;
  };
  struct Found {
    StreamPartition where;
    Offset first;
  };

  std::string take_answer(const log::Outcome& outcome);
  std::string read_partition(StreamPartition where, std::map<std::string, Found>& found);
  std::string take_fetched(StreamPartition where, Offset from, const log::Fetched& fetched,
                           std::map<std::string, Found>& found);
  std::string check_group(Sent& sent, std::map<std::string, Found>& found,
                          std::map<StreamPartition, Offset>& last);
  std::string check_position();

  LogSubject& subject_;
  Random random_;
  std::vector<Sent> sent_;
};

}  // namespace millrace::conformance
