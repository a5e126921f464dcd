#include <array>
#include <limits>

#include "event/text.h"
#include "event/type.h"

namespace millrace {
namespace {

struct Unit {
  std::string_view name;
  int64_t months;
  int64_t days;
  int64_t micros;
};

// Also what PostgreSQL abbreviates; a plural 's' is taken off before the look-up.
constexpr std::array kUnits = {
    Unit{"microsecond", 0, 0, 1},
    Unit{"u", 0, 0, 1},
    Unit{"usec", 0, 0, 1},
    Unit{"millisecond", 0, 0, 1000},
    Unit{"m", 0, 0, 60'000'000},
    Unit{"msec", 0, 0, 1000},
    Unit{"second", 0, 0, 1'000'000},
    Unit{"sec", 0, 0, 1'000'000},
    Unit{"", 0, 0, 1'000'000},
    Unit{"minute", 0, 0, 60'000'000},
    Unit{"min", 0, 0, 60'000'000},
    Unit{"hour", 0, 0, 3'600'000'000},
    Unit{"hr", 0, 0, 3'600'000'000},
    Unit{"h", 0, 0, 3'600'000'000},
    Unit{"day", 0, 1, 0},
    Unit{"d", 0, 1, 0},
    Unit{"week", 0, 7, 0},
    Unit{"w", 0, 7, 0},
    Unit{"month", 1, 0, 0},
    Unit{"mon", 1, 0, 0},
    Unit{"year", 12, 0, 0},
    Unit{"yr", 12, 0, 0},
    Unit{"y", 12, 0, 0},
    Unit{"decade", 120, 0, 0},
    Unit{"century", 1200, 0, 0},
    Unit{"centurie", 1200, 0, 0},
};

const Unit* find_unit(std::string_view word) {
  char lower[16];
  if (word.size() > sizeof lower) return nullptr;
  for (size_t i = 0; i < word.size(); ++i) {
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  }
  std::string_view name(lower, word.size());
  if (name == "ms") name = "msec";
  if (name == "us") name = "usec";
  if (name.ends_with('s') && name != "s") name.remove_suffix(1);
  if (name == "s") name = "second";
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// A decimal number as billionths: enough for a microsecond of any unit's fraction that is written by people.
constexpr int64_t kBillion = 1'000'000'000;
struct Number {
  bool negative = false;
  int64_t whole = 0;
  int64_t billionths = 0;
};

struct Total {
  __int128 months = 0, days = 0, micros = 0;
};

// Fractions of months go to days (30 a month), those of days to the time, as in PostgreSQL.
void add(Total& total, const Unit& unit, const Number& n) {
  const int sign = n.negative ? -1 : 1;
  const auto spill = [&](__int128 size, __int128& own, __int128 below_size, __int128& below) {
    const __int128 part = static_cast<__int128>(n.billionths) * size;
    own += sign * (static_cast<__int128>(n.whole) * size + part / kBillion);
    const __int128 rest = (part % kBillion) * below_size;
    below += sign * (rest / kBillion);
    return rest % kBillion;
  };
  if (unit.months != 0) {
    const __int128 rest = spill(unit.months, total.months, 30, total.days);
    total.micros += sign * (rest * kMicrosPerDay / kBillion);
  } else if (unit.days != 0) {
    spill(unit.days, total.days, kMicrosPerDay, total.micros);
  } else {
    __int128 none = 0;
    spill(unit.micros, total.micros, 1, none);
  }
}

class IntervalScanner {
 public:
  explicit IntervalScanner(std::string_view text) : text_(text) {}

  bool scan(Total& total) {
    skip_spaces();
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
    if (!text_.empty() && text_.front() == ':') return n.billionths == 0 && scan_clock(total, n);
    skip_spaces();
    const std::string_view word = peek_word();
    const Unit* unit = find_unit(word == "ago" ? std::string_view() : word);
    if (unit == nullptr || (word.empty() && !text_.empty())) return false;
    if (word != "ago") text_.remove_prefix(word.size());
    add(total, *unit, n);
    return true;
  }

  // HH:MM[:SS[.f]] with the hours already read.
  bool scan_clock(Total& total, const Number& hours) {
    Number minutes;
    Number seconds;
    if (!scan_field(minutes) || minutes.billionths != 0) return false;
    if (!text_.empty() && text_.front() == ':' && !scan_field(seconds)) return false;
    if (minutes.whole > 59 || seconds.whole > 60) return false;
    minutes.negative = seconds.negative = hours.negative;
    add(total, *find_unit("hour"), hours);
    add(total, *find_unit("minute"), minutes);
    add(total, *find_unit("second"), seconds);
    return true;
  }
  bool scan_field(Number& n) {
    text_.remove_prefix(1);
    return !text_.empty() && is_digit(text_.front()) && scan_number(n);
  }

  bool scan_number(Number& n) {
    if (!text_.empty() && (text_.front() == '-' || text_.front() == '+')) {
      n.negative = text_.front() == '-';
      text_.remove_prefix(1);
      skip_spaces();
    }
    size_t digits = 0;
    for (; !text_.empty() && is_digit(text_.front()); text_.remove_prefix(1), ++digits) {
      if (n.whole > std::numeric_limits<int64_t>::max() / 100) return false;
      n.whole = n.whole * 10 + (text_.front() - '0');
    }
    if (!text_.empty() && text_.front() == '.') digits += scan_fraction(n);
    return digits > 0;
  }
  size_t scan_fraction(Number& n) {
    text_.remove_prefix(1);
    int64_t place = kBillion / 10;
    size_t digits = 0;
    for (; !text_.empty() && is_digit(text_.front()); text_.remove_prefix(1), ++digits) {
      n.billionths += (text_.front() - '0') * place;
      place /= 10;
    }
    return digits;
  }

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
  void skip_spaces() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
  }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  std::string_view text_;
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
