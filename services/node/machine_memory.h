// The memory that this process may count on: the machine's, or what its container is allowed.
#pragma once

#include <cstdint>

#include "base/files.h"

namespace millrace::node {

uint64_t machine_memory_bytes(Files& files);

}  // namespace millrace::node
