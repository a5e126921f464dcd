// NumberFormat: a format of to_char and to_number, ready to be used for many numbers. In the C locale: a point, commas,
// and no currency.
//
// Names:   as in PostgreSQL's documentation: 9 and 0 are digits, D is the point, G a comma, L a currency, S, MI, PL, SG
//          and PR signs, V shifts the point, EEEE is scientific, RN Roman.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/letters.h"

namespace millrace::engine {

// What is written: the number's text without its sign, with as many digits behind the point as fraction_digits().
struct NumberText {
  bool negative = false;
  std::string digits;
  int fraction_digits = 0;
};

class NumberFormat {
 public:
  explicit NumberFormat(std::string_view format);
  const std::string& format() const { return format_; }
  const std::string& error() const { return error_; }  // empty: none

  bool is_roman() const { return roman_; }
  bool is_scientific() const { return scientific_; }
  int fraction_digits() const { return after_; }
  int shift() const { return shift_; }  // V: the power of ten that the number is multiplied by

  // False: the format wants an ordinal of what is no number.
  bool append(const NumberText& number, std::string& out) const;
  void append_roman(int64_t value, std::string& out) const;
  void append_scientific_nothing(std::string& out) const;  // of what has no exponent

  // The number in a text, as digits with a sign and a point, and how many stand behind the point.
  std::string read(std::string_view text, int& fraction_digits) const;
  int whole_digits() const { return before_ + shift_; }

 private:
  enum class Kind : uint8_t {
    kNine,
    kZero,
    kPoint,
    kComma,
    kCurrency,
    kRoman,
    kOrdinal,
    kMinus,
    kPlus,
    kSign,
    kText
  };
  struct Piece {
    Kind kind;
    LetterCase letters = LetterCase::kUpper;  // of kRoman and kOrdinal
    std::string text;                         // of kText: a character
  };
  enum class Anchor : uint8_t { kNone, kBefore, kAfter };  // where S stands
  friend class NumberFormatParser;
  friend class NumberWriter;
  friend class NumberScan;

  std::string format_;
  std::string error_;
  std::vector<Piece> pieces_;
  int before_ = 0, after_ = 0;  // digits before and behind the point
  int before_sign_ = 0;         // digits before S
  int shift_ = 0;
  int first_zero_ = -1;  // the place of the first 0 before the point
  int zero_end_ = 0;     // the places up to the last 0
  Anchor anchor_ = Anchor::kNone;
  bool compact_ = false, point_ = false, minus_ = false, plus_ = false, brackets_ = false, shifted_ = false;
  bool blank_ = false, roman_ = false, scientific_ = false;
};

}  // namespace millrace::engine
