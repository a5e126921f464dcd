// Progress: how far long work is, as a bar on a terminal's stderr, at most ten times a second; elsewhere nothing.
//
// What is to be said meanwhile comes after wipe(), else it stands behind the bar.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::cli {

// "[######........................]  20 %  1200 events"; without a total only the text.
std::string progress_line(uint64_t done, uint64_t total, std::string_view text);

class Progress {
 public:
  explicit Progress(bool wanted = true);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { wipe(); }

  void at(uint64_t done, uint64_t total, std::string_view text);
  void wipe();

 private:
  const bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace millrace::cli
