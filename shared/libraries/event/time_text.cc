#include "event/time_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "event/letters.h"

namespace millrace {
namespace {

using View = std::string_view;

constexpr size_t kMaxFields = 25;
constexpr size_t kMaxBytes = 200;

enum class FieldKind : uint8_t { kDate, kTime, kNumber, kWord, kZone };
struct Field {
  FieldKind kind;
  View text;
};

// In lower case.
class Splitter {
 public:
  explicit Splitter(View text) : rest_(text) {}

  bool run(std::vector<Field>& fields) {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (is_digit(c)) {
        digits();
      } else if (c == '.') {
        kind_ = FieldKind::kNumber;
        take(1);
        take_while(is_digit);
      } else if (is_letter(c)) {
        letters();
      } else if (c == '+' || c == '-') {
        if (!sign()) return false;
      } else {
        const bool punctuation = c > ' ' && c < 0x7F;
        if (!is_space(c) && !punctuation) return false;
        rest_.remove_prefix(1);
        continue;
      }
      if (fields.size() == kMaxFields) return false;
      fields.push_back({kind_, View(start_, static_cast<size_t>(rest_.data() - start_))});
      start_ = nullptr;
    }
    return true;
  }

 private:
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  void take(size_t n) {
    if (start_ == nullptr) start_ = rest_.data();
    rest_.remove_prefix(n);
  }
  template <typename Is>
  void take_while(Is is) {
    while (!rest_.empty() && is(rest_.front())) take(1);
  }

  void digits() {
    kind_ = FieldKind::kNumber;
    take_while(is_digit);
    const char delimiter = front();
    if (delimiter == ':') {
      kind_ = FieldKind::kTime;
      take_while([](char c) { return is_digit(c) || c == ':' || c == '.'; });
    } else if (delimiter == '-' || delimiter == '/' || delimiter == '.') {
      take(1);
      date(delimiter);
    }
  }
  // Of three parts, or with a month's name.
  void date(char delimiter) {
    if (!is_digit(front())) {
      kind_ = FieldKind::kDate;
      return take_while([&](char c) { return is_digit(c) || is_letter(c) || c == delimiter; });
    }
    if (delimiter != '.') kind_ = FieldKind::kDate;
    take_while(is_digit);
    if (front() != delimiter) return;
    kind_ = FieldKind::kDate;
    take_while([&](char c) { return is_digit(c) || c == delimiter; });
  }
  void letters() {
    kind_ = FieldKind::kWord;
    take_while(is_letter);
    if (front() != '-' && front() != '/' && front() != '.') return;
    kind_ = FieldKind::kDate;
    take_while([](char c) { return is_digit(c) || is_letter(c) || View("+-/_.:").find(c) != View::npos; });
  }
  bool sign() {
    kind_ = FieldKind::kZone;
    take(1);
    if (!is_digit(front())) return false;
    take_while([](char c) { return is_digit(c) || c == ':' || c == '.' || c == '-'; });
    return true;
  }

