// What of a journal's files a copy of its frames up to a cut needs, while a node goes on writing them.
//
// Reads only. What is there of the frames has to stay: the caller sees to it that nothing is recycled meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/types.h"

namespace millrace::log {

struct SegmentExtent {
  std::string name;
  uint64_t bytes = 0;  // from the file's beginning
  // All of the file, which does not change any more. Else a block of zeros has to follow, so that no bytes of a client
  // stand where a start looks for a trailer.
  bool sealed = false;
};

// Ascending. kNotFound: a file went while it was looked at. kCorrupt: frame `last` cannot be read (MR-LOG-0007), or a file
// is missing (MR-LOG-0010).
Result<std::vector<SegmentExtent>> copy_extents(Files& files, const std::string& directory, Cut first,
                                                Cut last);

}  // namespace millrace::log
