// NodeLog: what a node says to its operator: a line each, as text or as a JSON object.
//
// Repeats: the same words of the same component are said once in kRepeatNs; then once more, with how often they
//          were kept back. Of different ones at most kMostASecond are said a second, and how many were not, later.
// Never waits: a reader that takes no lines loses them; they are counted and told with the next line that goes through.
// Threads: the core loop. level() may be set there at any time.
// Bound:   kMostRemembered different lines are known; when there are more, the oldest is forgotten.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::node {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kText, kJson };
std::string_view name_of(LogLevel level);
std::optional<LogLevel> log_level_named(std::string_view name);

// Labels; an empty one is left out.
struct LogLabels {
  std::string_view code;
  std::string_view tenant;
};

class NodeLog {
 public:
  static constexpr int64_t kRepeatNs = 10'000'000'000;
  static constexpr uint64_t kMostASecond = 200;
  static constexpr size_t kMostRemembered = 128;

  struct Time {
    int64_t wall_us = 0;
    int64_t monotonic_ns = 0;
  };
  // Takes a whole line, or answers false at once.
  using Write = std::function<bool(std::string_view line)>;

  NodeLog(LogFormat format, LogLevel level, std::function<Time()> clock, Write write)
      : format_(format), level_(level), clock_(std::move(clock)), write_(std::move(write)) {}

  LogLevel level() const { return level_; }
  void set_level(LogLevel level) { level_ = level; }
  bool says(LogLevel level) const { return level >= level_; }

  void say(LogLevel level, std::string_view component, std::string_view message, LogLabels labels = {});
  void tick();  // now and then: what was kept back long enough is told

 private:
  struct Remembered {
    LogLevel level;
    std::string component, message, code, tenant;
    int64_t said_ns;
    uint64_t kept_back = 0;
  };
  void write(const Remembered& line, Time now, uint64_t repeated);
  bool has_room(int64_t now_ns);

  const LogFormat format_;
  LogLevel level_;
  const std::function<Time()> clock_;
  const Write write_;
  std::deque<Remembered> remembered_;  // by when they were first said
  int64_t second_ = 0;
  uint64_t said_this_second_ = 0;
  uint64_t lost_ = 0;
};

// Standard error, which is not waited for: a pipe that nobody empties takes no more lines.
bool write_to_stderr(std::string_view line);

}  // namespace millrace::node
