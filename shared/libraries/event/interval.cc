#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "event/letters.h"
#include "event/text.h"
#include "event/type.h"

namespace millrace {
namespace {

// Also what PostgreSQL abbreviates. A text names each unit at most once.
struct Unit {
  std::string_view names;
  int64_t months;
  int64_t days;
  int64_t micros;
};
enum UnitIndex : unsigned { kMicrosecond, kMillisecond, kSecond, kMinute, kHour, kDay, kWeek, kMonth, kYear };
constexpr std::array kUnits = {
    Unit{" microsecond microseconds us usec usecs usecond useconds ", 0, 0, 1},
    Unit{" millisecond milliseconds ms msec msecs msecond mseconds ", 0, 0, 1000},
    Unit{" second seconds s sec secs ", 0, 0, 1'000'000},
    Unit{" minute minutes m min mins ", 0, 0, 60'000'000},
    Unit{" hour hours h hr hrs ", 0, 0, 3'600'000'000},
    Unit{" day days d ", 0, 1, 0},
    Unit{" week weeks w ", 0, 7, 0},
    Unit{" month months mon mons ", 1, 0, 0},
    Unit{" year years y yr yrs ", 12, 0, 0},
    Unit{" decade decades dec decs ", 120, 0, 0},
    Unit{" century centuries c cent ", 1200, 0, 0},
    Unit{" millennium millennia mil mils ", 12'000, 0, 0},
};
constexpr unsigned kClockUnits =
    1u << kMicrosecond | 1u << kMillisecond | 1u << kSecond | 1u << kMinute | 1u << kHour;

std::optional<unsigned> find_unit(std::string_view word) {
  if (word.empty() || word.size() > 16) return std::nullopt;
  std::string name = " ";
  for (const char c : word) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  name += ' ';
  for (unsigned i = 0; i < kUnits.size(); ++i) {
    if (kUnits[i].names.find(name) != std::string_view::npos) return i;
  }
  return std::nullopt;
}

// A decimal number: what stands before the point, and the fraction as quadrillionths.
constexpr int64_t kOne = 1'000'000'000'000'000;
struct Number {
  bool negative = false;
  __int128 whole = 0;
  int64_t fraction = 0;
};
constexpr __int128 kMaxWhole = static_cast<__int128>(kOne) * 100'000;  // beyond every field's range

struct Total {
  __int128 months = 0, days = 0, micros = 0;
};

// As PostgreSQL rounds them: microseconds to the nearest (a half goes down), a part of a year to the nearest
// month (a half goes to the even one).
__int128 nearest_micro(__int128 scaled) {
  return scaled / kOne + (scaled % kOne * 2 > kOne);
}
__int128 nearest_month(__int128 scaled) {
  const __int128 twice = scaled % kOne * 2;
  const __int128 whole = scaled / kOne;
  return whole + (twice > kOne || (twice == kOne && whole % 2 != 0));
}

// A part of a month goes to days (30 a month), that of a day to the time.
void add(Total& total, const Unit& unit, const Number& n) {
  const int sign = n.negative ? -1 : 1;
  const __int128 part = n.fraction;
  total.months += sign * n.whole * unit.months;
  total.days += sign * n.whole * unit.days;
  total.micros += sign * n.whole * unit.micros;
  if (unit.months > 1) {
    total.months += sign * nearest_month(part * unit.months);
  } else if (unit.micros != 0) {
    total.micros += sign * nearest_micro(part * unit.micros);
  } else {
    const __int128 days = part * (unit.months == 1 ? 30 : unit.days);
    total.days += sign * (days / kOne);
    total.micros += sign * nearest_micro(days % kOne * kMicrosPerDay);
  }
}

class IntervalScanner {
 public:
  explicit IntervalScanner(std::string_view text) : text_(text) {}

  bool scan(Total& total) {
    skip_spaces();
    if (starts_with('P')) return scan_iso(total);
    if (text_.empty()) return false;
    while (!text_.empty()) {
      if (!scan_part(total)) return false;
      skip_spaces();
      if (take_word_if("ago")) {
        total = Total{-total.months, -total.days, -total.micros};
        skip_spaces();
        return text_.empty();
      }
    }
    return true;
  }

 private:
  bool scan_part(Total& total) {
    Number n;
    if (!scan_number(n)) return false;
    if (starts_with(':')) return n.fraction == 0 && scan_clock(total, n);
    if (starts_with('-')) return n.fraction == 0 && scan_months(total, n);
    skip_spaces();
    const std::string_view word = peek_word();
    if (word.empty() || word == "ago") return scan_bare(total, n);
    const auto unit = find_unit(word);
    if (!unit || !first_of(1u << *unit)) return false;
    text_.remove_prefix(word.size());
    add(total, kUnits[*unit], n);
    return true;
  }

  // ISO 8601: P1Y2M3W4DT5H6M7.8S, each part with a sign of its own if it has one.
  bool scan_iso(Total& total) {
    constexpr std::string_view kOfDate = "YMWD", kOfTime = "HMS";
    constexpr UnitIndex kDateUnits[] = {kYear, kMonth, kWeek, kDay}, kTimeUnits[] = {kHour, kMinute, kSecond};
    text_.remove_prefix(1);
    if (text_.empty()) return false;
    for (bool of_time = false; !text_.empty();) {
      if (starts_with('T')) {
        of_time = true;
        text_.remove_prefix(1);
        continue;
      }
      Number n;
      if (!scan_number(n) || text_.empty()) return false;
      const size_t unit = (of_time ? kOfTime : kOfDate).find(text_.front());
      if (unit == std::string_view::npos) return false;
      add(total, kUnits[of_time ? kTimeUnits[unit] : kDateUnits[unit]], n);
      text_.remove_prefix(1);
    }
    return true;
  }

  // Y-M with the years already read.
  bool scan_months(Total& total, const Number& years) {
    Number months;
    if (!first_of(1u << kMonth) || !scan_field(months) || months.fraction != 0 || months.whole > 11)
      return false;
    if (starts_with('-')) return false;
    months.negative = years.negative;
    add(total, kUnits[kYear], years);
    add(total, kUnits[kMonth], months);
    return true;
  }

  // A number alone: days in front of a clock time, else seconds, and then nothing else follows.
  bool scan_bare(Total& total, const Number& n) {
    const size_t clock = text_.find_first_not_of("+-0123456789");
    const bool days = clock != 0 && clock != std::string_view::npos && text_[clock] == ':';
    const UnitIndex unit = days ? kDay : kSecond;
    if (!days && !text_.empty() && peek_word() != "ago") return false;
    if (!first_of(1u << unit)) return false;
    add(total, kUnits[unit], n);
    return true;
  }

  bool first_of(unsigned units) {
    const bool first = (seen_ & units) == 0;
    seen_ |= units;
    return first;
  }

  // HH:MM[:SS[.f]] or MM:SS.f with the first already read.
  bool scan_clock(Total& total, const Number& hours) {
    Number minutes;
    Number seconds;
    if (!first_of(kClockUnits)) return false;
    if (!scan_field(minutes)) return false;
    const bool has_hours = minutes.fraction == 0;
    if (!has_hours) {
      seconds = minutes;
      minutes = hours;
    } else if (starts_with(':') && !scan_field(seconds)) {
      return false;
    }
    if (minutes.whole > 59 || seconds.whole > 60) return false;
    minutes.negative = seconds.negative = hours.negative;
    if (has_hours) add(total, kUnits[kHour], hours);
    add(total, kUnits[kMinute], minutes);
    add(total, kUnits[kSecond], seconds);
    return true;
  }
  bool scan_field(Number& n) {
    text_.remove_prefix(1);
    return !text_.empty() && is_digit(text_.front()) && scan_number(n);
  }

  bool scan_number(Number& n) {
    if (starts_with('-') || starts_with('+')) {
      n.negative = text_.front() == '-';
      text_.remove_prefix(1);
      skip_spaces();
    }
    size_t digits = 0;
    for (; !text_.empty() && is_digit(text_.front()); text_.remove_prefix(1), ++digits) {
      n.whole = std::min<__int128>(n.whole * 10 + (text_.front() - '0'), kMaxWhole);
    }
    if (starts_with('.')) digits += scan_fraction(n);
    return digits > 0;
  }
  size_t scan_fraction(Number& n) {
    text_.remove_prefix(1);
    int64_t place = kOne / 10;
    size_t digits = 0;
    for (; !text_.empty() && is_digit(text_.front()); text_.remove_prefix(1), ++digits) {
      n.fraction += (text_.front() - '0') * place;
      place /= 10;
    }
    return digits;
  }

  bool starts_with(char c) const { return !text_.empty() && text_.front() == c; }
  std::string_view peek_word() const {
    size_t n = 0;
    while (n < text_.size() && is_letter(text_[n])) ++n;
    return text_.substr(0, n);
  }
  bool take_word_if(std::string_view word) {
    if (peek_word() != word) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  // And what does not count: "@ 1 day, 2 hours".
  void skip_spaces() {
    while (!text_.empty() && std::string_view(" \t\n\r\v\f,@;").find(text_.front()) != std::string_view::npos)
      text_.remove_prefix(1);
  }

  std::string_view text_;
  unsigned seen_ = 0;  // a bit a unit
};

template <typename To>
bool narrow(__int128 from, To& to) {
  if (from < std::numeric_limits<To>::min() || from > std::numeric_limits<To>::max()) return false;
  to = static_cast<To>(from);
  return true;
}

// PostgreSQL's signs: after a negative part a positive one is written with '+'.
class IntervalPrinter {
 public:
  explicit IntervalPrinter(std::string& out) : out_(out), start_(out.size()) {}
  void part(int64_t value, std::string_view unit) {
    if (value == 0) return;
    separate();
    if (after_negative_ && value > 0) out_ += '+';
    out_.append(std::to_string(value)).append(1, ' ').append(unit);
    if (value != 1) out_ += 's';
    after_negative_ = value < 0;
  }
  void time(int64_t micros) {
    if (micros == 0 && out_.size() > start_) return;
    separate();
    if (micros < 0) out_ += '-';
    if (micros > 0 && after_negative_) out_ += '+';
    const uint64_t all = micros < 0 ? 0 - static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
    const uint64_t seconds = all / kMicrosPerSecond;
    two_digits(seconds / 3600);
    out_ += ':';
    two_digits(seconds / 60 % 60);
    out_ += ':';
    two_digits(seconds % 60);
    fraction(all % kMicrosPerSecond);
  }

 private:
  void separate() {
    if (out_.size() > start_) out_ += ' ';
  }
  void two_digits(uint64_t value) {
    if (value < 10) out_ += '0';
    out_ += std::to_string(value);
  }
  void fraction(uint64_t micros) {
    if (micros == 0) return;
    const std::string digits = std::to_string(kMicrosPerSecond + static_cast<int64_t>(micros));
    out_.append(1, '.').append(digits, 1, digits.find_last_not_of('0'));
  }
  std::string& out_;
  size_t start_;
  bool after_negative_ = false;
};

}  // namespace

Result<Interval> parse_interval(std::string_view text) {
  Total total;
  if (text.size() > 1000 || !IntervalScanner(trimmed(text)).scan(total)) {
    return invalid_text(Type::kInterval, text,
                        "a number and a unit are expected, like '10 minutes' or '01:30:00'");
  }
  Interval interval;
  if (!narrow(total.months, interval.months) || !narrow(total.days, interval.days) ||
      !narrow(total.micros, interval.micros)) {
    return out_of_range(Type::kInterval, text);
  }
  return interval;
}

void append_interval(std::string& out, Interval value) {
  IntervalPrinter print(out);
  print.part(value.months / 12, "year");
  print.part(value.months % 12, "mon");
  print.part(value.days, "day");
  print.time(value.micros);
}

}  // namespace millrace
