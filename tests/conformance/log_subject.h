// LogSubject: one implementation of Log under test, with the world that can be done to it.
#pragma once

#include <memory>
#include <string>

#include "log/journal.h"
#include "tests/fakes/hostile_log.h"

namespace millrace::conformance {

class LogSubject {
 public:
  virtual ~LogSubject() = default;
  virtual log::Log& log() = 0;
  virtual void turn() = 0;       // time passes, the disk or the brokers go on
  virtual void restart() = 0;    // the process ends as it stands, and another one starts
  virtual void forget() = 0;     // retention removes some of the oldest
  virtual void fail() = 0;       // for good: until a restart nothing can be appended
  virtual AppendTime now() = 0;  // as an append would be stamped
};

std::unique_ptr<LogSubject> make_journal_subject(uint64_t seed);
std::unique_ptr<LogSubject> make_hostile_subject(uint64_t seed);
// Such as break a promise: the suite must see it.
std::unique_ptr<LogSubject> make_broken_subject(uint64_t seed, log::PlantedBug bug);
std::unique_ptr<LogSubject> make_broken_subject(uint64_t seed, fakes::Broken broken);

}  // namespace millrace::conformance
