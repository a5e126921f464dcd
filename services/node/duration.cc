#include "node/duration.h"

#include <charconv>
#include <cstdint>
#include <string_view>

namespace millrace {
namespace {

constexpr uint64_t kMostMs = 86'400'000;
constexpr uint64_t kMostSeconds = uint64_t{3650} * 86'400;

// 0: there is no such unit.
uint64_t ms_of_unit(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1'000;
  if (unit == "m") return 60'000;
  return unit == "h" ? 3'600'000 : 0;
}

}  // namespace

std::string duration_to_ms(std::string& text) {
  uint32_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, count);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  const uint64_t unit_ms = unit.empty() && count == 0 ? 1 : ms_of_unit(unit);
  if (problem != std::errc() || unit_ms == 0)
    return "\"" + text + "\" is not a time: write a whole number and its unit, as in 500ms, 60s, 5m or 1h";
  const uint64_t ms = count * unit_ms;
  if (ms > kMostMs) return "\"" + text + "\" is more than 24h";
  text = std::to_string(ms);
  return "";
}

std::string duration_to_s(std::string& text) {
  uint32_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, count);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  const uint64_t unit_s = unit == "d" ? 86'400 : unit.empty() && count == 0 ? 1 : ms_of_unit(unit) / 1'000;
  if (problem != std::errc() || unit_s == 0)
    return "\"" + text + "\" is not a time: write a whole number and its unit, as in 60s, 5m, 12h or 90d";
  const uint64_t seconds = count * unit_s;
  if (seconds > kMostSeconds) return "\"" + text + "\" is more than 3650d";
  text = std::to_string(seconds);
  return "";
}

}  // namespace millrace
