#include "engine/time_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/time_unit.h"
#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;
using P = TimePattern;
using Kind = TimePiece::Kind;

// The numbers as they were read; 0: not there.
struct Fields {
  int hour = 0, minute = 0, second = 0, millis = 0, micros = 0, second_of_day = 0;
  int year = 0, year_digits = 0, century = 0, month = 0, day = 0;
  int julian = 0, day_of_year = 0, week = 0, week_of_month = 0;
  int day_of_week = 0;  // Sunday is 1
  int afternoon = 0, before_christ = 0;
  bool twelve_hours = false;
  int zone_sign = 0, zone_hour = 0, zone_minute = 0;
  int digits = 0;
};

enum class Calendar : uint8_t { kAny, kGregorian, kIso };
Calendar calendar_of(P pattern) {
  switch (pattern) {
    case P::kIsoDayOfYear:
    case P::kIsoDayOfWeek:
    case P::kIsoWeek:
    case P::kIsoYear:
      return Calendar::kIso;
    case P::kDayOfYear:
    case P::kDayOfMonth:
    case P::kDayOfWeek:
    case P::kMonth:
    case P::kMonthName:
    case P::kMonthNameShort:
    case P::kRomanMonth:
    case P::kWeek:
    case P::kWeekOfMonth:
    case P::kYearWithComma:
    case P::kYear:
      return Calendar::kGregorian;
    default:
      return Calendar::kAny;
  }
}

bool is_number(const TimePiece& piece) {
  return piece.digits > 0 && piece.pattern != P::kZoneHour;
}