  View rest_;
  const char* start_ = nullptr;
  FieldKind kind_ = FieldKind::kNumber;
};

enum class Word : uint8_t {
  kMonth,
  kIgnored,
  kWeekday,
  kHalf,
  kEra,
  kZone,
  kMidnight,
  kEpoch,
  kTime,
  kOfClock,
  kInfinity
};
struct Name {
  View name;
  Word word;
  int value = 0;  // of a zone: minutes ahead of UTC
};
constexpr auto kWords = std::to_array<Name>({
    {"ad", Word::kEra, 0},         {"allballs", Word::kMidnight}, {"am", Word::kHalf, 0},
    {"apr", Word::kMonth, 4},      {"april", Word::kMonth, 4},    {"at", Word::kIgnored},
    {"aug", Word::kMonth, 8},      {"august", Word::kMonth, 8},   {"bc", Word::kEra, 1},
    {"cdt", Word::kZone, -300},    {"cest", Word::kZone, 120},    {"cet", Word::kZone, 60},
    {"cst", Word::kZone, -360},    {"dec", Word::kMonth, 12},     {"december", Word::kMonth, 12},
    {"edt", Word::kZone, -240},    {"epoch", Word::kEpoch},       {"est", Word::kZone, -300},
    {"feb", Word::kMonth, 2},      {"february", Word::kMonth, 2}, {"fri", Word::kWeekday},
    {"friday", Word::kWeekday},    {"gmt", Word::kZone, 0},       {"infinity", Word::kInfinity},
    {"jan", Word::kMonth, 1},      {"january", Word::kMonth, 1},  {"jul", Word::kMonth, 7},
    {"july", Word::kMonth, 7},     {"jun", Word::kMonth, 6},      {"june", Word::kMonth, 6},
    {"mar", Word::kMonth, 3},      {"march", Word::kMonth, 3},    {"may", Word::kMonth, 5},
    {"mdt", Word::kZone, -360},    {"mon", Word::kWeekday},       {"monday", Word::kWeekday},
    {"mst", Word::kZone, -420},    {"nov", Word::kMonth, 11},     {"november", Word::kMonth, 11},
    {"now", Word::kOfClock},       {"oct", Word::kMonth, 10},     {"october", Word::kMonth, 10},
    {"on", Word::kIgnored},        {"pdt", Word::kZone, -420},    {"pm", Word::kHalf, 1},
    {"pst", Word::kZone, -480},    {"sat", Word::kWeekday},       {"saturday", Word::kWeekday},
    {"sep", Word::kMonth, 9},      {"sept", Word::kMonth, 9},     {"september", Word::kMonth, 9},
    {"sun", Word::kWeekday},       {"sunday", Word::kWeekday},    {"t", Word::kTime},
    {"thu", Word::kWeekday},       {"thur", Word::kWeekday},      {"thurs", Word::kWeekday},
    {"thursday", Word::kWeekday},  {"today", Word::kOfClock},     {"tomorrow", Word::kOfClock},
    {"tue", Word::kWeekday},       {"tues", Word::kWeekday},      {"tuesday", Word::kWeekday},
    {"ut", Word::kZone, 0},        {"utc", Word::kZone, 0},       {"wed", Word::kWeekday},
    {"wednesday", Word::kWeekday}, {"weds", Word::kWeekday},      {"yesterday", Word::kOfClock},
    {"z", Word::kZone, 0},         {"zulu", Word::kZone, 0},
});
const Name* find_word(View name) {
  const auto found = std::ranges::find(kWords, name, &Name::name);
  return found == kWords.end() ? nullptr : &*found;
}

// Up to a value that is beyond every field's range.
int64_t whole(View digits) {
  int64_t value = 0;
  for (const char c : digits) value = std::min<int64_t>(value * 10 + (c - '0'), 10'000'000);
  return value;
}
View leading_digits(View text) {
  return text.substr(0, std::min(text.size(), text.find_first_not_of("0123456789")));
}
// ".5": to the nearest microsecond, a half to the even one.
bool read_fraction(View text, int64_t& micros) {
  if (text.empty() || text.front() != '.' || leading_digits(text.substr(1)).size() != text.size() - 1)
    return false;
  micros = static_cast<int64_t>(std::rint(std::strtod(("0" + std::string(text)).c_str(), nullptr) * 1e6));
  return true;
}

class Decoder {
 public:
  Decoder(TextTimeKind kind, View& hint) : kind_(kind), hint_(hint) {}

  bool run(const std::vector<Field>& fields) {
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field& field = fields[i];
      told_ = 0;
      if (!decode(fields, i) || (told_ & seen_) != 0) return false;
      seen_ |= told_;
      if (field.kind != FieldKind::kWord) after_t_ = false;
    }
    return !after_t_ && finish();
  }
  TextTime time() const {
    return {days_of({year_, static_cast<unsigned>(month_), static_cast<unsigned>(day_)}),
            ((hour_ * 60 + minute_) * 60 + second_) * kMicrosPerSecond + micros_, zone_seconds_};
  }

