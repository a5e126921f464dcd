#include "engine/java_time_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;
using P = TimePattern;
using Kind = TimePiece::Kind;

// A letter so many times.
struct Run {
  char letter;
  size_t most;  // times
  P pattern;
  size_t filled;  // as often as that, it is filled up with zeros
  int digits = 2;
};
constexpr auto kRuns = std::to_array<Run>({
    {'d', 2, P::kDayOfMonth, 2},
    {'D', 3, P::kDayOfYear, 3, 3},
    {'E', 4, P::kDayName, 9},
    {'H', 2, P::kHour24, 2},
    {'M', 4, P::kMonth, 2},
    {'Q', 1, P::kQuarter, 9, 1},
    {'S', 9, P::kFraction, 1},
    {'a', 1, P::kHalfDay, 9},
    {'h', 2, P::kHour12, 2},
    {'m', 2, P::kMinute, 2},
    {'s', 2, P::kSecond, 2},
    {'u', 4, P::kYear, 2, 4},
    {'y', 4, P::kYear, 2, 4},
});

class Reader {
 public:
  Reader(View format, std::string& error) : rest_(format), error_(error) {}

  std::vector<TimePiece> run() {
    while (!rest_.empty() && error_.empty()) {
      if (rest_.front() == '\'')
        quoted();
      else if (is_letter(rest_.front()))
        letters();
      else
        character();
    }
    return std::move(pieces_);
  }

 private:
  void letters() {
    const char letter = rest_.front();
    const size_t count = std::min(rest_.size(), rest_.find_first_not_of(letter));
    const auto known = std::ranges::find(kRuns, letter, &Run::letter);
    const bool odd = count == 3 && (letter == 'y' || letter == 'u');
    if (known == kRuns.end() || count > known->most || odd || (letter == 'D' && count == 2)) {
      error_ = fmt::format("\"{:.20}\" is not a pattern of date_format", rest_.substr(0, count));
      return;
    }
    rest_.remove_prefix(count);
    pieces_.push_back(piece(*known, count));
    for (size_t i = 6; letter == 'S' && i < count; ++i)
      pieces_.push_back({.text = "0"});  // there are no nanoseconds
  }
  static TimePiece piece(const Run& run, size_t count) {
    TimePiece piece{
        .kind = Kind::kPattern, .pattern = run.pattern, .digits = run.digits, .fill = count >= run.filled};
    if (run.letter == 'M' && count > 2) piece.pattern = count == 3 ? P::kMonthNameShort : P::kMonthName;
    if (run.letter == 'M' && count > 2) piece.fill = false;
    if (run.letter == 'E' && count < 4) piece.pattern = P::kDayNameShort;
    if (run.letter == 'S') piece.digits = static_cast<int>(std::min<size_t>(count, 6));
    if (run.pattern == P::kYear && count == 2) piece.digits = 2;
    return piece;
  }

  // '…', in which two quotes are one; two quotes alone are one, too.
  void quoted() {
    rest_.remove_prefix(1);
    if (rest_.starts_with('\'')) return character();
    while (!rest_.empty()) {
      if (rest_.front() == '\'') {
        rest_.remove_prefix(1);
        if (!rest_.starts_with('\'')) return;
      }
      character();
    }
    error_ = "a quote of the format is not closed";
  }
  void character() {
    const View c = character_at(rest_, 0);
    pieces_.push_back({.text = std::string(c)});
    rest_.remove_prefix(c.size());
  }

  View rest_;
  std::string& error_;
  std::vector<TimePiece> pieces_;
};

}  // namespace

JavaTimeFormat::JavaTimeFormat(View format) : times_(format, Reader(format, error_).run()) {}

}  // namespace millrace::engine
