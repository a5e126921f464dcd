// What `millrace doctor` looks at before a first start: the directory and its disk, the machine, the address.
//
// A look (look_at_…) asks the machine; what a number means is said by judge_…, which asks nobody. Nothing is changed:
// the probe's file is removed, also by ctrl-C; no lock is made, no directory.
// Bound: the syncs end after kSyncSeconds, reading the journal's end after kJournalSeconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "node/listen_address.h"

namespace millrace::cli {

enum class Health : uint8_t { kOk, kWarn, kFail };

struct Finding {
  const char* check = "";
  Health health = Health::kOk;
  std::string what;
  std::string todo = {};  // empty: nothing
};

inline constexpr double kSyncSeconds = 2.5;
inline constexpr double kJournalSeconds = 1;

std::vector<Finding> look_at_disk(Files& files, const Clock& clock, const std::string& data);
std::vector<Finding> look_at_machine(Files& files, const Clock& clock, const std::string& data);
Finding look_at_address(const node::ListenAddress& address);

Finding judge_syncs(std::vector<int64_t> nanoseconds);  // of one write and its sync each; not empty
Finding judge_space(uint64_t free_bytes);
Finding judge_file_system(uint64_t magic);
Finding judge_open_files(uint64_t limit);
Finding judge_memory(uint64_t bytes);
Finding judge_cores(double cores);
Finding judge_huge_pages(const std::string& setting);  // the kernel's file: "always [madvise] never"
// Microseconds since 1970; newest 0: the journal has none.
Finding judge_clock(int64_t wall_us, int64_t newest_us, bool synchronised, int64_t resolution_ns);

}  // namespace millrace::cli