 private:
  enum Part : unsigned {
    kYear = 1,
    kMonth = 2,
    kDay = 4,
    kDate = 7,
    kClock = 8,
    kZone = 16,
    kWeekday = 32,
    kHalf = 64,
    kEra = 128
  };

  bool decode(const std::vector<Field>& fields, size_t i) {
    const View text = fields[i].text;
    switch (fields[i].kind) {
      case FieldKind::kDate:
        return date_or_time(fields, i);
      case FieldKind::kTime:
        return clock(text);
      case FieldKind::kZone:
        return zone(text);
      case FieldKind::kNumber:
        return kind_ == TextTimeKind::kTimeOfDay || after_t_ ? clock_number(text) : number_field(text);
      case FieldKind::kWord:
        return word(text, i + 1 < fields.size() ? &fields[i + 1] : nullptr);
    }
    return false;
  }

  // A time of day may stand behind a date.
  bool date_or_time(const std::vector<Field>& fields, size_t i) {
    const View text = fields[i].text;
    const bool has_day = (seen_ & (kMonth | kDay)) == (kMonth | kDay);
    const bool may_be_date =
        kind_ == TextTimeKind::kMoment || (i == 0 && fields.size() > 1 && fields[1].kind == FieldKind::kTime);
    if (!after_t_ && !has_day && may_be_date) return date(text);
    // hhmmss-zz
    const size_t minus = text.find('-');
    if (!is_digit(text.front()) || (seen_ & kClock) != 0 || minus == View::npos) return false;
    if (!zone(text.substr(minus))) return false;
    return date_number(text.substr(0, minus)) && (told_ |= kZone) != 0;
  }

  bool date(View text) {
    std::vector<View> parts;
    while (!text.empty()) {
      const size_t start = text.find_first_of("0123456789abcdefghijklmnopqrstuvwxyz");
      if (start == View::npos || parts.size() == kMaxFields) return false;
      text.remove_prefix(start);
      size_t size = 1;
      while (size < text.size() && is_digit(text[0]) == is_digit(text[size]) &&
             (is_digit(text[size]) || is_letter(text[size])))
        ++size;
      parts.push_back(text.substr(0, size));
      text.remove_prefix(std::min(size + 1, text.size()));
    }
    unsigned all = 0;
    for (View& part : parts) {
      if (!is_letter(part.front())) continue;
      const Name* name = find_word(part);
      if (name == nullptr || (name->word != Word::kMonth && name->word != Word::kIgnored)) return false;
      part = {};
      if (name->word == Word::kIgnored) continue;
      if (((seen_ | all) & kMonth) != 0) return false;
      month_ = name->value;
      has_month_name_ = true;
      all |= kMonth;
    }
    for (const View part : parts) {
      if (part.empty()) continue;
      told_ = 0;
      if (!number(part, seen_ | all) || (told_ & (seen_ | all)) != 0) return false;
      all |= told_;
    }
    told_ = all;
    return ((seen_ | all) & ~kZone) == kDate;  // such a date stands first
  }

  // A number by itself: 20010203, 040506.789, 2001.034, a year, a day.
  bool number_field(View text) {
    const size_t point = text.find('.');
    if (point != View::npos && (seen_ & kDate) == 0) return date(text);
    if (point != View::npos && point > 2) return date_number(text);
    if (text.size() >= 6 && ((seen_ & kDate) == 0 || (seen_ & kClock) == 0)) return date_number(text);
    return number(text, seen_);
  }
  bool clock_number(View text) {
    const size_t point = text.find('.');
    if (point != View::npos && point <= 2) return false;
    return date_number(text, kDate) && told_ == kClock;
  }