// A year of fewer than four digits: the one nearest to 2020.
int full_year(int year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

class Scan {
 public:
  Scan(const std::vector<TimePiece>& pieces, View text, std::string& problem)
      : pieces_(pieces), rest_(text), problem_(problem) {}

  bool run() {
    for (size_t i = 0; i < pieces_.size() && !rest_.empty(); ++i) {
      const TimePiece& piece = pieces_[i];
      const bool is_pattern = piece.kind == Kind::kPattern;
      if (!exact_ && !piece.is(P::kExact) && (is_pattern || i == 0)) skipped_ += skip_spaces();
      if (!is_pattern) {
        between(piece);
        continue;
      }
      numbers_follow_ = follows_number(i);
      if (!pattern(piece)) return false;
      if (!exact_) skipped_ = skip_spaces();
    }
    return true;
  }
  const Fields& fields() const { return fields_; }
  bool is_iso() const { return calendar_ == Calendar::kIso; }

 private:
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool bad_value(const TimePiece& piece) {
    return fail(
        fmt::format("invalid value \"{:.40}\" for \"{}\"", rest_.substr(0, rest_.find(' ')), piece.name));
  }
  int64_t skip_spaces() {
    int64_t n = 0;
    for (; !rest_.empty() && is_space(rest_.front()); ++n) rest_.remove_prefix(1);
    return n;
  }
  void skip_character() { rest_.remove_prefix(rest_.empty() ? 0 : character_bytes(rest_, 0)); }

  // What stands between the patterns takes one character, but what was skipped before counts.
  void between(const TimePiece& piece) {
    if (exact_) return skip_character();
    if (piece.kind == Kind::kText) {
      if (skipped_ > 0)
        --skipped_;
      else
        skip_character();
      return;
    }
    const char c = rest_.empty() ? 'x' : rest_.front();
    const bool separates = is_space(c) || (c > ' ' && c < 0x7F && !is_letter(c) && !is_digit(c));
    if (separates)
      rest_.remove_prefix(1);
    else
      --skipped_;
  }

  // Whether the piece's digits end where the piece does: more digits may stand behind it.
  bool follows_number(size_t i) const {
    if (pieces_[i].ordinal || i + 1 == pieces_.size()) return false;
    const TimePiece& next = pieces_[i + 1];
    return next.kind == Kind::kPattern ? is_number(next) : is_digit(next.text.front());
  }

  bool set(int& field, int value, const TimePiece& piece) {
    if (field != 0 && field != value)
      return fail(fmt::format("conflicting values for \"{}\" field in formatting string", piece.name));
    field = value;
    return true;
  }

  // As strtol: spaces, a sign, digits.
  static size_t read_integer(View text, int64_t& value) {
    size_t at = 0;
    while (at < text.size() && is_space(text[at])) ++at;
    const bool negative = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const size_t digits = at;
    value = 0;
    for (; at < text.size() && is_digit(text[at]); ++at)
      value = std::min<int64_t>(value * 10 + (text[at] - '0'), int64_t{INT32_MAX} + 2);
    if (at == digits) return 0;
    if (negative) value = -value;
    return at;
  }
  // `used`: the bytes taken, spaces included.
  bool integer(int& field, const TimePiece& piece, int digits, int64_t& used) {
    const View before = rest_;
    int64_t value = 0;
    if (!piece.fill || !numbers_follow_) {
      rest_.remove_prefix(read_integer(rest_, value));
    } else {
      skip_spaces();
      const View part = rest_.substr(0, static_cast<size_t>(digits));
      if (part.size() < static_cast<size_t>(digits))
        return fail(fmt::format("source string too short for \"{}\" formatting field", piece.name));
      const size_t read = read_integer(part, value);
      if (read > 0 && read < part.size()) return bad_value(piece);
      rest_.remove_prefix(read);
    }
    used = static_cast<int64_t>(before.size() - rest_.size());
    if (used == 0) return bad_value(piece);
    if (value < INT32_MIN || value > INT32_MAX)
      return fail(fmt::format("value for \"{}\" in source string is out of range", piece.name));
    return set(field, static_cast<int>(value), piece);
  }
  bool integer(int& field, const TimePiece& piece, int digits) {
    int64_t used = 0;
    if (!integer(field, piece, digits, used)) return false;
    return skip_ordinal(piece);
  }
  bool skip_ordinal(const TimePiece& piece) {
    if (piece.ordinal) skip_character();
    if (piece.ordinal) skip_character();
    return true;
  }

  // The place of the first name that the text goes on with.
  template <typename Names>
  bool one_of(const Names& names, size_t length, const TimePiece& piece, int& found) {
    for (size_t i = 0; i < names.size(); ++i) {
      const View name = names[i].substr(0, length);
      if (!starts_with_name(rest_, name)) continue;
      rest_.remove_prefix(name.size());
      found = static_cast<int>(i);
      return true;
    }
    return bad_value(piece);
  }

  bool pattern(const TimePiece& piece) {
    const Calendar calendar = calendar_of(piece.pattern);
    if (calendar != Calendar::kAny) {
      if (calendar_ != Calendar::kAny && calendar_ != calendar)
        return fail("invalid combination of date conventions");
      calendar_ = calendar;
    }
    Fields& f = fields_;
    switch (piece.pattern) {
      case P::kExact:
        exact_ = true;
        return true;
      case P::kHalfDay:
      case P::kHalfDayDotted:
      case P::kEra:
      case P::kEraDotted:
        return half(piece);
      case P::kHour12:
        f.twelve_hours = true;
        return integer(f.hour, piece, 2);
      case P::kHour24:
        return integer(f.hour, piece, 2);
      case P::kMinute:
        return integer(f.minute, piece, 2);
      case P::kSecond:
        return integer(f.second, piece, 2);
      case P::kFraction:
        return fraction(piece);
      case P::kSecondOfDay:
        return integer(f.second_of_day, piece, piece.digits);
      case P::kZoneHour:
      case P::kZoneMinute:
        return zone(piece);
      case P::kMonthName:
      case P::kMonthNameShort:
      case P::kRomanMonth:
      case P::kDayName:
      case P::kDayNameShort:
        return name(piece);
      case P::kMonth:
        return integer(f.month, piece, 2);
      case P::kDayOfYear:
      case P::kIsoDayOfYear:
        return integer(f.day_of_year, piece, 3);
      case P::kDayOfMonth:
        return integer(f.day, piece, 2);
      case P::kDayOfWeek:
        return integer(f.day_of_week, piece, 1);
      case P::kIsoDayOfWeek:
        return iso_day_of_week_from(piece);
      case P::kWeek:
      case P::kIsoWeek:
        return integer(f.week, piece, 2);
      case P::kQuarter: {
        int ignored = 0;  // which of its days it could be is not clear
        return integer(ignored, piece, 1);
      }
      case P::kCentury:
        return integer(f.century, piece, 2);
      case P::kYearWithComma:
        return year_with_comma(piece);
      case P::kYear:
      case P::kIsoYear:
        return year(piece);
      case P::kWeekOfMonth:
        return integer(f.week_of_month, piece, 1);
      case P::kJulianDay:
        return integer(f.julian, piece, 1);
      case P::kZone:
      case P::kOffset:
        return fail(fmt::format("formatting field \"{}\" is only supported in to_char", piece.name));
    }
    return true;
  }

  bool half(const TimePiece& piece) {
    constexpr std::array<View, 2> kHalves{"am", "pm"}, kDottedHalves{"a.m.", "p.m."};
    constexpr std::array<View, 2> kEras{"ad", "bc"}, kDottedEras{"a.d.", "b.c."};
    const bool of_day = piece.is(P::kHalfDay) || piece.is(P::kHalfDayDotted);
    const auto& names = piece.is(P::kHalfDay)         ? kHalves
                        : piece.is(P::kHalfDayDotted) ? kDottedHalves
                        : piece.is(P::kEra)           ? kEras
                                                      : kDottedEras;
    int second = 0;
    if (!one_of(names, View::npos, piece, second)) return false;
    fields_.twelve_hours |= of_day;
    return set(of_day ? fields_.afternoon : fields_.before_christ, second, piece);
  }

  bool name(const TimePiece& piece) {
    constexpr std::array<View, 7> kFromSunday{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};
    int found = 0;
    switch (piece.pattern) {
      case P::kDayName:
      case P::kDayNameShort:
        if (!one_of(kFromSunday, piece.is(P::kDayName) ? View::npos : kShortName, piece, found)) return false;
        if (!set(fields_.day_of_week, found, piece)) return false;
        ++fields_.day_of_week;
        return true;
      case P::kRomanMonth: {
        std::array<View, 12> longest_first;
        std::reverse_copy(kRomanMonths.begin(), kRomanMonths.end(), longest_first.begin());
        return one_of(longest_first, View::npos, piece, found) && set(fields_.month, 12 - found, piece);
      }
      default:
        return one_of(kMonthNames, piece.is(P::kMonthName) ? View::npos : kShortName, piece, found) &&
               set(fields_.month, found + 1, piece);
    }
  }

  // 25 is 0.25 like 250, but 025 is 0.025.
  bool fraction(const TimePiece& piece) {
    const bool millis = piece.name == "MS";
    int& field = millis ? fields_.millis : fields_.micros;
    if (piece.name.starts_with("FF")) fields_.digits = piece.digits;
    int64_t used = 0;
    if (!integer(field, piece, piece.digits, used)) return false;
    int64_t scaled = field;
    for (; used < (millis ? 3 : 6); ++used) scaled *= 10;
    field = static_cast<int>(std::clamp<int64_t>(scaled, INT32_MIN, INT32_MAX));
    return skip_ordinal(piece);
  }

  bool zone(const TimePiece& piece) {
    Fields& f = fields_;
    if (piece.is(P::kZoneMinute)) {
      if (f.zone_sign == 0) f.zone_sign = 1;
      int64_t used = 0;
      return integer(f.zone_minute, piece, 2, used);
    }
    // A minus may have been taken for what stands before the zone.
    const char sign = rest_.empty() ? '\0' : rest_.front();
    const bool there = sign == '+' || sign == '-' || sign == ' ';
    if (there) rest_.remove_prefix(1);
    const bool minus_before = !there && skipped_ > 0 && rest_.data()[-1] == '-';
    f.zone_sign = (there && sign == '-') || minus_before ? -1 : 1;
    int64_t used = 0;
    return integer(f.zone_hour, piece, 2, used);
  }

  bool iso_day_of_week_from(const TimePiece& piece) {
    int64_t used = 0;
    if (!integer(fields_.day_of_week, piece, 1, used)) return false;
    fields_.day_of_week = fields_.day_of_week >= 7 ? 1 : fields_.day_of_week + 1;
    return skip_ordinal(piece);
  }

  bool year(const TimePiece& piece) {
    int64_t used = 0;
    if (!integer(fields_.year, piece, piece.digits, used)) return false;
    if (piece.digits < 4 && used < 4) fields_.year = full_year(fields_.year);
    fields_.year_digits = piece.digits;
    return skip_ordinal(piece);
  }
  bool year_with_comma(const TimePiece& piece) {
    int64_t thousands = 0, rest = 0;
    const size_t comma = read_integer(rest_, thousands);
    const bool there = comma > 0 && comma < rest_.size() && rest_[comma] == ',';
    const size_t used = there ? read_integer(rest_.substr(comma + 1, 3), rest) : 0;
    if (used == 0) return fail("invalid input string for \"Y,YYY\"");
    rest_.remove_prefix(comma + 1 + used);
    const int64_t year = thousands * 1'000 + rest;
    if (year < INT32_MIN || year > INT32_MAX)
      return fail("value for \"Y,YYY\" in source string is out of range");
    if (!set(fields_.year, static_cast<int>(year), piece)) return false;
    fields_.year_digits = 4;
    return skip_ordinal(piece);
  }

  const std::vector<TimePiece>& pieces_;
  View rest_;
  std::string& problem_;
  Fields fields_;
  Calendar calendar_ = Calendar::kAny;
  bool exact_ = false;
  bool numbers_follow_ = false;
  int64_t skipped_ = 0;  // more characters than the format has, before where the text is read
};

// The year 0 is 1 BC.
int64_t year_of(const Fields& f) {
  const int64_t century = f.before_christ != 0 ? -int64_t{f.century} : f.century;
  if (f.year == 0) {
    if (century == 0) return 0;
    return century > 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
  }
  if (century != 0 && f.year_digits <= 2) {
    const int64_t of_century = f.year % 100;
    if (of_century == 0) return century * 100 + (century >= 0 ? 0 : 1);
    return century >= 0 ? of_century + (century - 1) * 100 : (century + 1) * 100 - of_century + 1;
  }
  const int64_t year = f.before_christ != 0 ? -int64_t{f.year} : f.year;
  return year < 0 ? year + 1 : year;
}

// The parts of a date, and which of them were told.
struct Date {
  int64_t year = 0, month = 1, day = 1;
  bool has_month = false, has_day = false, has_year = false;

  void become(int64_t days) {
    const CivilDate date = civil_of(days);
    year = date.year;
    month = date.month;
    day = date.day;
    has_year = has_month = has_day = true;
  }
  bool valid() const {
    if (has_month && (month < 1 || month > 12)) return false;
    if (has_day && (day < 1 || day > 31)) return false;
    const bool all = has_year && has_month && has_day;
    return !all || day <= days_in_month(year, static_cast<unsigned>(month));
  }
};

void use_iso_week(const Fields& f, Date& date) {
  const int64_t monday = iso_week_start(date.year) + (int64_t{f.week} - 1) * 7;
  const int64_t day = f.day_of_week == 0 ? 0 : f.day_of_week > 1 ? f.day_of_week - 2 : 6;
  date.become(monday + day);
}
void use_day_of_year(int64_t day_of_year, Date& date) {
  int64_t before = 0;
  unsigned month = 1;
  for (; month <= 12 && day_of_year > before + days_in_month(date.year, month); ++month)
    before += days_in_month(date.year, month);
  if (date.month <= 1) date.month = month;
  if (date.day <= 1) date.day = day_of_year - before;
  date.has_month = date.has_day = true;
}

// False: a day of a year that is not there.
bool find_date(const Fields& f, bool iso, Date& date) {
  date.year = year_of(f);
  date.has_year = f.year != 0 || f.century != 0;
  if (f.julian != 0) date.become(f.julian - kJulianOfEpoch);
  if (f.week != 0 && iso) use_iso_week(f, date);
  const int64_t day_of_year = f.week != 0 && !iso ? (int64_t{f.week} - 1) * 7 + 1 : int64_t{f.day_of_year};
  const int64_t day = f.week_of_month != 0 ? (int64_t{f.week_of_month} - 1) * 7 + 1 : int64_t{f.day};
  if (day != 0) date.day = day;
  date.has_day |= day != 0;
  if (f.month != 0) date.month = f.month;
  date.has_month |= f.month != 0;
  if (day_of_year == 0 || (date.month > 1 && date.day > 1)) return true;
  if (date.year == 0 && f.before_christ == 0) return false;
  if (iso)
    date.become(iso_week_start(date.year) + day_of_year - 1);
  else
    use_day_of_year(day_of_year, date);
  return true;
}

struct Clock {
  int64_t hour = 0, minute = 0, second = 0, micros = 0;
  bool valid() const {
    return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60 &&
           micros >= 0 && micros < kMicrosPerSecond;
  }
  int64_t total() const { return ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + micros; }
};
Clock clock_of(const Fields& f) {
  Clock clock{f.second_of_day / 3'600, f.second_of_day / 60 % 60, f.second_of_day % 60,
              int64_t{f.millis} * 1'000 + f.micros};
  if (f.second != 0) clock.second = f.second;
  if (f.minute != 0) clock.minute = f.minute;
  if (f.hour != 0) clock.hour = f.hour;
  return clock;
}

}  // namespace

std::optional<ReadTime> TimeReader::read(View text, std::string& problem) const {
  const auto fail = [&](std::string why) {
    problem = std::move(why);
    return std::nullopt;
  };
  const auto out_of_range = [&] {
    return fail(fmt::format("date/time field value out of range: {}", quoted_start(text)));
  };
  Scan scan(pieces_, text, problem);
  if (!scan.run()) return std::nullopt;
  const Fields& f = scan.fields();
  Clock clock = clock_of(f);
  if (f.twelve_hours) {
    if (clock.hour < 1 || clock.hour > 12)
      return fail(fmt::format("hour \"{}\" is invalid for the 12-hour clock", clock.hour));
    clock.hour = clock.hour % 12 + (f.afternoon != 0 ? 12 : 0);
  }
  Date date;
  if (!find_date(f, scan.is_iso(), date))
    return fail("cannot calculate day of year without year information");
  if (!date.valid() || !clock.valid()) return out_of_range();
  const bool zone_valid = f.zone_hour >= 0 && f.zone_hour <= 15 && f.zone_minute >= 0 && f.zone_minute < 60;
  if (f.zone_sign != 0 && !zone_valid) return out_of_range();
  ReadTime read;
  read.days = days_of({date.year, static_cast<unsigned>(date.month), static_cast<unsigned>(date.day)});
  read.micros = clock.total();
  read.zone_seconds = f.zone_sign * (int64_t{f.zone_hour} * 3'600 + f.zone_minute * 60);
  if (f.digits != 0) read.digits = f.digits;
  return read;
}

}  // namespace millrace::engine
