#include "engine/time_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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
};
struct NamePattern {
  View name;  // as written in mixed case: its letters' case is the answer's, too
  View (*of)(const Moment&);
  size_t cut;    // 0: the whole name
  size_t width;  // filled up to with spaces, unless FM
};

Number year_digits(int64_t year, int64_t modulus, int width) {
  return {year % modulus, width};
}

// Longer names first where one starts with another. All may be written in lower case.
constexpr auto kNumbers = std::to_array<NumberPattern>({
    {"YYYY",
     [](const Moment& m) {
       return Number{m.time.date.year, 4};
     }},
    {"YYY", [](const Moment& m) { return year_digits(m.time.date.year, 1000, 3); }},
    {"YY", [](const Moment& m) { return year_digits(m.time.date.year, 100, 2); }},
    {"Y", [](const Moment& m) { return year_digits(m.time.date.year, 10, 1); }},
    {"IYYY",
     [](const Moment& m) {
       return Number{iso_year(m.time), 4};
     }},
    {"IYY", [](const Moment& m) { return year_digits(iso_year(m.time), 1000, 3); }},
    {"IY", [](const Moment& m) { return year_digits(iso_year(m.time), 100, 2); }},
    {"IDDD",
     [](const Moment& m) {
       return Number{m.time.days - iso_week_start(iso_year(m.time)) + 1, 3};
     }},
    {"ID",
     [](const Moment& m) {
       return Number{static_cast<int64_t>(m.weekday()) + 1, 0};
     }},
    {"IW",
     [](const Moment& m) {
       return Number{iso_week(m.time), 2};
     }},
    {"I", [](const Moment& m) { return year_digits(iso_year(m.time), 10, 1); }},
    {"Q",
     [](const Moment& m) {
       return Number{(m.time.date.month - 1) / 3 + 1, 0};
     }},
    {"MM",
     [](const Moment& m) {
       return Number{m.time.date.month, 2};
     }},
    {"MI",
     [](const Moment& m) {
       return Number{m.seconds() / 60 % 60, 2};
     }},
    {"DDD",
     [](const Moment& m) {
       return Number{day_of_year(m.time), 3};
     }},
    {"DD",
     [](const Moment& m) {
       return Number{m.time.date.day, 2};
     }},
    {"D",
     [](const Moment& m) {
       return Number{static_cast<int64_t>(m.weekday() + 1) % 7 + 1, 0};
     }},
    {"WW",
     [](const Moment& m) {
       return Number{(day_of_year(m.time) - 1) / 7 + 1, 2};
     }},
    {"W",
     [](const Moment& m) {
       return Number{(m.time.date.day - 1) / 7 + 1, 0};
     }},
    {"CC",
     [](const Moment& m) {
       return Number{(m.time.date.year - 1) / 100 + 1, 2};
     }},
    {"J",
     [](const Moment& m) {
       return Number{m.time.days + 2'440'588, 0};
     }},
    {"HH24",
     [](const Moment& m) {
       return Number{m.hour(), 2};
     }},
    {"HH12",
     [](const Moment& m) {
       return Number{m.hour12(), 2};
     }},
    {"HH",
     [](const Moment& m) {
       return Number{m.hour12(), 2};
     }},
    {"SSSSS", [](const Moment& m) { return Number{m.seconds(), 0}; }},
    {"SSSS", [](const Moment& m) { return Number{m.seconds(), 0}; }},
    {"SS", [](const Moment& m) { return Number{m.seconds() % 60, 2}; }},
});
// Their zeros stay with FM.
constexpr auto kFractions = std::to_array<NumberPattern>({
    {"MS",
     [](const Moment& m) {
       return Number{m.fraction() / 1'000, 3};
     }},
    {"US",
     [](const Moment& m) {
       return Number{m.fraction(), 6};
     }},
    {"FF1",
     [](const Moment& m) {
       return Number{m.fraction() / 100'000, 1};
     }},
    {"FF2",
     [](const Moment& m) {
       return Number{m.fraction() / 10'000, 2};
     }},
    {"FF3",
     [](const Moment& m) {
       return Number{m.fraction() / 1'000, 3};
     }},
    {"FF4",
     [](const Moment& m) {
       return Number{m.fraction() / 100, 4};
     }},
    {"FF5",
     [](const Moment& m) {
       return Number{m.fraction() / 10, 5};
     }},
    {"FF6",
     [](const Moment& m) {
       return Number{m.fraction(), 6};
     }},
});
constexpr auto kNames = std::to_array<NamePattern>({
    {"Month", [](const Moment& m) { return kMonths[m.month()]; }, 0, 9},
    {"Mon", [](const Moment& m) { return kMonths[m.month()]; }, 3, 0},
    {"Day", [](const Moment& m) { return kDays[m.weekday()]; }, 0, 9},
    {"Dy", [](const Moment& m) { return kDays[m.weekday()]; }, 3, 0},
});
// Texts that follow the pattern's case and are not filled up.
constexpr auto kWords = std::to_array<NamePattern>({
    {"A.M.", [](const Moment& m) { return View(m.hour() < 12 ? "A.M." : "P.M."); }, 0, 0},
    {"P.M.", [](const Moment& m) { return View(m.hour() < 12 ? "A.M." : "P.M."); }, 0, 0},
    {"AM", [](const Moment& m) { return View(m.hour() < 12 ? "AM" : "PM"); }, 0, 0},
    {"PM", [](const Moment& m) { return View(m.hour() < 12 ? "AM" : "PM"); }, 0, 0},
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

class Formatter {
 public:
  Formatter(const Moment& moment, View format, std::string& out)
      : moment_(moment), rest_(format), out_(out) {}

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
  bool take_either(View name, bool& lower) {
    lower = !take(name);
    return !lower || take(lowered(name));
  }

  void literal() {
    out_ += rest_.front();
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
    bool lower = false;
    if (take_either("FX", lower)) return true;  // it concerns reading only
    return name(fill) || word(fill) || number(kFractions, true) || number(kNumbers, fill);
  }
  bool name(bool fill) {
    for (const NamePattern& p : kNames) {
      const bool mixed = take(p.name);
      bool lower = false;
      if (!mixed && !take_either(raised(p.name), lower)) continue;
      View text = p.of(moment_);
      if (p.cut != 0) text = text.substr(0, p.cut);
      out_ += mixed ? std::string(text) : lower ? lowered(text) : raised(text);
      if (fill && text.size() < p.width) out_.append(p.width - text.size(), ' ');
      return true;
    }
    return false;
  }
  bool word(bool fill) {
    for (const NamePattern& p : kWords) {
      bool lower = false;
      if (!take_either(p.name, lower)) continue;
      const View text = p.of(moment_);
      out_ += lower ? lowered(text) : std::string(text);
      if (fill && text.size() < p.width) out_.append(p.width - text.size(), ' ');
      return true;
    }
    return false;
  }
  template <size_t kCount>
  bool number(const std::array<NumberPattern, kCount>& patterns, bool fill) {
    bool lower = false;
    for (const NumberPattern& p : patterns) {
      if (!take_either(p.name, lower)) continue;
      const Number n = p.of(moment_);
      out_ += fmt::format("{:0{}}", n.value, fill ? n.width : 0);
      ordinal(n.value);
      return true;
    }
    return false;
  }
  // 1st, 2nd, 3rd, 4th, 11th.
  void ordinal(int64_t value) {
    bool lower = false;
    if (!take_either("TH", lower)) return;
    constexpr std::array<View, 4> kEndings{"TH", "ST", "ND", "RD"};
    const bool teen = value / 10 % 10 == 1;
    const View ending = teen || value % 10 > 3 ? kEndings[0] : kEndings[static_cast<size_t>(value % 10)];
    out_ += lower ? lowered(ending) : std::string(ending);
  }

  Moment moment_;
  View rest_;
  std::string& out_;
};

}  // namespace

void format_timestamp(int64_t timestamp, View zone, View format, std::string& out) {
  Formatter({timestamp, zone}, format, out).run();
}

}  // namespace millrace::engine
