#include "node/progress.h"

#include <unistd.h>

#include <algorithm>

#include "fmt/format.h"

namespace millrace::cli {

namespace {
constexpr size_t kCells = 30;
constexpr std::chrono::milliseconds kBetween{100};
}  // namespace

std::string progress_line(uint64_t done, uint64_t total, std::string_view text) {
  if (total == 0) return std::string(text);
  const double part = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  const auto cells = static_cast<size_t>(static_cast<double>(kCells) * part);
  return fmt::format("[{}{}] {:3} %  {}", std::string(cells, '#'), std::string(kCells - cells, '.'),
                     static_cast<int>(100 * part), text);
}

Progress::Progress(bool wanted) : shown_(wanted && ::isatty(STDERR_FILENO) != 0) {}

void Progress::at(uint64_t done, uint64_t total, std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || now - last_ < kBetween) return;
  last_ = now;
  drawn_ = true;
  fmt::print(stderr, "\r\033[K{}", progress_line(done, total, text));
}

void Progress::wipe() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
}

}  // namespace millrace::cli
