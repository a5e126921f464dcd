// A file that the kernel makes while it is read (/proc, /sys): its size says nothing, it is 0 for most.
#pragma once

#include <string>

#include "base/files.h"

namespace millrace::node {

// At most its first 4 KiB.
Result<std::string> read_kernel_file(Files& files, const std::string& path);

}  // namespace millrace::node
