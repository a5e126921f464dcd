#include "node/node_log.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "event/text.h"
#include "event/type.h"
#include "formats/json.h"

namespace millrace::node {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr size_t kMostMessageBytes =
    600;  // escaped, and with the rest of its line, it fits into what a pipe takes at once

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += ",\"";
  out += name;
  out += "\":";
  formats::append_json_string(out, value);
}

// One line, whatever an event or a client put into it.
void append_plain(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

}  // namespace

std::string_view name_of(LogLevel level) {
  return kLevels[static_cast<size_t>(level)];
}

std::optional<LogLevel> log_level_named(std::string_view name) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), name);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevels.begin());
}

void NodeLog::say(LogLevel level, std::string_view component, std::string_view message, LogLabels labels) {
  if (!says(level)) return;
  const Time now = clock_();
  message = start_of(message, kMostMessageBytes);
  for (auto& known : remembered_) {
    if (known.message != message || known.component != component || known.tenant != labels.tenant) continue;
    if (now.monotonic_ns - known.said_ns < kRepeatNs) {
      ++known.kept_back;
      return;
    }
    known.said_ns = now.monotonic_ns;
    return write(known, now, std::exchange(known.kept_back, 0));
  }
  if (!has_room(now.monotonic_ns)) {
    ++lost_;
    return;
  }
  if (remembered_.size() >= kMostRemembered) {
    const Remembered& oldest = remembered_.front();
    if (oldest.kept_back > 0) write(oldest, now, oldest.kept_back);
    remembered_.pop_front();
  }
  remembered_.push_back({level, std::string(component), std::string(message), std::string(labels.code),
                         std::string(labels.tenant), now.monotonic_ns});
  write(remembered_.back(), now, 0);
}

void NodeLog::tick() {
  const Time now = clock_();
  std::erase_if(remembered_, [&](Remembered& known) {
    if (now.monotonic_ns - known.said_ns < kRepeatNs) return false;
    if (known.kept_back == 0) return true;
    known.said_ns = now.monotonic_ns;
    write(known, now, std::exchange(known.kept_back, 0));
    return false;
  });
}

bool NodeLog::has_room(int64_t now_ns) {
  if (now_ns - second_ >= kSecondNs) {
    second_ = now_ns;
    said_this_second_ = 0;
  }
  return ++said_this_second_ <= kMostASecond;
}

void NodeLog::write(const Remembered& line, Time now, uint64_t repeated) {
  std::string out;
  if (format_ == LogFormat::kJson) {
    out = "{\"time\":\"";
    append_timestamp(out, Timestamp{now.wall_us});
    fmt::format_to(std::back_inserter(out), "\",\"level\":\"{}\"", name_of(line.level));
    append_member(out, "component", line.component);
    append_member(out, "code", line.code);
    append_member(out, "tenant", line.tenant);
    append_member(out, "message", line.message);
    if (repeated > 0) fmt::format_to(std::back_inserter(out), ",\"repeated\":{}", repeated);
    if (lost_ > 0) fmt::format_to(std::back_inserter(out), ",\"lost_lines\":{}", lost_);
    out += "}\n";
  } else {
    if (line.level != LogLevel::kInfo) out += fmt::format("{}: ", name_of(line.level));
    if (!line.code.empty()) out += line.code + ": ";
    append_plain(out, line.message);
    if (!line.tenant.empty()) out += fmt::format(" (tenant {})", line.tenant);
    if (repeated > 0) out += fmt::format(" ({} times more)", repeated);
    if (lost_ > 0) out += fmt::format(" ({} lines were lost before)", lost_);
    out += '\n';
  }
  lost_ = write_(out) ? 0 : lost_ + 1;
}

bool write_to_stderr(std::string_view line) {
  pollfd reader{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&reader, 1, 0) <= 0 || (reader.revents & POLLOUT) == 0) return false;
  while (!line.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written <= 0) return false;
    line.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace millrace::node
