#include "engine/number_format.h"

#include <algorithm>
#include <array>

#include "engine/utf8.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

enum class Word : uint8_t {
  kComma,
  kPoint,
  kZero,
  kNine,
  kBlank,
  kCurrency,
  kScientific,
  kCompact,
  kMinus,
  kPlus,
  kBrackets,
  kRoman,
  kSign,
  kNothing,
  kAnchoredSign,
  kOrdinal,
  kShift,
};
struct Name {
  View name;
  Word word;
};
// All letters in upper or in lower case; longer names first where one starts with another.
constexpr auto kNames = std::to_array<Name>({
    {",", Word::kComma},    {".", Word::kPoint},        {"0", Word::kZero},     {"9", Word::kNine},
    {"B", Word::kBlank},    {"C", Word::kNothing},      {"D", Word::kPoint},    {"EEEE", Word::kScientific},
    {"FM", Word::kCompact}, {"G", Word::kComma},        {"L", Word::kCurrency}, {"MI", Word::kMinus},
    {"PL", Word::kPlus},    {"PR", Word::kBrackets},    {"RN", Word::kRoman},   {"SG", Word::kSign},
    {"SP", Word::kNothing}, {"S", Word::kAnchoredSign}, {"TH", Word::kOrdinal}, {"V", Word::kShift},
});

}  // namespace

class NumberFormatParser {
 public:
  explicit NumberFormatParser(NumberFormat& format) : f_(format), rest_(format.format_) {}

  void run() {
    while (!rest_.empty() && f_.error_.empty()) {
      if (!word()) text();
    }
  }

 private:
  using Kind = NumberFormat::Kind;
  using Anchor = NumberFormat::Anchor;

  void fail(const char* message) { f_.error_ = message; }

  bool word() {
    for (const Name& known : kNames) {
      const bool is_upper = starts_in_case(rest_, known.name, LetterCase::kUpper);
      if (!is_upper && !starts_in_case(rest_, known.name, LetterCase::kLower)) continue;
      rest_.remove_prefix(known.name.size());
      if (f_.scientific_ && known.word != Word::kScientific)
        fail("\"EEEE\" must be the last pattern used");
      else
        use(known.word, is_upper ? LetterCase::kUpper : LetterCase::kLower);
      return true;
    }
    return false;
  }

  void use(Word word, LetterCase letters) {
    switch (word) {
      case Word::kNine:
      case Word::kZero:
        return digit(word == Word::kZero);
      case Word::kPoint:
        return point();
      case Word::kComma:
        return add(Kind::kComma);
      case Word::kCurrency:
        return add(Kind::kCurrency);
      case Word::kBlank:
        f_.blank_ |= f_.before_ == 0 && f_.after_ == 0 && f_.first_zero_ < 0;
        return;
      case Word::kCompact:
        f_.compact_ = true;
        return;
      case Word::kRoman:
        f_.roman_ = true;
        return add(Kind::kRoman, letters);
      case Word::kOrdinal:
        return add(Kind::kOrdinal, letters);
      case Word::kShift:
        if (f_.point_) return fail("cannot use \"V\" and decimal point together");
        f_.shifted_ = true;
        return;
      case Word::kScientific:
        return scientific();
      case Word::kNothing:
        return;
      default:
        return sign(word);
    }
  }

