// Units of time, by PostgreSQL's names, and a timestamp taken apart in UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "event/text.h"

namespace millrace::engine {

enum class TimeUnit : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  // only of date_part and EXTRACT
  kEpoch,
  kDayOfWeek,     // Sunday is 0
  kIsoDayOfWeek,  // Monday is 1
  kDayOfYear,
  kIsoYear,
  kJulian,
  kZone,
};

std::optional<TimeUnit> time_unit(std::string_view name);

struct CivilTime {
  CivilDate date;
  int64_t days = 0;    // since 1970-01-01
  int64_t micros = 0;  // of the day
};
CivilTime civil_time(int64_t timestamp);
int64_t day_of_year(const CivilTime& time);  // from 1
int iso_day_of_week(int64_t days);           // 1 is Monday
int64_t iso_year(const CivilTime& time);
int64_t iso_week_start(int64_t iso_year);  // the Monday of its first week, in days
int64_t iso_week(const CivilTime& time);   // from 1

}  // namespace millrace::engine
