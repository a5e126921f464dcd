#include "engine/time_zone.h"

#include <absl/time/time.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "event/text.h"

namespace millrace::engine {
namespace {

namespace fs = std::filesystem;

// Lower case to tzdata's own spelling.
using Names = std::unordered_map<std::string, std::string>;

std::string lowered(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// What stands beside the zones: other tables, and the zones again in two other forms.
bool is_zone_file(const std::string& name) {
  return name.find('.') == std::string::npos && name[0] >= 'A' && name[0] <= 'Z';
}

Names read_names() {
  const char* const set = std::getenv("TZDIR");  // where absl looks, too
  const fs::path folder = set != nullptr ? set : "/usr/share/zoneinfo";
  Names names;
  std::error_code failure;
  for (auto file = fs::recursive_directory_iterator(folder, failure); !failure && file != end(file);
       file.increment(failure)) {
    const std::string name = file->path().lexically_relative(folder).generic_string();
    if (!file->is_directory(failure) && is_zone_file(name)) names.emplace(lowered(name), name);
  }
  return names;
}

std::optional<absl::TimeZone> load_zone(std::string_view name) {
  constexpr size_t kLongestName = 64;
  static const Names names = read_names();
  if (name.size() > kLongestName) return std::nullopt;
  const auto found = names.find(lowered(name));
  absl::TimeZone zone;
  if (found == names.end() || !absl::LoadTimeZone(found->second, &zone)) return std::nullopt;
  return zone;
}

// A zone is the same for all rows nearly always, and absl's own table is behind a lock.
std::optional<absl::TimeZone> find_zone(std::string_view name) {
  struct Known {
    std::string name;
    absl::TimeZone zone;
  };
  static thread_local std::optional<Known> last;
  if (!last || last->name != name) {
    const auto zone = load_zone(name);
    if (!zone) return std::nullopt;
    last = Known{std::string(name), *zone};
  }
  return last->zone;
}

}  // namespace

bool is_time_zone(std::string_view name) {
  return find_zone(name).has_value();
}

std::optional<int64_t> clock_in_zone(std::string_view zone, int64_t moment) {
  const auto found = find_zone(zone);
  if (!found) return std::nullopt;
  return moment + found->At(absl::FromUnixMicros(moment)).offset * kMicrosPerSecond;
}

std::optional<int64_t> moment_in_zone(std::string_view zone, int64_t clock) {
  const auto found = find_zone(zone);
  if (!found) return std::nullopt;
  const DayAndTime at = day_and_time(clock);
  const int64_t second = at.micros / kMicrosPerSecond;
  const auto shown = found->At(absl::CivilSecond(absl::CivilDay(1970, 1, 1) + at.days) + second);
  const bool repeated = shown.kind == absl::TimeZone::TimeInfo::REPEATED;
  return absl::ToUnixMicros(repeated ? shown.post : shown.pre) + at.micros % kMicrosPerSecond;
}

}  // namespace millrace::engine
