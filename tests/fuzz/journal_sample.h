// A healthy journal for inputs to damage: four starts, some segments sealed, the last still written to, the
// oldest removed by retention. And what is in it, from the side that wrote it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "log/journal.h"
#include "tests/fuzz/disk.h"

namespace millrace::fuzz {

inline constexpr char kJournalFolder[] = "/data/journal";

std::string describe(const log::Frame& frame);       // all that a reader can see of it
std::string describe(const log::FrameBatch& batch);  // its part of that

struct JournalSample {
  struct Place {
    std::string path;
    uint64_t position = 0;
    uint64_t length = 0;
    Cut frontier;
  };
  Disk disk;
  Cut first, last;
  std::map<Cut, std::string> frames;  // as describe() says them
  std::map<StreamPartition, std::set<Cut>> partitions;
  std::map<Cut, Place> places;
};

const JournalSample& journal_sample();

}  // namespace millrace::fuzz