  // A part of a date whose place says which: years have three digits or stand last.
  bool number(View text, unsigned seen) {
    const View digits = leading_digits(text);
    if (digits.empty()) return false;
    if (digits.size() < text.size()) return digits.size() > 2 && date_number(text, seen | kDate);
    const int64_t value = whole(digits);
    const size_t size = text.size();
    if (size == 3 && (seen & kDate) == kYear && value >= 1 && value <= 366) {
      day_of_year_ = value;
      told_ = kMonth | kDay;
      return true;
    }
    switch (seen & kDate) {
      case 0:
        return size >= 3 ? set_year(value, size) : set(kMonth, month_, value);
      case kYear:
        return set(kMonth, month_, value);
      case kMonth:
        return has_month_name_ && size >= 3 ? set_year(value, size) : set(kDay, day_, value);
      case kYear | kMonth:
        if (!has_month_name_ || size < 3 || !two_digits_) return set(kDay, day_, value);
        set(kDay, day_, year_);  // what was taken for the year was the day
        year_ = value;
        two_digits_ = false;
        return true;
      case kDay:
        return set(kMonth, month_, value);
      case kMonth | kDay:
        return set_year(value, size);
      case kDate:
        return date_number(text, seen);
      default:
        return false;
    }
  }
  bool set(Part part, int64_t& to, int64_t value) {
    told_ = part;
    to = value;
    return true;
  }
  bool set_year(int64_t value, size_t size) {
    two_digits_ = size <= 2;
    return set(kYear, year_, value);
  }

  // yyyymmdd or hhmmss, run together.
  bool date_number(View text) { return date_number(text, seen_); }
  bool date_number(View text, unsigned seen) {
    const View digits = leading_digits(text);
    const size_t size = digits.size();
    if (size < text.size()) {
      if (!read_fraction(text.substr(size), micros_)) return false;
    } else if ((seen & kDate) != kDate && size >= 6) {
      day_ = whole(digits.substr(size - 2));
      month_ = whole(digits.substr(size - 4, 2));
      set_year(whole(digits.substr(0, size - 4)), size - 4);
      told_ = kDate;
      return true;
    }
    if ((seen & kClock) != 0 || (size != 6 && size != 4)) return false;
    told_ = kClock;
    hour_ = whole(digits.substr(0, 2));
    minute_ = whole(digits.substr(2, 2));
    second_ = size == 6 ? whole(digits.substr(4)) : 0;
    return true;
  }

