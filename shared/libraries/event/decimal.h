// Decimal: PostgreSQL's numeric: exact decimal numbers.
//
// Why:     money must not be rounded; a double does.
// Bytes:   what columns keep: bytes whose order is the numbers', one for each number. So comparing, grouping and
//          searching are those of texts, and 1.5 and 1.50 are one value (PostgreSQL would still print the zero).
//              zero      80
//              positive  81, the point + 8000 as two bytes, the digits
//              negative  7F, the same two bytes and digits inverted, FF
// Bound:   kMaxDecimalDigits before and behind the point together. No NaN, no infinities.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace {

inline constexpr int kMaxDecimalDigits = 1'000;

// 0.digits times ten to the power of the point.
struct Decimal {
  bool negative = false;
  std::string digits;  // no zeros at either end; empty: zero
  int point = 0;

  int scale() const;  // digits behind the point
  friend bool operator==(const Decimal&, const Decimal&) = default;
};

// nullopt from all of these: beyond the bound.
std::optional<Decimal> add(const Decimal& a, const Decimal& b);
std::optional<Decimal> subtract(const Decimal& a, Decimal b);
std::optional<Decimal> multiply(const Decimal& a, const Decimal& b);
// The divisor is not zero. PostgreSQL's scale: at least 16 significant digits.
std::optional<Decimal> divide(const Decimal& a, const Decimal& b);
// How many digits divide() keeps behind the point of two numbers: their digits, and where the point is among them.
struct DigitsView {
  std::string_view digits;
  int point = 0;
};
int quotient_scale(DigitsView a, DigitsView b);
int quotient_scale(const Decimal& a, const Decimal& b);
// Of what is not negative, so many digits behind the point; halves go up.
std::optional<Decimal> square_root(const Decimal& a, int scale);
std::optional<Decimal> remainder(const Decimal& a, const Decimal& b);  // with the dividend's sign

Decimal negated(Decimal a);
// So many digits behind the point (negative: before it); halves go away from zero.
Decimal rounded(const Decimal& a, int scale);
Decimal truncated(const Decimal& a, int scale);
bool fits(const Decimal& a, int precision, int scale);  // of NUMERIC(p, s), once rounded

Decimal decimal_of(int64_t value);
Decimal decimal_of(__int128 value, int scale);
std::optional<Decimal> decimal_of(double value,
                                  bool real);        // 15 digits of it, of a real 6; nullopt: not finite
std::optional<int64_t> bigint_of(const Decimal& a);  // rounded
std::optional<__int128> scaled(const Decimal& a, int scale);  // a * 10^scale, exactly

// "1.5", "-.5", "1e3". nullopt: no number, or beyond the bound.
std::optional<Decimal> read_decimal(std::string_view text);
Result<Decimal> parse_decimal(std::string_view text);
void append_decimal(std::string& out, const Decimal& a);  // plain digits, no needless zeros

std::string decimal_bytes(const Decimal& a);
Decimal decimal_from(std::string_view bytes);  // bytes that are none: some number

}  // namespace millrace
