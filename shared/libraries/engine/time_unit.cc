#include "engine/time_unit.h"

#include <algorithm>
#include <array>

namespace millrace::engine {
namespace {

struct Name {
  std::string_view name;
  TimeUnit unit;
};
constexpr auto kNames = std::to_array<Name>({
    {"c", TimeUnit::kCentury},
    {"cent", TimeUnit::kCentury},
    {"centuries", TimeUnit::kCentury},
    {"century", TimeUnit::kCentury},
    {"d", TimeUnit::kDay},
    {"day", TimeUnit::kDay},
    {"days", TimeUnit::kDay},
    {"dec", TimeUnit::kDecade},
    {"decade", TimeUnit::kDecade},
    {"decades", TimeUnit::kDecade},
    {"decs", TimeUnit::kDecade},
    {"dow", TimeUnit::kDayOfWeek},
    {"doy", TimeUnit::kDayOfYear},
    {"epoch", TimeUnit::kEpoch},
    {"h", TimeUnit::kHour},
    {"hour", TimeUnit::kHour},
    {"hours", TimeUnit::kHour},
    {"hr", TimeUnit::kHour},
    {"hrs", TimeUnit::kHour},
    {"isodow", TimeUnit::kIsoDayOfWeek},
    {"isoyear", TimeUnit::kIsoYear},
    {"julian", TimeUnit::kJulian},
    {"m", TimeUnit::kMinute},
    {"microsecond", TimeUnit::kMicrosecond},
    {"microseconds", TimeUnit::kMicrosecond},
    {"mil", TimeUnit::kMillennium},
    {"millennia", TimeUnit::kMillennium},
    {"millennium", TimeUnit::kMillennium},
    {"millisecond", TimeUnit::kMillisecond},
    {"milliseconds", TimeUnit::kMillisecond},
    {"mils", TimeUnit::kMillennium},
    {"min", TimeUnit::kMinute},
    {"mins", TimeUnit::kMinute},
    {"minute", TimeUnit::kMinute},
    {"minutes", TimeUnit::kMinute},
    {"mon", TimeUnit::kMonth},
    {"mons", TimeUnit::kMonth},
    {"month", TimeUnit::kMonth},
    {"months", TimeUnit::kMonth},
    {"ms", TimeUnit::kMillisecond},
    {"msec", TimeUnit::kMillisecond},
    {"msecs", TimeUnit::kMillisecond},
    {"qtr", TimeUnit::kQuarter},
    {"quarter", TimeUnit::kQuarter},
    {"s", TimeUnit::kSecond},
    {"sec", TimeUnit::kSecond},
    {"second", TimeUnit::kSecond},
    {"seconds", TimeUnit::kSecond},
    {"secs", TimeUnit::kSecond},
    {"timezone", TimeUnit::kZone},
    {"timezone_hour", TimeUnit::kZone},
    {"timezone_minute", TimeUnit::kZone},
    {"us", TimeUnit::kMicrosecond},
    {"usec", TimeUnit::kMicrosecond},
    {"usecs", TimeUnit::kMicrosecond},
    {"w", TimeUnit::kWeek},
    {"week", TimeUnit::kWeek},
    {"weeks", TimeUnit::kWeek},
    {"y", TimeUnit::kYear},
    {"year", TimeUnit::kYear},
    {"years", TimeUnit::kYear},
    {"yr", TimeUnit::kYear},
    {"yrs", TimeUnit::kYear},
});
constexpr bool kSorted = std::is_sorted(kNames.begin(), kNames.end(),
                                        [](const Name& a, const Name& b) { return a.name < b.name; });
static_assert(kSorted);

}  // namespace

std::optional<TimeUnit> time_unit(std::string_view name) {
  std::array<char, 16> lower{};
  if (name.size() > lower.size()) return std::nullopt;
  std::transform(name.begin(), name.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view wanted(lower.data(), name.size());
  const auto found = std::lower_bound(kNames.begin(), kNames.end(), wanted,
                                      [](const Name& a, std::string_view b) { return a.name < b; });
  if (found == kNames.end() || found->name != wanted) return std::nullopt;
  return found->unit;
}

CivilTime civil_time(int64_t timestamp) {
  CivilTime time;
  time.days = timestamp / kMicrosPerDay - (timestamp % kMicrosPerDay < 0 ? 1 : 0);
  time.micros = timestamp - time.days * kMicrosPerDay;
  time.date = civil_of(time.days);
  return time;
}

int64_t day_of_year(const CivilTime& time) {
  return time.days - days_of({time.date.year, 1, 1}) + 1;
}

// 1970-01-01 was a Thursday.
int iso_day_of_week(int64_t days) {
  const int64_t from_monday = (days + 3) % 7;
  return static_cast<int>(from_monday < 0 ? from_monday + 7 : from_monday) + 1;
}

// The first week is the one with 4 January in it.
int64_t iso_week_start(int64_t iso_year) {
  const int64_t fourth = days_of({iso_year, 1, 4});
  return fourth - (iso_day_of_week(fourth) - 1);
}

int64_t iso_year(const CivilTime& time) {
  if (time.days < iso_week_start(time.date.year)) return time.date.year - 1;
  return time.date.year + (time.days >= iso_week_start(time.date.year + 1) ? 1 : 0);
}

int64_t iso_week(const CivilTime& time) {
  return (time.days - iso_week_start(iso_year(time))) / 7 + 1;
}

}  // namespace millrace::engine
