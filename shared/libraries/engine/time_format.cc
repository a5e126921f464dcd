#include "engine/time_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "engine/expr.h"
#include "engine/time_unit.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

constexpr std::array<View, 12> kMonths{"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<View, 7> kDays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                    "Friday", "Saturday", "Sunday"};
constexpr std::array<View, 12> kRoman{"I",   "II",   "III", "IV", "V",  "VI",
                                      "VII", "VIII", "IX",  "X",  "XI", "XII"};
constexpr int64_t kSecond = kMicrosPerSecond;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = kMicrosPerDay;

struct Moment {
  Moment(int64_t timestamp, View zone_name) : time(civil_time(timestamp)), zone(zone_name) {}
  CivilTime time;
  View zone;
  int64_t fraction() const { return time.micros % kSecond; }
  int64_t seconds() const { return time.micros / kSecond; }
  int64_t hour() const { return seconds() / 3600; }
  int64_t hour12() const { return hour() % 12 == 0 ? 12 : hour() % 12; }
  size_t weekday() const { return static_cast<size_t>(iso_day_of_week(time.days) - 1); }
  size_t month() const { return time.date.month - 1; }
};

// A number, and the digits it is filled up to with zeros.
struct Number {
  int64_t value = 0;
  int width = 0;
};
struct NumberPattern {
  View name;
  Number (*of)(const Moment&);
  int64_t unit;  // all times in one have the same number
};
struct NamePattern {
  View name;  // as written in mixed case: its letters' case is the answer's, too
  View (*of)(const Moment&);
  size_t cut;    // 0: the whole name
  size_t width;  // filled up to with spaces, unless FM
  int64_t unit = kDay;
};

Number year_digits(int64_t year, int64_t modulus, int width) {
  return {year % modulus, width};
}

// Longer names first where one starts with another. All may be written in lower case.
constexpr auto kNumbers = std::to_array<NumberPattern>({
    {"YYYY",
     [](const Moment& m) {
       return Number{m.time.date.year, 4};
     },
     kDay},
    {"YYY", [](const Moment& m) { return year_digits(m.time.date.year, 1000, 3); }, kDay},
    {"YY", [](const Moment& m) { return year_digits(m.time.date.year, 100, 2); }, kDay},
    {"Y", [](const Moment& m) { return year_digits(m.time.date.year, 10, 1); }, kDay},
    {"IYYY",
     [](const Moment& m) {
       return Number{iso_year(m.time), 4};
     },
     kDay},
    {"IYY", [](const Moment& m) { return year_digits(iso_year(m.time), 1000, 3); }, kDay},
    {"IY", [](const Moment& m) { return year_digits(iso_year(m.time), 100, 2); }, kDay},
    {"IDDD",
     [](const Moment& m) {
       return Number{m.time.days - iso_week_start(iso_year(m.time)) + 1, 3};
     },
     kDay},
    {"ID",
     [](const Moment& m) {
       return Number{static_cast<int64_t>(m.weekday()) + 1, 0};
     },
     kDay},
    {"IW",
     [](const Moment& m) {
       return Number{iso_week(m.time), 2};
     },
     kDay},
    {"I", [](const Moment& m) { return year_digits(iso_year(m.time), 10, 1); }, kDay},
    {"Q",
     [](const Moment& m) {
       return Number{(m.time.date.month - 1) / 3 + 1, 0};
     },
     kDay},
    {"MM",
     [](const Moment& m) {
       return Number{m.time.date.month, 2};
     },
     kDay},
    {"DDD",
     [](const Moment& m) {
       return Number{day_of_year(m.time), 3};
     },
     kDay},
    {"DD",
     [](const Moment& m) {
       return Number{m.time.date.day, 2};
     },
     kDay},
    {"D",
     [](const Moment& m) {
       return Number{static_cast<int64_t>(m.weekday() + 1) % 7 + 1, 0};
     },
     kDay},
    {"WW",
     [](const Moment& m) {
       return Number{(day_of_year(m.time) - 1) / 7 + 1, 2};
     },
     kDay},
    {"W",
     [](const Moment& m) {
       return Number{(m.time.date.day - 1) / 7 + 1, 0};
     },
     kDay},
    {"CC",
     [](const Moment& m) {
       return Number{(m.time.date.year - 1) / 100 + 1, 2};
     },
     kDay},
    {"J",
     [](const Moment& m) {
       return Number{m.time.days + 2'440'588, 0};
     },
     kDay},
    {"MI",
     [](const Moment& m) {
       return Number{m.seconds() / 60 % 60, 2};
     },
     kMinute},
    {"HH24",
     [](const Moment& m) {
       return Number{m.hour(), 2};
     },
     kHour},
    {"HH12",
     [](const Moment& m) {
       return Number{m.hour12(), 2};
     },
     kHour},
    {"HH",
     [](const Moment& m) {
       return Number{m.hour12(), 2};
     },
     kHour},
    {"SSSSS",
     [](const Moment& m) {
       return Number{m.seconds(), 0};
     },
     kSecond},
    {"SSSS",
     [](const Moment& m) {
       return Number{m.seconds(), 0};
     },
     kSecond},
    {"SS",
     [](const Moment& m) {
       return Number{m.seconds() % 60, 2};
     },
     kSecond},
});
// Their zeros stay with FM.
constexpr auto kFractions = std::to_array<NumberPattern>({
    {"MS",
     [](const Moment& m) {
       return Number{m.fraction() / 1'000, 3};
     },
     1},
    {"US",
     [](const Moment& m) {
       return Number{m.fraction(), 6};
     },
     1},
    {"FF1",
     [](const Moment& m) {
       return Number{m.fraction() / 100'000, 1};
     },
     1},
    {"FF2",
     [](const Moment& m) {
       return Number{m.fraction() / 10'000, 2};
     },
     1},
    {"FF3",
     [](const Moment& m) {
       return Number{m.fraction() / 1'000, 3};
     },
     1},
    {"FF4",
     [](const Moment& m) {
       return Number{m.fraction() / 100, 4};
     },
     1},
    {"FF5",
     [](const Moment& m) {
       return Number{m.fraction() / 10, 5};
     },
     1},
    {"FF6",
     [](const Moment& m) {
       return Number{m.fraction(), 6};
     },
     1},
});
constexpr auto kNames = std::to_array<NamePattern>({
    {"Month", [](const Moment& m) { return kMonths[m.month()]; }, 0, 9},
    {"Mon", [](const Moment& m) { return kMonths[m.month()]; }, 3, 0},
    {"Day", [](const Moment& m) { return kDays[m.weekday()]; }, 0, 9},
    {"Dy", [](const Moment& m) { return kDays[m.weekday()]; }, 3, 0},
});
// Texts that follow the pattern's case and are not filled up.
constexpr auto kWords = std::to_array<NamePattern>({
    {"A.M.", [](const Moment& m) { return View(m.hour() < 12 ? "A.M." : "P.M."); }, 0, 0, kHour},
    {"P.M.", [](const Moment& m) { return View(m.hour() < 12 ? "A.M." : "P.M."); }, 0, 0, kHour},
    {"AM", [](const Moment& m) { return View(m.hour() < 12 ? "AM" : "PM"); }, 0, 0, kHour},
    {"PM", [](const Moment& m) { return View(m.hour() < 12 ? "AM" : "PM"); }, 0, 0, kHour},
    {"A.D.", [](const Moment&) { return View("A.D."); }, 0, 0},
    {"B.C.", [](const Moment&) { return View("A.D."); }, 0, 0},
    {"AD", [](const Moment&) { return View("AD"); }, 0, 0},
    {"BC", [](const Moment&) { return View("AD"); }, 0, 0},
    {"RM", [](const Moment& m) { return kRoman[m.month()]; }, 0, 4},
    {"TZH", [](const Moment&) { return View("+00"); }, 0, 0},
    {"TZM", [](const Moment&) { return View("00"); }, 0, 0},
    {"TZ", [](const Moment& m) { return m.zone; }, 0, 0},
    {"OF", [](const Moment&) { return View("+00"); }, 0, 0},
});

std::string lowered(View text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}
std::string raised(View text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

}  // namespace

// A piece of the text: fixed, or made of a pattern.
struct TimeFormat::Step {
  enum class Case : uint8_t { kAsIs, kLower, kUpper };

  std::string literal;
  const NamePattern* name = nullptr;
  const NumberPattern* number = nullptr;
  Case letters = Case::kAsIs;
  bool fill = true;
  bool ordinal = false;  // in the case of `letters`
};

namespace {

using Step = TimeFormat::Step;
using Case = Step::Case;

// From the format as written to steps.
class Reader {
 public:
  Reader(View format, std::vector<Step>& steps) : rest_(format), steps_(steps) {}

  void run() {
    while (!rest_.empty()) {
      if (rest_.front() == '"' || rest_.front() == '\\') {
        quoted();
        continue;
      }
      const bool fill = !take("FM") && !take("fm");
      if (!pattern(fill) && !rest_.empty()) literal();
    }
  }

 private:
  bool take(View text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // In one case or the other; which one is answered.
  bool take_either(View name, Case& letters) {
    letters = take(name) ? Case::kUpper : Case::kLower;
    return letters == Case::kUpper || take(lowered(name));
  }

  void literal() {
    const bool follows = !steps_.empty() && steps_.back().name == nullptr && steps_.back().number == nullptr;
    if (!follows) steps_.emplace_back();
    steps_.back().literal += rest_.front();
    rest_.remove_prefix(1);
  }
  // "…" as it is but for a backslash, which takes its meaning from the next character; outside of quotes it
  // is dropped before a double quote alone.
  void quoted() {
    if (rest_.front() == '\\') {
      if (rest_.size() > 1 && rest_[1] == '"') rest_.remove_prefix(1);
      return literal();
    }
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      literal();
    }
    take("\"");
  }

  bool pattern(bool fill) {
    Case letters{};
    if (take_either("FX", letters)) return true;  // it concerns reading only
    return name(fill) || word(fill) || number(kFractions, true) || number(kNumbers, fill);
  }
  bool name(bool fill) {
    for (const NamePattern& p : kNames) {
      Case letters = Case::kAsIs;
      if (!take(p.name) && !take_either(raised(p.name), letters)) continue;
      add(letters, fill).name = &p;
      return true;
    }
    return false;
  }
  bool word(bool fill) {
    for (const NamePattern& p : kWords) {
      Case letters{};
      if (!take_either(p.name, letters)) continue;
      add(letters == Case::kLower ? letters : Case::kAsIs, fill).name = &p;
      return true;
    }
    return false;
  }
  template <size_t kCount>
  bool number(const std::array<NumberPattern, kCount>& patterns, bool fill) {
    Case letters{};
    for (const NumberPattern& p : patterns) {
      if (!take_either(p.name, letters)) continue;
      Step& step = add(Case::kAsIs, fill);
      step.number = &p;
      step.ordinal = take_either("TH", step.letters);
      return true;
    }
    return false;
  }
  Step& add(Case letters, bool fill) {
    Step& step = steps_.emplace_back();
    step.letters = letters;
    step.fill = fill;
    return step;
  }

  View rest_;
  std::vector<Step>& steps_;
};

void append_in_case(View text, Case letters, std::string& out) {
  if (letters == Case::kAsIs)
    out += text;
  else
    out += letters == Case::kLower ? lowered(text) : raised(text);
}

void append_name(const Step& step, const Moment& moment, std::string& out) {
  View text = step.name->of(moment);
  if (step.name->cut != 0) text = text.substr(0, step.name->cut);
  append_in_case(text, step.letters, out);
  if (step.fill && text.size() < step.name->width) out.append(step.name->width - text.size(), ' ');
}

void append_number(const Step& step, const Moment& moment, std::string& out) {
  const Number n = step.number->of(moment);
  fmt::format_to(std::back_inserter(out), "{:0{}}", n.value, step.fill ? n.width : 0);
  if (!step.ordinal) return;
  // 1st, 2nd, 3rd, 4th, 11th.
  constexpr std::array<View, 4> kEndings{"TH", "ST", "ND", "RD"};
  const bool teen = n.value / 10 % 10 == 1;
  append_in_case(teen || n.value % 10 > 3 ? kEndings[0] : kEndings[static_cast<size_t>(n.value % 10)],
                 step.letters, out);
}

}  // namespace

TimeFormat::TimeFormat(View format) : format_(format), unit_(kDay) {
  Reader(format, steps_).run();
  for (const Step& step : steps_) {
    if (step.name != nullptr) unit_ = std::min(unit_, step.name->unit);
    if (step.number != nullptr) unit_ = std::min(unit_, step.number->unit);
  }
}
TimeFormat::~TimeFormat() = default;

const std::string& TimeFormat::text_of(int64_t timestamp, View zone) {
  const int64_t unit = tumble_start(timestamp, unit_, 0);
  if (made_ && unit == text_unit_ && zone == text_zone_) return text_;
  const Moment moment(timestamp, zone);
  text_.clear();
  for (const Step& step : steps_) {
    if (step.name != nullptr)
      append_name(step, moment, text_);
    else if (step.number != nullptr)
      append_number(step, moment, text_);
    else
      text_ += step.literal;
  }
  made_ = true;
  text_unit_ = unit;
  text_zone_ = zone;
  return text_;
}

TimeFormat& TimeFormatCache::find(View format) {
  if (!last_ || last_->format() != format) last_ = std::make_unique<TimeFormat>(format);
  return *last_;
}

}  // namespace millrace::engine
