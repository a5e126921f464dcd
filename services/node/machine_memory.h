// The memory that this process may count on: the machine's, or what its container is allowed.
#pragma once

#include <cstdint>

#include "base/files.h"

namespace millrace::node {

uint64_t machine_memory_bytes(Files& files);

// Of it, for the queries' state: while a snapshot is written its pages may come on top once more, and the kernel's
// page cache serves readers of the journal.
inline constexpr uint64_t kStateShare = 3;

}  // namespace millrace::node