  // h:m, h:m:s[.f], m:s.f
  bool clock(View text) {
    told_ = kClock;
    const auto take = [&](int64_t& to) {
      const View digits = leading_digits(text);
      to = whole(digits);
      text.remove_prefix(digits.size());
    };
    take(hour_);
    text.remove_prefix(1);
    take(minute_);
    if (text.starts_with('.')) {
      second_ = std::exchange(minute_, std::exchange(hour_, 0));
      return read_fraction(text, micros_) && clock_in_range();
    }
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      take(second_);
    }
    return (text.empty() || read_fraction(text, micros_)) && clock_in_range();
  }
  bool clock_in_range() const {
    const int64_t total = (hour_ * 60 + minute_) * 60 + second_;
    return hour_ <= 24 && minute_ < 60 && second_ <= 60 &&
           total * kMicrosPerSecond + micros_ <= kMicrosPerDay;
  }

  // ±h[:m[:s]], ±hhmm
  bool zone(View text) {
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const bool together = text.size() > 2 && leading_digits(text).size() == text.size();
    int64_t parts[3] = {};
    for (int64_t& part : parts) {
      const View digits = leading_digits(text);
      part = whole(digits);
      text.remove_prefix(digits.size());
      if (!text.starts_with(':')) break;
      text.remove_prefix(1);
    }
    if (together) {
      parts[1] = parts[0] % 100;
      parts[0] /= 100;
    }
    if (!text.empty() || parts[0] > 15 || parts[1] > 59 || parts[2] > 59) return false;
    told_ = kZone;
    zone_seconds_ = sign * ((parts[0] * 60 + parts[1]) * 60 + parts[2]);
    return true;
  }

  bool word(View text, const Field* next) {
    const Name* name = find_word(text);
    if (name == nullptr) return false;
    switch (name->word) {
      case Word::kMonth:
        return month_name(name->value);
      case Word::kIgnored:
        return true;
      case Word::kWeekday:
        told_ = kWeekday;
        return true;
      case Word::kHalf:
        told_ = kHalf;
        half_ = name->value;
        return true;
      case Word::kEra:
        told_ = kEra;
        before_christ_ = name->value != 0;
        return true;
      case Word::kZone:
        told_ = kZone;
        zone_seconds_ = int64_t{name->value} * 60;
        return true;
      case Word::kMidnight:
        told_ = kClock | kZone;
        return true;
      case Word::kEpoch:
        epoch_ = true;
        return kind_ == TextTimeKind::kMoment && seen_ == 0 && next == nullptr;
      case Word::kTime:
        after_t_ = true;
        return next != nullptr && next->kind != FieldKind::kWord && next->kind != FieldKind::kZone &&
               (kind_ == TextTimeKind::kTimeOfDay || (seen_ & kDate) == kDate);
      case Word::kOfClock:
        hint_ = "an answer depends on the events alone, not on the clock: write the time itself";
        return false;
      case Word::kInfinity:
        hint_ = "there are no infinite times: use NULL, or a time far away";
        return false;
    }
    return false;
  }
  bool month_name(int value) {
    const bool was_day = (seen_ & kMonth) != 0 && !has_month_name_ && (seen_ & kDay) == 0;
    if (was_day) day_ = month_;
    told_ = was_day ? kDay : kMonth;
    has_month_name_ = true;
    month_ = value;
    return true;
  }

  bool finish() {
    if (epoch_) {
      year_ = 1970;
      month_ = day_ = 1;
      return true;
    }
    if (half_ >= 0) {
      if (hour_ > 12) return false;
      hour_ = hour_ % 12 + half_ * 12;
    }
    if (!clock_in_range()) return false;
    if (kind_ == TextTimeKind::kTimeOfDay && (seen_ & kClock) == 0) return false;
    if (kind_ == TextTimeKind::kTimeOfDay && (seen_ & kDate) == 0)
      return year_ = 1970, month_ = day_ = 1, true;
    if ((seen_ & kDate) != kDate || before_christ_) return false;
    if (two_digits_) year_ += year_ < 70 ? 2000 : 1900;
    if (day_of_year_ != 0) {
      const CivilDate date = civil_of(days_of({year_, 1, 1}) + day_of_year_ - 1);
      month_ = date.month;
      day_ = date.day;
      if (date.year != year_) return false;
    }
    return year_ >= 1 && year_ <= 9999 && month_ >= 1 && month_ <= 12 && day_ >= 1 &&
           day_ <= days_in_month(year_, static_cast<unsigned>(month_));
  }

  TextTimeKind kind_;
  View& hint_;
  unsigned seen_ = 0;  // the parts
  unsigned told_ = 0;  // by this field
  bool has_month_name_ = false;
  bool two_digits_ = false;
  bool before_christ_ = false;
  bool after_t_ = false;
  bool epoch_ = false;
  int half_ = -1;
  int64_t year_ = 0, month_ = 0, day_ = 0, day_of_year_ = 0;
  int64_t hour_ = 0, minute_ = 0, second_ = 0, micros_ = 0;
  int64_t zone_seconds_ = 0;
};

}  // namespace

std::optional<TextTime> read_time_text(View text, TextTimeKind kind, View& hint) {
  if (text.size() > kMaxBytes) return std::nullopt;
  std::string lower_case;
  append_in_case(text, LetterCase::kLower, lower_case);
  std::vector<Field> fields;
  Decoder decoder(kind, hint);
  if (!Splitter(lower_case).run(fields) || fields.empty() || !decoder.run(fields)) return std::nullopt;
  return decoder.time();
}

}  // namespace millrace
