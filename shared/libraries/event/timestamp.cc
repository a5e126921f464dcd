#include <algorithm>
#include <cstring>

#include "event/digits.h"
#include "event/letters.h"
#include "event/text.h"
#include "event/time_text.h"
#include "event/type.h"

namespace millrace {

int64_t days_of(const CivilDate& date) {
  const int64_t y = date.year - (date.month <= 2);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

CivilDate civil_of(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  CivilDate date;
  date.day = static_cast<unsigned>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  date.month = static_cast<unsigned>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2);
  return date;
}

unsigned days_in_month(int64_t year, unsigned month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

namespace {

// Two digits at p, or a value above any bound.
inline unsigned two(const char* p) {
  const unsigned tens = static_cast<unsigned char>(p[0]) - '0';
  const unsigned ones = static_cast<unsigned char>(p[1]) - '0';
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

struct Fields {
  unsigned century = 0, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int64_t micros = 0;
};

bool valid(const Fields& f) {
  if (f.century > 99 || f.year > 99 || f.month - 1 > 11 || f.day - 1 > 30) return false;
  if (f.hour > 23 || f.minute > 59 || f.second > 60) return false;
  const int64_t year = f.century * 100 + f.year;
  return year >= 1 && (f.day <= 28 || f.day <= days_in_month(year, f.month));
}

int64_t micros_of(const Fields& f) {
  const int64_t days = days_of({static_cast<int64_t>(f.century * 100 + f.year), f.month, f.day});
  const int64_t seconds = days * 86400 + f.hour * 3600 + f.minute * 60 + f.second;
  return seconds * kMicrosPerSecond + f.micros;
}

// Takes the fields off the front of a text, from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  bool accept(char c) {
    if (peek() != c || text_.empty()) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool digits2(unsigned& out) {
    if (text_.size() < 2) return false;
    out = two(text_.data());
    text_.remove_prefix(2);
    return out < 100;
  }
  // Digits after the point, to the nearest microsecond; a half goes to the even one, as in PostgreSQL.
  bool fraction(int64_t& micros) {
    if (!is_digit(peek())) return false;
    int64_t value = 0;
    int count = 0;
    int seventh = 0;
    bool more = false;
    for (; is_digit(peek()); text_.remove_prefix(1), ++count) {
      const int digit = peek() - '0';
      if (count < 6) value = value * 10 + digit;
      if (count == 6) seventh = digit;
      more |= count > 6 && digit != 0;
    }
    for (; count < 6; ++count) value *= 10;
    if (seventh > 5 || (seventh == 5 && (more || value % 2 != 0))) ++value;
    micros = value;
    return true;
  }
  void skip_spaces() {
    while (peek() == ' ') text_.remove_prefix(1);
  }

 private:
  std::string_view text_;
};

bool scan_time(Scanner& in, Fields& f) {
  if (!in.digits2(f.hour) || !in.accept(':') || !in.digits2(f.minute)) return false;
  if (!in.accept(':')) return true;
  if (!in.digits2(f.second)) return false;
  return in.accept('.') ? in.fraction(f.micros) : true;
}

// Z, ±HH, ±HH:MM, ±HHMM or nothing (UTC).
bool scan_zone(Scanner& in, int64_t& offset_seconds) {
  in.skip_spaces();
  if (in.done() || in.accept('Z') || in.accept('z')) return true;
  const bool negative = in.peek() == '-';
  if (!in.accept('-') && !in.accept('+')) return false;
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!in.digits2(hours)) return false;
  if (!in.done()) {
    in.accept(':');
    if (!in.digits2(minutes)) return false;
  }
  if (hours > 15 || minutes > 59) return false;
  offset_seconds = int64_t{hours * 3600 + minutes * 60} * (negative ? -1 : 1);
  return true;
}

bool scan_timestamp(Scanner& in, Fields& f, int64_t& offset_seconds) {
  if (!in.digits2(f.century) || !in.digits2(f.year)) return false;
  if (!in.accept('-') || !in.digits2(f.month) || !in.accept('-') || !in.digits2(f.day)) return false;
  if (in.accept('T') || in.accept('t') || in.accept(' ')) {
    if (!scan_time(in, f) || !scan_zone(in, offset_seconds)) return false;
  }
  return in.done() && valid(f);
}

void append_digits(std::string& out, uint64_t value, int width) {
  char buffer[20];
  for (int i = width - 1; i >= 0; --i, value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
  out.append(buffer, static_cast<size_t>(width));
}

void append_year(std::string& out, int64_t year) {
  if (year >= 0 && year <= 9999) return append_digits(out, static_cast<uint64_t>(year), 4);
  // Only arithmetic on the edges (a window's start before the year 1) gets here: ISO 8601's expanded form.
  out += year < 0 ? '-' : '+';
  append_digits(out, static_cast<uint64_t>(year < 0 ? -year : year), 6);
}

// "YYYY-MM-DDT". False: it is none, `day` is as it was.
bool read_day(const char* p, KnownDay& day) {
  if (p[4] != '-' || p[7] != '-' || p[10] != 'T') return false;
  Fields f;
  f.century = two(p);
  f.year = two(p + 2);
  f.month = two(p + 5);
  f.day = two(p + 8);
  if (!valid(f)) return false;
  std::memcpy(day.text, p, sizeof day.text);
  day.micros = micros_of(f);
  return true;
}

// "HH:MM:SS[.f…]Z", of one to six digits behind the point.
bool read_time(const char* p, size_t size, int64_t& micros) {
  const unsigned hour = two(p);
  const unsigned minute = two(p + 3);
  const unsigned second = two(p + 6);
  if (p[2] != ':' || p[5] != ':' || hour > 23 || minute > 59 || second > 60 || p[size - 1] != 'Z')
    return false;
  int64_t fraction = 0;
  if (size > 9) {
    if (p[8] != '.' || size < 11 || size > 16) return false;
    for (size_t i = 9; i < size - 1; ++i) {
      if (!is_digit(p[i])) return false;
      fraction = fraction * 10 + (p[i] - '0');
    }
    for (size_t i = size - 1; i < 15; ++i) fraction *= 10;
  }
  micros = int64_t{hour * 3600 + minute * 60 + second} * kMicrosPerSecond + fraction;
  return true;
}

}  // namespace

bool parse_rfc3339_utc(const char* p, size_t size, KnownDay& day, int64_t& micros) {
  if (size < 20) return false;
  if (std::memcmp(p, day.text, sizeof day.text) != 0 && !read_day(p, day)) return false;
  if (!read_time(p + 11, size - 11, micros)) return false;
  micros += day.micros;
  return timestamp_in_range(micros);
}

namespace {

// What has not the usual form: in words.
Result<TextTime> time_of(Type type, std::string_view text, TextTimeKind kind, std::string_view hint) {
  if (const auto time = read_time_text(text, kind, hint)) return *time;
  return invalid_text(type, text, hint);
}

}  // namespace

Result<Timestamp> parse_timestamp(std::string_view text) {
  const std::string_view inner = trimmed(text);
  int64_t micros = 0;
  KnownDay day;
  if (parse_rfc3339_utc(inner.data(), inner.size(), day, micros)) return Timestamp{micros};
  Scanner in(inner);
  Fields f;
  int64_t offset_seconds = 0;
  if (scan_timestamp(in, f, offset_seconds)) {
    micros = micros_of(f) - offset_seconds * kMicrosPerSecond;
  } else {
    TRY_ASSIGN(const TextTime time, time_of(Type::kTimestamptz, text, TextTimeKind::kMoment,
                                            "a time is expected, like 2001-01-31T00:47:00Z"));
    micros = time.days * kMicrosPerDay + time.micros - time.zone_seconds * kMicrosPerSecond;
  }
  if (!timestamp_in_range(micros)) return out_of_range(Type::kTimestamptz, text);
  return Timestamp{micros};
}

Result<Timestamp> parse_local_timestamp(std::string_view text) {
  Scanner in(trimmed(text));
  Fields f;
  int64_t ignored = 0;
  int64_t micros = 0;
  if (scan_timestamp(in, f, ignored)) {
    micros = micros_of(f);
  } else {
    TRY_ASSIGN(const TextTime time, time_of(Type::kTimestamp, text, TextTimeKind::kMoment,
                                            "a date and a time are expected, like 2001-01-31 00:47:00"));
    micros = time.days * kMicrosPerDay + time.micros;
  }
  if (!timestamp_in_range(micros)) return out_of_range(Type::kTimestamp, text);
  return Timestamp{micros};
}

Result<int64_t> parse_date(std::string_view text) {
  Scanner in(trimmed(text));
  Fields f;
  int64_t ignored = 0;
  if (scan_timestamp(in, f, ignored))
    return days_of({static_cast<int64_t>(f.century * 100 + f.year), f.month, f.day});
  TRY_ASSIGN(const TextTime time,
             time_of(Type::kDate, text, TextTimeKind::kMoment, "a date is expected, like 2001-01-31"));
  return time.days;
}

Result<int64_t> parse_time(std::string_view text) {
  const std::string_view inner = trimmed(text);
  Scanner in(inner);
  Fields f{19, 70, 1, 1};
  int64_t ignored = 0;
  if (!scan_time(in, f) || !scan_zone(in, ignored) || !in.done()) {
    TRY_ASSIGN(const TextTime time,
               time_of(Type::kTime, text, TextTimeKind::kTimeOfDay, "a time is expected, like 00:47:00"));
    return time.micros;
  }
  const int64_t micros = micros_of(f);
  const bool valid_time = f.hour <= 24 && f.minute <= 59 && f.second <= 60;
  if (!valid_time || micros > kMicrosPerDay) return out_of_range(Type::kTime, text);
  return micros;
}

namespace {

void put2(char* p, int64_t value) {
  p[0] = static_cast<char>('0' + value / 10);
  p[1] = static_cast<char>('0' + value % 10);
}
// "-MM-DD"
void put_day(char* p, const CivilDate& date) {
  p[0] = p[3] = '-';
  put2(p + 1, date.month);
  put2(p + 4, date.day);
}
}  // namespace

char* put_time(char* p, int64_t micros) {
  constexpr uint64_t kColons = 0x00000A00000A0000u;  // ':' is the character behind '9', where a zero stands
  const auto second = static_cast<uint32_t>(micros / kMicrosPerSecond);
  const auto fraction = static_cast<uint32_t>(micros % kMicrosPerSecond);
  const uint32_t clock = second / 3600 * 1'000'000 + second / 60 % 60 * 1000 + second % 60;
  p = put_eight(p, (eight_digits(clock) + kColons) | kEightZeros);
  if (fraction == 0) return p;
  const uint64_t digits = eight_digits(fraction * 100);
  *p = '.';
  put_eight(p + 1, digits | kEightZeros);
  return p + 1 + (8 - std::countl_zero(digits) / 8);  // no zeros behind the last digit
}

void append_date(std::string& out, int64_t days) {
  const CivilDate date = civil_of(days);
  append_year(out, date.year);
  char buffer[6];
  put_day(buffer, date);
  out.append(buffer, sizeof buffer);
}

void append_time(std::string& out, int64_t micros) {
  char buffer[kTimeBytes];
  out.append(buffer, put_time(buffer, micros));
}

void append_local_timestamp(std::string& out, Timestamp value) {
  const DayAndTime at = day_and_time(value.micros);
  append_date(out, at.days);
  out += 'T';
  append_time(out, at.micros);
}

void append_timestamp(std::string& out, Timestamp value) {
  append_local_timestamp(out, value);
  out += 'Z';
}

namespace {

// The same day of the month `months` later, the month's last day if there is no such day.
bool add_months(int64_t& days, int32_t months) {
  CivilDate date = civil_of(days);
  const int64_t month = date.year * 12 + (date.month - 1) + months;
  if (month < 0 || month > 10'000 * 12) return false;
  date.year = month / 12;
  date.month = static_cast<unsigned>(month % 12 + 1);
  date.day = std::min(date.day, days_in_month(date.year, date.month));
  days = days_of(date);
  return true;
}

}  // namespace

bool add_interval(int64_t timestamp, const Interval& interval, int64_t& result) {
  auto [days, rest] = day_and_time(timestamp);
  if (interval.months != 0 && !add_months(days, interval.months)) return false;
  const __int128 total =
      (static_cast<__int128>(days) + interval.days) * kMicrosPerDay + rest + interval.micros;
  if (total < kMinTimestamp || total > kMaxTimestamp) return false;
  result = static_cast<int64_t>(total);
  return true;
}

}  // namespace millrace
