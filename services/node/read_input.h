// What a command is given to read whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace millrace::cli {

// All of a file, - for standard input; of more than `most` bytes a little more than that. MR-CLI-0006, -0011
Result<std::string> read_input(const std::string& file, size_t most = SIZE_MAX);

}  // namespace millrace::cli
