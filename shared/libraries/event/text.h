// What the text forms of the types share: errors that quote the input, and the calendar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "event/type.h"

namespace millrace {

// The first bytes of an input, quoted and printable, for messages.
std::string quoted_start(std::string_view text);
// The same as it is: at most so many bytes of a text in UTF-8, that end with a character.
constexpr std::string_view start_of(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}
std::string_view trimmed(std::string_view text);
Error invalid_text(Type type, std::string_view text, std::string_view hint);
Error out_of_range(Type type, std::string_view text);

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
// The first and the last microsecond of the years 0001 to 9999: what a timestamp can be.
inline constexpr int64_t kMinTimestamp = -62'135'596'800 * kMicrosPerSecond;
inline constexpr int64_t kMaxTimestamp = 253'402'300'800 * kMicrosPerSecond - 1;
constexpr bool timestamp_in_range(int64_t micros) {
  return micros >= kMinTimestamp && micros <= kMaxTimestamp;
}

// The values that a type kept as integers can have.
struct IntegerRange {
  int64_t least = INT64_MIN;
  int64_t greatest = INT64_MAX;
  constexpr bool holds(int64_t value) const { return value >= least && value <= greatest; }
};
constexpr IntegerRange range_of(Type type) {
  switch (type) {
    case Type::kSmallint:
      return {INT16_MIN, INT16_MAX};
    case Type::kInteger:
      return {INT32_MIN, INT32_MAX};
    case Type::kDate:
      return {kMinTimestamp / kMicrosPerDay, kMaxTimestamp / kMicrosPerDay};
    case Type::kTime:
      return {0, kMicrosPerDay};
    case Type::kTimestamp:
    case Type::kTimestamptz:
      return {kMinTimestamp, kMaxTimestamp};
    default:
      return {};
  }
}

// Proleptic Gregorian calendar, days since 1970-01-01.
// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013 (years that begin in March).
struct CivilDate {
  int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
};
int64_t days_of(const CivilDate& date);
CivilDate civil_of(int64_t days);
unsigned days_in_month(int64_t year, unsigned month);

// A day as it was read last: the texts of a stream mostly differ in their time of day.
struct KnownDay {
  char text[11] = {};  // "2001-01-31T"; zeros: none yet
  int64_t micros = 0;
};

// Without a zone: days since 1970, microseconds of the day, a timestamp on its own clock. As in PostgreSQL, a
// zone behind them says nothing; a date may have a time behind it, a time a date before it.
Result<int64_t> parse_date(std::string_view text);
Result<int64_t> parse_time(std::string_view text);
Result<Timestamp> parse_local_timestamp(std::string_view text);
void append_date(std::string& out, int64_t days);
void append_time(std::string& out, int64_t micros);  // "00:47:00", fraction only if not zero
inline constexpr size_t kTimeBytes = 17;             // the room that it takes, two more than the longest
char* put_time(char* p, int64_t micros);             // the same; answers its end
void append_local_timestamp(std::string& out, Timestamp value);  // "2001-01-01T00:47:00"

// append_double()'s text, in kDoubleBytes of room; answers its end.
inline constexpr size_t kDoubleBytes = 40;
char* put_double(char* p, double value);

// The strict form "YYYY-MM-DDTHH:MM:SS[.f…]Z" that most events carry, without an Error to build. False: not
// that form.
bool parse_rfc3339_utc(const char* text, size_t size, KnownDay& day, int64_t& micros);

// One number for comparing: 30-day months, 24-hour days.
constexpr __int128 total_micros(const Interval& i) {
  return (static_cast<__int128>(i.months) * 30 + i.days) * kMicrosPerDay + i.micros;
}

// The days that have begun, and what is left of the last.
struct DayAndTime {
  int64_t days = 0;
  int64_t micros = 0;
};
constexpr DayAndTime day_and_time(int64_t timestamp) {
  int64_t days = timestamp / kMicrosPerDay;
  if (timestamp % kMicrosPerDay < 0) --days;
  return {days, timestamp - days * kMicrosPerDay};
}

// timestamp + interval: months first (the day is clamped to the month's last), then days, then micros, in
// UTC. False: out of range.
bool add_interval(int64_t timestamp, const Interval& interval, int64_t& result);

}  // namespace millrace
