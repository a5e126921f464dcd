// What a reader sees of a journal, every way there is to read, and what must agree among them.
#pragma once

#include <map>
#include <set>
#include <string>

#include "log/journal.h"

namespace millrace::fuzz {

struct JournalSeen {
  Cut first, end;
  std::map<Cut, std::string> frames;                    // describe(), of those that can be read
  std::map<Cut, std::string> errors;                    // the id, of those that cannot; at most kMostErrors
  std::map<StreamPartition, std::set<Cut>> partitions;  // the frames that hold batches of each
};
inline constexpr size_t kMostErrors = 40;

JournalSeen see(log::Journal& journal);
// Streams, offsets and times against the frames. `whole`: nothing was forged, so a stream's read finds all.
void check_reads(log::Journal& journal, const JournalSeen& seen, bool whole);

}  // namespace millrace::fuzz
