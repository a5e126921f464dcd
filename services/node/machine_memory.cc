#include "node/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "node/kernel_file.h"

namespace millrace::node {
namespace {

// Control groups, version 2 and 1, as a container sees its own.
constexpr const char* kLimits[] = {"/sys/fs/cgroup/memory.max",
                                   "/sys/fs/cgroup/memory/memory.limit_in_bytes"};

}  // namespace

uint64_t machine_memory_bytes(Files& files) {
  uint64_t bytes =
      static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const char* path : kLimits) {
    const auto text = read_kernel_file(files, path);
    uint64_t limit = 0;
    // "max", or no such file: none.
    if (text.ok() && std::from_chars(text->data(), text->data() + text->size(), limit).ec == std::errc())
      bytes = std::min(bytes, limit);
  }
  return bytes;
}

}  // namespace millrace::node
