#include "node/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

namespace millrace::node {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double open_descriptors() {
  struct stat folder {};
  if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return static_cast<double>(folder.st_size);
  DIR* listing = opendir("/proc/self/fd");
  if (listing == nullptr) return 0;
  double found = -3;  // ".", "..", and the listing's own
  while (readdir(listing) != nullptr) ++found;
  closedir(listing);
  return found;
}

}  // namespace

ProcessMetrics::ProcessMetrics()
    : started_s_(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()) {
}

void ProcessMetrics::render(telemetry::PrometheusText& page, std::string_view version) const {
  page.family("millrace_build_info", "gauge", "1; the version is its label.");
  page.sample(1, {{"version", version}});
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  page.counter("process_cpu_seconds_total", "User and system time.",
               seconds(used.ru_utime) + seconds(used.ru_stime));
  double virtual_pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  page.gauge("process_virtual_memory_bytes", "Address space.", virtual_pages * page_bytes);
  page.gauge("process_resident_memory_bytes", "Memory in RAM.", resident_pages * page_bytes);
  page.gauge("process_open_fds", "Open file descriptors.", open_descriptors());
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  page.gauge("process_max_fds", "Descriptors that may be open.", static_cast<double>(limit.rlim_cur));
  page.gauge("process_start_time_seconds", "Start of the process, Unix time.", started_s_);
}

}  // namespace millrace::node
