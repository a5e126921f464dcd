#include "engine/time_pattern.h"

#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;
using P = TimePattern;
using Kind = TimePiece::Kind;

struct Name {
  View name;  // of words as written in mixed case
  P pattern;
  int digits = 0;
};
// Longer names first where one starts with another. All may be written in upper or in lower case.
constexpr auto kNames = std::to_array<Name>({
    {"A.D.", P::kEraDotted},
    {"A.M.", P::kHalfDayDotted},
    {"AD", P::kEra},
    {"AM", P::kHalfDay},
    {"B.C.", P::kEraDotted},
    {"BC", P::kEra},
    {"CC", P::kCentury, 2},
    {"Day", P::kDayName},
    {"DDD", P::kDayOfYear, 3},
    {"DD", P::kDayOfMonth, 2},
    {"Dy", P::kDayNameShort},
    {"D", P::kDayOfWeek, 1},
    {"FF1", P::kFraction, 1},
    {"FF2", P::kFraction, 2},
    {"FF3", P::kFraction, 3},
    {"FF4", P::kFraction, 4},
    {"FF5", P::kFraction, 5},
    {"FF6", P::kFraction, 6},
    {"FX", P::kExact},
    {"HH24", P::kHour24, 2},
    {"HH12", P::kHour12, 2},
    {"HH", P::kHour12, 2},
    {"IDDD", P::kIsoDayOfYear, 3},
    {"ID", P::kIsoDayOfWeek, 1},
    {"IW", P::kIsoWeek, 2},
    {"IYYY", P::kIsoYear, 4},
    {"IYY", P::kIsoYear, 3},
    {"IY", P::kIsoYear, 2},
    {"I", P::kIsoYear, 1},
    {"J", P::kJulianDay, 1},
    {"MI", P::kMinute, 2},
    {"MM", P::kMonth, 2},
    {"Month", P::kMonthName},
    {"Mon", P::kMonthNameShort},
    {"MS", P::kFraction, 3},
    {"OF", P::kOffset},
    {"P.M.", P::kHalfDayDotted},
    {"PM", P::kHalfDay},
    {"Q", P::kQuarter, 1},
    {"RM", P::kRomanMonth},
    {"SSSSS", P::kSecondOfDay, 5},
    {"SSSS", P::kSecondOfDay, 4},
    {"SS", P::kSecond, 2},
    {"TZH", P::kZoneHour, 2},
    {"TZM", P::kZoneMinute, 2},
    {"TZ", P::kZone},
    {"US", P::kFraction, 6},
    {"WW", P::kWeek, 2},
    {"W", P::kWeekOfMonth, 1},
    {"Y,YYY", P::kYearWithComma, 4},
    {"YYYY", P::kYear, 4},
    {"YYY", P::kYear, 3},
    {"YY", P::kYear, 2},
    {"Y", P::kYear, 1},
});

bool is_name(P pattern) {
  return pattern == P::kDayName || pattern == P::kDayNameShort || pattern == P::kMonthName ||
         pattern == P::kMonthNameShort;
}

class Reader {
 public:
  Reader(View format, std::vector<TimePiece>& pieces) : rest_(format), pieces_(pieces) {}

  void run() {
    while (!rest_.empty()) {
      const bool compact = take("FM") || take("fm");
      const bool local = !compact && (take("TM") || take("tm"));
      if (!pattern(compact, local) && !rest_.empty()) text();
    }
  }

 private:
  bool take(View text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // In one case or the other; which one is answered.
  bool take_name(View name, LetterCase& letters) {
    const bool is_word = lower(name.back()) == name.back();
    for (const LetterCase as : {LetterCase::kUpper, LetterCase::kLower, LetterCase::kMixed}) {
      if (as == LetterCase::kMixed && !is_word) return false;
      if (!starts_in_case(rest_, name, as)) continue;
      rest_.remove_prefix(name.size());
      letters = as;
      return true;
    }
    return false;
  }

  bool pattern(bool compact, bool local) {
    for (const Name& known : kNames) {
      LetterCase letters{};
      if (!take_name(known.name, letters)) continue;
      TimePiece piece{.kind = Kind::kPattern,
                      .pattern = known.pattern,
                      .name = known.name,
                      .digits = known.digits,
                      .letters = letters,
                      .fill = !compact && !(local && is_name(known.pattern))};
      if (take("TH") || take("th")) {
        piece.ordinal = true;
        piece.ordinal_letters = before() == 'H' ? LetterCase::kUpper : LetterCase::kLower;
      } else {
        take("SP");  // PostgreSQL knows it and does nothing
      }
      pieces_.push_back(std::move(piece));
      return true;
    }
    return false;
  }
  char before() const { return rest_.data()[-1]; }

  // "…" as it is but for a backslash, which takes its meaning from the next character; outside of quotes it is
  // dropped before a double quote alone.
  void text() {
    if (!take("\"")) {
      if (rest_.starts_with("\\\"")) rest_.remove_prefix(1);
      const char c = rest_.front();
      const bool printable = c > ' ' && c < 0x7F;
      const bool separates = printable && !is_letter(c) && !is_digit(c);
      return character(is_space(c) ? Kind::kSpace : separates ? Kind::kSeparator : Kind::kText);
    }
    while (!rest_.empty() && !take("\"")) {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      character(Kind::kText);
    }
  }
  void character(Kind kind) {
    const size_t size = character_bytes(rest_, 0);
    pieces_.push_back({.kind = kind, .text = std::string(rest_.substr(0, size))});
    rest_.remove_prefix(size);
  }

  View rest_;
  std::vector<TimePiece>& pieces_;
};

}  // namespace

std::vector<TimePiece> time_pieces(View format) {
  std::vector<TimePiece> pieces;
  Reader(format, pieces).run();
  return pieces;
}

int64_t julian_day(int64_t year, int64_t month, int64_t day) {
  year += month > 2 ? 4800 : 4799;
  month += month > 2 ? 1 : 13;
  const int64_t century = year / 100;
  return year * 365 - 32'167 + year / 4 - century + century / 4 + 7'834 * month / 256 + day;
}

}  // namespace millrace::engine