  void digit(bool zero) {
    if (f_.brackets_) return fail(zero ? "\"0\" must be ahead of \"PR\"" : "\"9\" must be ahead of \"PR\"");
    add(zero ? Kind::kZero : Kind::kNine);
    if (zero && f_.first_zero_ < 0 && !f_.point_) f_.first_zero_ = f_.before_;
    if (f_.shifted_ && !zero)
      ++f_.shift_;
    else
      ++(f_.point_ ? f_.after_ : f_.before_);
    if (zero) f_.zero_end_ = f_.before_ + f_.after_;
  }
  void point() {
    if (f_.point_) return fail("multiple decimal points");
    if (f_.shifted_) return fail("cannot use \"V\" and decimal point together");
    f_.point_ = true;
    add(Kind::kPoint);
  }
  void sign(Word word) {
    if (word == Word::kAnchoredSign) return anchored_sign();
    if (word == Word::kBrackets) {
      if (f_.anchor_ != Anchor::kNone || f_.plus_ || f_.minus_)
        return fail("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
      f_.brackets_ = true;
      return;
    }
    if (f_.anchor_ != Anchor::kNone) {
      return fail(word == Word::kMinus  ? "cannot use \"S\" and \"MI\" together"
                  : word == Word::kPlus ? "cannot use \"S\" and \"PL\" together"
                                        : "cannot use \"S\" and \"SG\" together");
    }
    f_.minus_ |= word != Word::kPlus;
    f_.plus_ |= word != Word::kMinus;
    add(word == Word::kMinus ? Kind::kMinus : word == Word::kPlus ? Kind::kPlus : Kind::kSign);
  }
  void anchored_sign() {
    if (f_.anchor_ != Anchor::kNone) return fail("cannot use \"S\" twice");
    if (f_.plus_ || f_.minus_ || f_.brackets_)
      return fail("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
    f_.anchor_ = f_.point_ ? Anchor::kAfter : Anchor::kBefore;
    f_.before_sign_ = f_.before_;
  }
  void scientific() {
    if (f_.scientific_) return fail("cannot use \"EEEE\" twice");
    if (f_.blank_ || f_.compact_ || f_.anchor_ != Anchor::kNone || f_.brackets_ || f_.minus_ || f_.plus_ ||
        f_.roman_ || f_.shifted_)
      return fail("\"EEEE\" is incompatible with other formats");
    f_.scientific_ = true;
  }

  // As in a format of times: "…" as it is, a backslash before a double quote outside of it is dropped.
  void text() {
    if (rest_.front() != '"') {
      if (rest_.starts_with("\\\"")) rest_.remove_prefix(1);
      return character();
    }
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      character();
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
  }
  void character() {
    const View c = character_at(rest_, 0);
    f_.pieces_.push_back({Kind::kText, LetterCase::kUpper, std::string(c)});
    rest_.remove_prefix(c.size());
  }
  void add(Kind kind, LetterCase letters = LetterCase::kUpper) { f_.pieces_.push_back({kind, letters, {}}); }

  NumberFormat& f_;
  View rest_;
};

NumberFormat::NumberFormat(View format) : format_(format) {
  NumberFormatParser(*this).run();
}

// Follows PostgreSQL place by place: which of them are spaces, zeros and digits, and where the sign stands.
class NumberWriter {
 public:
  NumberWriter(const NumberFormat& format, const NumberText& number, std::string& out)
      : f_(format), negative_(number.negative), digits_(number.digits), out_(out), start_(out.size()) {
    before_ = f_.before_ + f_.shift_;
    const int size = static_cast<int>(std::min(digits_.find('.'), digits_.size()));
    spaces_ = std::max(0, before_ - size);
    if (size > before_) {
      const auto whole = static_cast<size_t>(before_), fraction = static_cast<size_t>(number.fraction_digits);
      digits_ = std::string(whole, '#') + "." + std::string(fraction, '#');
    }
    last_place_ = number.fraction_digits + before_ - 1;
    find_last_relevant();
    place_sign();
  }

  bool run() {
    for (const NumberFormat::Piece& piece : f_.pieces_) {
      if (!write(piece)) return false;
    }
    // A place behind all digits ends the text, in PostgreSQL as a zero byte.
    out_.resize(std::min(out_.size(), out_.find('\0', start_)));
    return true;
  }

 private:
  using Kind = NumberFormat::Kind;
  using Anchor = NumberFormat::Anchor;

  // With FM: the digits behind it are zeros that nobody asked for.
  void find_last_relevant() {
    const size_t point = digits_.find('.');
    if (!f_.compact_ || !f_.point_ || point == std::string::npos) return;
    last_relevant_ = std::max(point, digits_.find_last_not_of('0'));
    if (f_.zero_end_ > spaces_) {
      const auto last_zero = static_cast<size_t>(f_.zero_end_ - spaces_);
      last_relevant_ = std::max(last_relevant_, std::min(digits_.size() - 1, last_zero));
    }
  }
  void place_sign() {
    anchor_ = f_.anchor_;
    if (f_.plus_ || f_.minus_) {
      sign_done_ = f_.minus_;
    } else {
      brackets_ = f_.brackets_ && (negative_ || !f_.compact_);
      sign_done_ = !negative_ && f_.compact_ && anchor_ == Anchor::kNone;
      if (anchor_ == Anchor::kBefore && before_ == f_.before_sign_) anchor_ = Anchor::kAfter;
    }
    if (!sign_done_ && spaces_ == 0) ++last_place_;
  }

  bool write(const NumberFormat::Piece& piece) {
    switch (piece.kind) {
      case Kind::kNine:
      case Kind::kZero:
      case Kind::kPoint:
        place(piece.kind);
        return true;
      case Kind::kComma:
        if (in_number_ || !f_.compact_) out_ += in_number_ ? ',' : ' ';
        return true;
      case Kind::kCurrency:
        out_ += ' ';
        return true;
      case Kind::kOrdinal:
        return ordinal(piece.letters);
      case Kind::kMinus:
        if (negative_ || !f_.compact_) out_ += negative_ ? '-' : ' ';
        return true;
      case Kind::kPlus:
        if (!negative_ || !f_.compact_) out_ += negative_ ? ' ' : '+';
        return true;
      case Kind::kSign:
        out_ += negative_ ? '-' : '+';
        return true;
      case Kind::kText:
        out_ += piece.text;
        return true;
      case Kind::kRoman:
        return true;
    }
    return true;
  }

  bool ordinal(LetterCase letters) {
    if (digits_[0] == '#' || negative_ || f_.point_) return true;
    const char ones = digits_.back();
    if (!is_digit(ones)) return false;
    append_in_case(ordinal_ending(digits_.size() > 1 ? digits_[digits_.size() - 2] : '0', ones), letters,
                   out_);
    return true;
  }

  bool has_last_relevant() const { return last_relevant_ != std::string::npos; }
  bool ends_at_point() const { return has_last_relevant() && digits_[last_relevant_] == '.'; }
  // A zero alone before the point is not written: 9.9 of 0.1 is ' .1'.
  bool is_zero_before_point() const {
    return f_.first_zero_ < 0 && at_ == 0 && digits_[0] == '0' && digits_.find('.') != std::string::npos;
  }

  void place(Kind kind) {
    in_number_ = false;
    const bool zero_here = f_.first_zero_ >= 0 && f_.first_zero_ == place_;
    if (!sign_done_ && (place_ >= spaces_ || zero_here) && (!is_zero_before_point() || ends_at_point()))
      sign();
    if (place_ < spaces_) {
      if (f_.first_zero_ >= 0 && f_.first_zero_ <= place_) {
        out_ += '0';
        in_number_ = true;
      } else if (!f_.compact_) {
        out_ += ' ';
      }
    } else {
      digit(kind);
    }
    behind();
    ++place_;
  }
  void sign() {
    if (anchor_ != Anchor::kNone) {
      if (anchor_ == Anchor::kAfter) return;
      out_ += negative_ ? '-' : '+';
    } else if (brackets_) {
      out_ += negative_ ? '<' : ' ';
    } else if (negative_) {
      out_ += '-';
    } else if (!f_.compact_) {
      out_ += ' ';
    }
    sign_done_ = true;
  }
  void digit(Kind kind) {
    const char c = at_ < digits_.size() ? digits_[at_] : '\0';
    if (c == '.') {
      if (!ends_at_point() || f_.compact_) out_ += '.';
    } else if (has_last_relevant() && at_ > last_relevant_ && kind != Kind::kZero) {
      // cut off
    } else if (is_zero_before_point()) {
      if (!f_.compact_)
        out_ += ' ';
      else if (ends_at_point())
        out_ += '0';
    } else {
      out_ += c;
      in_number_ = true;
    }
    if (c != '\0') ++at_;
  }
  // A sign that stands behind the number.
  void behind() {
    int end = last_place_ + (spaces_ > 0 ? 1 : 0) + (f_.point_ ? 1 : 0);
    if (has_last_relevant() && last_relevant_ == at_) end = place_;
    if (place_ + 1 != end) return;
    if (sign_done_ && brackets_)
      out_ += negative_ ? '>' : ' ';
    else if (anchor_ == Anchor::kAfter)
      out_ += negative_ ? '-' : '+';
  }

  const NumberFormat& f_;
  bool negative_;
  std::string digits_;
  std::string& out_;
  size_t start_;
  int before_ = 0;
  int spaces_ = 0;      // places before the first digit
  int last_place_ = 0;  // of the digits
  size_t last_relevant_ = std::string::npos;
  Anchor anchor_ = Anchor::kNone;
  bool brackets_ = false;
  bool sign_done_ = false;

  int place_ = 0;
  size_t at_ = 0;  // in digits_
  bool in_number_ = false;
};

bool NumberFormat::append(const NumberText& number, std::string& out) const {
  return NumberWriter(*this, number, out).run();
}

void NumberFormat::append_roman(int64_t value, std::string& out) const {
  constexpr std::array<std::pair<int, View>, 13> kParts{{{1000, "M"},
                                                         {900, "CM"},
                                                         {500, "D"},
                                                         {400, "CD"},
                                                         {100, "C"},
                                                         {90, "XC"},
                                                         {50, "L"},
                                                         {40, "XL"},
                                                         {10, "X"},
                                                         {9, "IX"},
                                                         {5, "V"},
                                                         {4, "IV"},
                                                         {1, "I"}}};
  constexpr size_t kWidth = 15;
  std::string roman;
  if (value < 1 || value > 3'999) roman.assign(kWidth, '#');
  for (const auto& [part, letters] : kParts) {
    for (; roman.size() < kWidth && value >= part; value -= part) roman += letters;
  }
  for (const Piece& piece : pieces_) {
    if (piece.kind == Kind::kRoman) {
      if (!compact_) out.append(kWidth - roman.size(), ' ');
      append_in_case(roman, piece.letters, out);
    } else if (piece.kind == Kind::kText) {
      out += piece.text;
    } else if (piece.kind == Kind::kSign) {
      return;  // there is none, and PostgreSQL writes a zero byte for it
    } else if (piece.kind == Kind::kCurrency ||
               (!compact_ &&
                (piece.kind == Kind::kComma || piece.kind == Kind::kMinus || piece.kind == Kind::kPlus))) {
      out += ' ';
    }
  }
}

void NumberFormat::append_scientific_nothing(std::string& out) const {
  out += ' ';
  out.append(static_cast<size_t>(before_), '#').append(1, '.').append(static_cast<size_t>(after_ + 4), '#');
}

// One piece of the format after the other takes what it finds.
class NumberScan {
 public:
  NumberScan(const NumberFormat& format, View text) : f_(format), rest_(text) {}

  std::string run() {
    for (const NumberFormat::Piece& piece : f_.pieces_) {
      if (rest_.empty()) break;
      read(piece);
    }
    if (!digits_.empty() && digits_.back() == '.') digits_.pop_back();
    return sign_ == ' ' ? digits_ : sign_ + digits_;
  }
  int fraction_digits() const { return after_; }

 private:
  using Kind = NumberFormat::Kind;
  using Anchor = NumberFormat::Anchor;

  void read(const NumberFormat::Piece& piece) {
    const char c = rest_.front();
    switch (piece.kind) {
      case Kind::kNine:
      case Kind::kZero:
      case Kind::kPoint:
        place(piece.kind);
        if (!rest_.empty()) rest_.remove_prefix(1);
        return;
      case Kind::kComma:
        if (!f_.compact_ && c == ',') rest_.remove_prefix(1);
        return;
      case Kind::kCurrency:
        return skip(1);
      case Kind::kOrdinal:
        if (!f_.point_) skip(2);
        return;
      case Kind::kMinus:
        return c == '-' ? take_sign() : skip(1);
      case Kind::kPlus:
        return c == '+' ? take_sign() : skip(1);
      case Kind::kSign:
        return c == '-' || c == '+' ? take_sign() : skip(1);
      case Kind::kText:
        rest_.remove_prefix(character_bytes(rest_, 0));
        return;
      case Kind::kRoman:
        return;
    }
  }
  void take_sign() {
    sign_ = rest_.front();
    rest_.remove_prefix(1);
  }
  // Characters that are no part of a number.
  void skip(int count) {
    for (; count > 0 && !rest_.empty() && View("0123456789.,+-").find(rest_.front()) == View::npos; --count)
      rest_.remove_prefix(character_bytes(rest_, 0));
  }

  bool starts_with(char c) const { return !rest_.empty() && rest_.front() == c; }

  // Leaves the last character that it took, for its caller to take.
  void place(Kind kind) {
    if (starts_with(' ')) rest_.remove_prefix(1);
    if (rest_.empty()) return;
    if (sign_ == ' ' && kind != Kind::kPoint && before_ + after_ == 0) leading_sign();
    if (rest_.empty()) return;
    bool is_read = false;
    if (is_digit(rest_.front())) {
      if (point_ && after_ == f_.after_) return;
      digits_ += rest_.front();
      ++(point_ ? after_ : before_);
      is_read = true;
    } else if (f_.point_ && !point_ && rest_.front() == '.') {
      digits_ += '.';
      point_ = is_read = true;
    }
    if (sign_ == ' ' && before_ + after_ > 0) trailing_sign(is_read);
  }
  void leading_sign() {
    const bool bracket = f_.brackets_ && starts_with('<');
    if (starts_with('-') || starts_with('+') || bracket) {
      sign_ = starts_with('+') ? '+' : '-';
      rest_.remove_prefix(1);
    }
  }
  void trailing_sign(bool is_read) {
    if (f_.anchor_ != Anchor::kNone && is_read && rest_.size() > 1 && !is_digit(rest_[1])) {
      if (rest_[1] != '-' && rest_[1] != '+') return;
      rest_.remove_prefix(1);
      sign_ = rest_.front();
    } else if (!is_read && f_.anchor_ == Anchor::kNone && (f_.plus_ || f_.minus_)) {
      if (starts_with('-') || starts_with('+')) sign_ = rest_.front();
    }
  }

  const NumberFormat& f_;
  View rest_;
  std::string digits_;
  char sign_ = ' ';
  int before_ = 0, after_ = 0;
  bool point_ = false;
};

std::string NumberFormat::read(View text, int& fraction_digits) const {
  NumberScan scan(*this, text);
  std::string number = scan.run();
  fraction_digits = scan.fraction_digits();
  return number;
}

}  // namespace millrace::engine
