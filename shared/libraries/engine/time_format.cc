#include "engine/time_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/expr.h"
#include "engine/time_unit.h"

namespace millrace::engine {
namespace {

using View = std::string_view;
using P = TimePattern;

constexpr int64_t kSecond = kMicrosPerSecond;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;

// What a text is made of. An interval's parts may be negative, and its hours more than a day's.
struct Fields {
  bool is_interval = false;
  int64_t year = 0, month = 0, day = 0, day_of_year = 0;
  int64_t hour = 0, minute = 0, second = 0, micros = 0;
  View zone;

  int64_t julian() const { return julian_day(year, month, day); }
  int64_t from_monday() const { return julian() % 7; }
};

void set_clock(Fields& f, int64_t micros) {
  f.hour = micros / kHour;
  f.minute = micros % kHour / kMinute;
  f.second = micros % kMinute / kSecond;
  f.micros = micros % kSecond;
}
Fields fields_of(int64_t timestamp, View zone) {
  const CivilTime time = civil_time(timestamp);
  Fields f{.year = time.date.year, .month = time.date.month, .day = time.date.day, .zone = zone};
  f.day_of_year = day_of_year(time);
  set_clock(f, time.micros);
  return f;
}
Fields fields_of(const Interval& i) {
  Fields f{.is_interval = true, .year = i.months / 12, .month = i.months % 12, .day = i.days};
  f.day_of_year = (f.year * 12 + f.month) * 30 + f.day;
  set_clock(f, i.micros);
  return f;
}

// The Monday of the first week of a year: the week with 4 January in it.
int64_t first_monday(int64_t year) {
  const int64_t fourth = julian_day(year, 1, 4);
  const int64_t from_monday = fourth % 7;
  return fourth - (from_monday < 0 ? from_monday + 7 : from_monday);
}
struct IsoDate {
  int64_t year = 0;
  int64_t day = 0;  // from 1
  int64_t week() const { return (day - 1) / 7 + 1; }
};
// As PostgreSQL finds it, whose intervals may have days that lie far beyond their year.
IsoDate iso_date(const Fields& f) {
  const int64_t day = f.julian();
  int64_t year = f.year;
  if (day < first_monday(year)) --year;
  const int64_t week = (day - first_monday(year)) / 7 + 1;
  if (week >= 52 && day >= first_monday(f.year + 1)) year = f.year + 1;
  return {year, day - first_monday(year) + 1};
}

// A number, and how many places it is filled up to with zeros.
struct Number {
  int64_t value = 0;
  int width = 0;
};
Number with_sign(int64_t value, int digits) {
  return {value, value < 0 ? digits + 1 : digits};
}
int64_t century(const Fields& f) {
  return f.is_interval ? f.year / 100 : (f.year - 1) / 100 + 1;
}
Number year_number(int64_t year, const Fields& f, int digits) {
  int64_t modulus = 1;
  for (int i = 0; i < digits; ++i) modulus *= 10;
  if (digits == 1) return {year % modulus, 0};
  return {digits == 4 ? year : year % modulus, f.year < 0 ? digits + 1 : digits};
}

Number number_of(const TimePiece& piece, const Fields& f) {
  switch (piece.pattern) {
    case P::kYear:
      return year_number(f.year, f, piece.digits);
    case P::kIsoYear:
      return year_number(iso_date(f).year, f, piece.digits);
    case P::kCentury:
      return with_sign(century(f), 2);
    case P::kQuarter:
      return {(f.month - 1) / 3 + 1};
    case P::kMonth:
      return with_sign(f.month, 2);
    case P::kWeek:
      return {(f.day_of_year - 1) / 7 + 1, 2};
    case P::kIsoWeek:
      return {iso_date(f).week(), 2};
    case P::kWeekOfMonth:
      return {(f.day - 1) / 7 + 1};
    case P::kDayOfYear:
      return {f.day_of_year, 3};
    case P::kIsoDayOfYear:
      return {iso_date(f).day, 3};
    case P::kDayOfMonth:
      return {f.day, 2};
    case P::kDayOfWeek:
      return {(f.from_monday() + 1) % 7 + 1};
    case P::kIsoDayOfWeek:
      return {f.from_monday() + 1};
    case P::kJulianDay:
      return {f.julian()};
    case P::kHour24:
      return with_sign(f.hour, 2);
    case P::kHour12:
      return {f.hour % 12 == 0 ? 12 : f.hour % 12, f.hour < 0 ? 3 : 2};
    case P::kMinute:
      return with_sign(f.minute, 2);
    case P::kSecond:
      return with_sign(f.second, 2);
    case P::kSecondOfDay:
      return {f.hour * 3'600 + f.minute * 60 + f.second};
    default: {  // kFraction
      int64_t unit = kSecond;
      for (int i = 0; i < piece.digits; ++i) unit /= 10;
      return {f.micros / unit, piece.digits};
    }
  }
}

// Not of intervals, but for the Roman months.
View word_of(P pattern, const Fields& f) {
  const bool afternoon = f.hour % 24 >= 12;
  switch (pattern) {
    case P::kHalfDay:
      return afternoon ? "PM" : "AM";
    case P::kHalfDayDotted:
      return afternoon ? "P.M." : "A.M.";
    case P::kEra:
      return "AD";
    case P::kEraDotted:
      return "A.D.";
    case P::kMonthName:
      return kMonthNames[static_cast<size_t>(f.month - 1)];
    case P::kMonthNameShort:
      return kMonthNames[static_cast<size_t>(f.month - 1)].substr(0, kShortName);
    case P::kDayName:
      return kDayNames[static_cast<size_t>(f.from_monday())];
    case P::kDayNameShort:
      return kDayNames[static_cast<size_t>(f.from_monday())].substr(0, kShortName);
    case P::kZone:
      return f.zone;
    case P::kZoneHour:
      return "+00";
    case P::kZoneMinute:
      return "00";
    default: {  // kRomanMonth; -1 is December, and so are whole years of an interval
      if (f.month == 0 && f.year == 0) return "";
      const int64_t month = f.month > 0 ? f.month : f.month < 0 ? 13 + f.month : f.year < 0 ? 1 : 12;
      return kRomanMonths[static_cast<size_t>(month - 1)];
    }
  }
}

bool is_word(P pattern) {
  switch (pattern) {
    case P::kHalfDay:
    case P::kHalfDayDotted:
    case P::kEra:
    case P::kEraDotted:
    case P::kMonthName:
    case P::kMonthNameShort:
    case P::kDayName:
    case P::kDayNameShort:
    case P::kZone:
    case P::kZoneHour:
    case P::kZoneMinute:
    case P::kRomanMonth:
      return true;
    default:
      return false;
  }
}
size_t width_of(P pattern) {
  return pattern == P::kMonthName || pattern == P::kDayName ? 9 : pattern == P::kRomanMonth ? 4 : 0;
}

bool is_none_of_intervals(P pattern) {
  const bool of_clock = pattern == P::kHalfDay || pattern == P::kHalfDayDotted || pattern == P::kRomanMonth;
  return (is_word(pattern) && !of_clock) || pattern == P::kOffset || pattern == P::kDayOfWeek ||
         pattern == P::kIsoDayOfWeek;
}

// All times in one have the same text.
int64_t unit_of(const TimePiece& piece) {
  if (piece.kind != TimePiece::Kind::kPattern) return kMicrosPerDay;
  switch (piece.pattern) {
    case P::kFraction:
      return 1;
    case P::kSecond:
    case P::kSecondOfDay:
      return kSecond;
    case P::kMinute:
      return kMinute;
    case P::kHour24:
    case P::kHour12:
    case P::kHalfDay:
    case P::kHalfDayDotted:
      return kHour;
    default:
      return kMicrosPerDay;
  }
}

void append_word(const TimePiece& piece, const Fields& f, std::string& out) {
  const View word = word_of(piece.pattern, f);
  append_in_case(word, piece.letters, out);
  const size_t width = width_of(piece.pattern);
  if (piece.fill && !word.empty() && word.size() < width) out.append(width - word.size(), ' ');
}

void append_ordinal(const TimePiece& piece, std::string& out, size_t start) {
  const char ones = out.back();
  const char tens = out.size() - start > 1 ? out[out.size() - 2] : '0';
  append_in_case(ordinal_ending(tens, ones), piece.ordinal_letters, out);
}

void append_number(const TimePiece& piece, const Fields& f, std::string& out) {
  if (piece.pattern == P::kQuarter && f.month == 0) return;
  const size_t start = out.size();
  if (piece.pattern == P::kYearWithComma) {
    fmt::format_to(std::back_inserter(out), "{},{:03}", f.year / 1'000, f.year % 1'000);
  } else {
    const Number n = number_of(piece, f);
    const bool fill = piece.fill || piece.pattern == P::kFraction;
    fmt::format_to(std::back_inserter(out), "{:0{}}", n.value, fill ? n.width : 0);
  }
  if (piece.ordinal) append_ordinal(piece, out, start);
}

void append_piece(const TimePiece& piece, const Fields& f, std::string& out) {
  if (piece.kind != TimePiece::Kind::kPattern)
    out += piece.text;
  else if (piece.pattern == P::kOffset)
    out += piece.fill ? "+00" : "+0";
  else if (is_word(piece.pattern))
    append_word(piece, f, out);
  else if (piece.pattern != P::kExact)
    append_number(piece, f, out);
}

void append_pieces(const std::vector<TimePiece>& pieces, const Fields& f, std::string& out) {
  for (const TimePiece& piece : pieces) append_piece(piece, f, out);
}

}  // namespace

TimeFormat::TimeFormat(View format, std::vector<TimePiece> pieces) : format_(format), unit_(kMicrosPerDay) {
  for (TimePiece& piece : pieces) {
    const bool is_pattern = piece.kind == TimePiece::Kind::kPattern;
    unit_ = std::min(unit_, unit_of(piece));
    of_intervals_ &= !is_pattern || !is_none_of_intervals(piece.pattern);
    if (!is_pattern && !pieces_.empty() && pieces_.back().kind != TimePiece::Kind::kPattern)
      pieces_.back().text += piece.text;
    else
      pieces_.push_back(std::move(piece));
  }
}

const std::string& TimeFormat::text_of(int64_t timestamp, View zone) {
  const int64_t unit = tumble_start(timestamp, unit_, 0);
  if (made_ && unit == text_unit_ && zone == text_zone_) return text_;
  text_.clear();
  append_pieces(pieces_, fields_of(timestamp, zone), text_);
  made_ = true;
  text_unit_ = unit;
  text_zone_ = zone;
  return text_;
}

const std::string& TimeFormat::text_of(const Interval& interval) {
  made_ = false;
  text_.clear();
  append_pieces(pieces_, fields_of(interval), text_);
  return text_;
}

}  // namespace millrace::engine
