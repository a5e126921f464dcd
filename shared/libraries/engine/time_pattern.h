// A format of times taken apart: the patterns of PostgreSQL's to_char and to_timestamp, and what stands between them.
// Every text is a format: what is no pattern stands for itself.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/letters.h"

namespace millrace::engine {

enum class TimePattern : uint8_t {
  kHalfDay,         // AM
  kHalfDayDotted,   // A.M.
  kEra,             // AD
  kEraDotted,       // A.D.
  kCentury,         // CC
  kDayName,         // Day
  kDayNameShort,    // Dy
  kDayOfYear,       // DDD
  kDayOfMonth,      // DD
  kDayOfWeek,       // D: Sunday is 1
  kFraction,        // FF1 to FF6, MS, US
  kExact,           // FX
  kHour24,          // HH24
  kHour12,          // HH12, HH
  kIsoDayOfYear,    // IDDD
  kIsoDayOfWeek,    // ID
  kIsoWeek,         // IW
  kIsoYear,         // IYYY to I
  kJulianDay,       // J
  kMinute,          // MI
  kMonth,           // MM
  kMonthName,       // Month
  kMonthNameShort,  // Mon
  kOffset,          // OF
  kQuarter,         // Q
  kRomanMonth,      // RM
  kSecondOfDay,     // SSSSS, SSSS
  kSecond,          // SS
  kZoneHour,        // TZH
  kZoneMinute,      // TZM
  kZone,            // TZ
  kWeek,            // WW
  kWeekOfMonth,     // W
  kYearWithComma,   // Y,YYY
  kYear,            // YYYY to Y
};

struct TimePiece {
  enum class Kind : uint8_t { kPattern, kSpace, kSeparator, kText };
  Kind kind = Kind::kText;
  std::string text;  // one character, if it is no pattern

  TimePattern pattern{};
  std::string_view name;  // as it stands in the documentation
  int digits = 0;         // of a number
  LetterCase letters = LetterCase::kMixed;
  bool fill = true;      // without FM
  bool ordinal = false;  // TH or th
  LetterCase ordinal_letters = LetterCase::kUpper;

  bool is(TimePattern p) const { return kind == Kind::kPattern && pattern == p; }
};

std::vector<TimePiece> time_pieces(std::string_view format);

inline constexpr std::array<std::string_view, 12> kMonthNames{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::array<std::string_view, 7> kDayNames{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                           "Friday", "Saturday", "Sunday"};
inline constexpr std::array<std::string_view, 12> kRomanMonths{"I",   "II",   "III", "IV", "V",  "VI",
                                                               "VII", "VIII", "IX",  "X",  "XI", "XII"};
inline constexpr size_t kShortName = 3;

// The days since 4714 BC as PostgreSQL counts them: of any year, month and day, sensible or not.
int64_t julian_day(int64_t year, int64_t month, int64_t day);
inline constexpr int64_t kJulianOfEpoch = 2'440'588;

}  // namespace millrace::engine
