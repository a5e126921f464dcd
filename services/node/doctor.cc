#include "node/doctor.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>

#include "node/machine_memory.h"
#include "node/serve_options.h"

namespace millrace::cli {
namespace {

constexpr double kGood99Ms = 1;
constexpr double kHardlyADiskMs = 0.005;
constexpr uint64_t kOtherFiles = 1'000;  // segments, state, snapshots, and what reads them
constexpr uint64_t kSmallMemory = uint64_t{1} << 30;
constexpr uint64_t kFewSegments = 10;

double ms(int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

std::string gib(uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1u << 30));
}

std::string utc(int64_t us) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(us / 1'000'000)));
}

}  // namespace

Finding judge_syncs(std::vector<int64_t> all) {
  std::sort(all.begin(), all.end());
  const double p50 = ms(all[all.size() / 2]);
  const double p99 = ms(all[all.size() * 99 / 100]);
  Finding found{
      "sync", Health::kOk,
      fmt::format("write and sync of 4 KiB, {} times: p50 {:.3f} ms, p99 {:.3f} ms, max {:.3f} ms; a durable "
                  "answer takes at least {:.3f} ms",
                  all.size(), p50, p99, ms(all.back()), p50)};
  if (p50 < kHardlyADiskMs) {
    found.health = Health::kWarn;
    found.todo = "no disk is so fast: see that neither the file system nor a virtual machine ignores syncs";
  } else if (p99 > kGood99Ms) {
    found.health = Health::kWarn;
    found.todo =
        "p99 below 1 ms needs a local disk whose cache outlives a power loss, and that nobody else keeps "
        "busy";
  }
  return found;
}

Finding judge_space(uint64_t free_bytes) {
  const node::ServeOptions serve;
  const uint64_t reserve = serve.reserve_mb << 20;
  const uint64_t segment = serve.segment_mb << 20;
  Finding found{"space", Health::kOk, gib(free_bytes) + " free"};
  if (free_bytes < reserve + segment) {
    found.health = Health::kFail;
    found.todo = fmt::format("ingest needs more than {} MiB (--reserve-mb, --segment-mb): make room",
                             serve.reserve_mb + serve.segment_mb);
  } else if (free_bytes < reserve + kFewSegments * segment) {
    found.health = Health::kWarn;
    found.todo =
        fmt::format("it ends after {} segments of the journal: make room, or give streams a retention",
                    (free_bytes - reserve) / segment);
  }
  return found;
}

Finding judge_file_system(uint64_t magic) {
  struct Kind {
    const char* name;
    const char* todo = "";
  };
  constexpr const char* kMemory =
      "nothing on it outlives the machine's next start: name a directory on a disk";
  constexpr const char* kLayer = "it ends with its container: mount a volume";
  constexpr const char* kRemote =
      "syncs and locks are what its server makes of them: a local disk is safer, and faster";
  static const std::map<uint64_t, Kind> kinds = {
      {EXT4_SUPER_MAGIC, {"ext4"}},
      {XFS_SUPER_MAGIC, {"xfs"}},
      {BTRFS_SUPER_MAGIC, {"btrfs"}},
      {F2FS_SUPER_MAGIC, {"f2fs"}},
      {0x2fc12fc1, {"zfs"}},
      {TMPFS_MAGIC, {"tmpfs", kMemory}},
      {RAMFS_MAGIC, {"ramfs", kMemory}},
      {NFS_SUPER_MAGIC, {"nfs", kRemote}},
      {0xff534d42, {"cifs", kRemote}},
      {SMB2_SUPER_MAGIC, {"smb", kRemote}},
      {V9FS_MAGIC, {"9p", kRemote}},
      {FUSE_SUPER_MAGIC, {"fuse", kRemote}},
      {OVERLAYFS_SUPER_MAGIC, {"overlayfs", kLayer}},
  };
  const auto kind = kinds.find(magic);
  if (kind == kinds.end()) return {"file system", Health::kOk, fmt::format("of type {:#x}", magic)};
  const bool good = *kind->second.todo == '\0';
  return {"file system", good ? Health::kOk : Health::kWarn, kind->second.name, kind->second.todo};
}

Finding judge_open_files(uint64_t limit) {
  const uint64_t connections = node::ServeOptions().max_connections;
  Finding found{"open files", Health::kOk,
                limit == RLIM_INFINITY
                    ? "no limit"
                    : fmt::format("at most {} (the hard limit, which serve takes)", limit)};
  if (limit >= connections + kOtherFiles) return found;
  found.health = Health::kWarn;
  found.todo = fmt::format(
      "{} connections need {}: raise it (LimitNOFILE= of systemd, ulimit -Hn), or serve with less "
      "--max-connections",
      connections, connections + kOtherFiles);
  return found;
}

Finding judge_memory(uint64_t bytes) {
  Finding found{"memory", Health::kOk,
                fmt::format("{}, of it {} for the state of queries (--state-memory-mb)", gib(bytes),
                            gib(bytes / node::kStateShare))};
  if (bytes >= kSmallMemory) return found;
  found.health = Health::kWarn;
  found.todo = "state beyond it goes to the disk, which is slower: 1 GiB or more is better";
  return found;
}

Finding judge_cores(double cores) {
  Finding found{"cores", Health::kOk, fmt::format("{:.3g}", cores)};
  if (cores >= 2) return found;
  found.health = Health::kWarn;
  found.todo = "the server's loop and a worker take turns on it: two or more answer faster";
  return found;
}

Finding judge_huge_pages(const std::string& setting) {
  if (setting.find("[never]") == std::string::npos) {
    const auto open = setting.find('[');
    const auto close = setting.find(']');
    if (open == std::string::npos || close == std::string::npos)
      return {"huge pages", Health::kOk, "not of this kernel"};
    return {"huge pages", Health::kOk, setting.substr(open + 1, close - open - 1)};
  }
  return {"huge pages", Health::kWarn, "never",
          "large state is read faster with them: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
}

Finding judge_clock(int64_t wall_us, int64_t newest_us, bool synchronised, int64_t resolution_ns) {
  constexpr int64_t kSecond = 1'000'000;
  Finding found{"clock", Health::kOk,
                fmt::format("{}, {}synchronised, resolution {} ns", utc(wall_us), synchronised ? "" : "not ",
                            resolution_ns)};
  if (newest_us != 0) found.what += ", the journal ends at " + utc(newest_us);
  if (newest_us - wall_us > kSecond) {
    found.health = Health::kWarn;
    found.todo = fmt::format(
        "it is {} s behind the journal, whose times hardly move until it has caught up: set it before the "
        "start",
        (newest_us - wall_us) / kSecond);
  } else if (!synchronised) {
    found.health = Health::kWarn;
    found.todo = "run chrony or systemd-timesyncd: stored events and PROCTIME() have its time";
  } else if (resolution_ns > 1'000) {
    found.health = Health::kWarn;
    found.todo = "the kernel has no high-resolution timers: answers come late by as much";
  }
  return found;
}

}  // namespace millrace::cli
