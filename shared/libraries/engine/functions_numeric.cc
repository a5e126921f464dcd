// Functions of numeric. They stand with those of the other numbers in the table (functions_number.cc).
#include "engine/functions_numeric.h"

#include "event/decimal.h"
#include "event/decimal_functions.h"

namespace millrace::engine {
namespace {

Numeric kept(Row& row, const std::optional<Decimal>& answer) {
  if (answer) return {row.keep(decimal_bytes(*answer))};
  row.fail(kIntegerOutOfRange, "numeric out of range");
  return {};
}

// Beyond the bound on either side the digits are there, or gone, anyway.
int places(int64_t n) {
  return static_cast<int>(std::clamp<int64_t>(n, -2 * kMaxDecimalDigits, 2 * kMaxDecimalDigits));
}

Numeric abs_of(Row& row, Numeric x) {
  Decimal a = decimal_from(x.value);
  a.negative = false;
  return kept(row, a);
}
Numeric sign_of(Row& row, Numeric x) {
  const Decimal a = decimal_from(x.value);
  return kept(row, decimal_of(int64_t{a.digits.empty() ? 0 : a.negative ? -1 : 1}));
}
template <Decimal (*kCut)(const Decimal&, int)>
Numeric cut(Row& row, Numeric x) {
  return kept(row, kCut(decimal_from(x.value), 0));
}
template <Decimal (*kCut)(const Decimal&, int)>
Numeric cut_at(Row& row, Numeric x, int64_t n) {
  return kept(row, kCut(decimal_from(x.value), places(n)));
}
// Towards the infinity of that sign.
template <bool kUp>
Numeric towards(Row& row, Numeric x) {
  const Decimal a = decimal_from(x.value);
  const Decimal whole = truncated(a, 0);
  if (whole == a || a.negative == kUp) return kept(row, whole);
  return kept(row, add(whole, decimal_of(int64_t{kUp ? 1 : -1})));
}
Numeric mod(Row& row, Numeric a, Numeric b) {
  const Decimal divisor = decimal_from(b.value);
  if (divisor.digits.empty()) return row.fail("MR-SQL-0101", "division by zero"), a;
  return kept(row, remainder(decimal_from(a.value), divisor));
}

Numeric power_of(Row& row, Numeric x, Numeric y) {
  const Decimal base = decimal_from(x.value);
  const Decimal exponent = decimal_from(y.value);
  if (base.digits.empty() && exponent.negative)
    return row.fail(kBadArgument, "zero raised to a negative power is undefined"), x;
  if (base.negative && !is_whole(exponent)) {
    row.fail(kBadArgument, "a negative number raised to a non-integer power yields a complex result");
    return x;
  }
  return kept(row, power(base, exponent));
}
Numeric sqrt_of(Row& row, Numeric x) {
  const Decimal a = decimal_from(x.value);
  if (a.negative) return row.fail(kBadArgument, "cannot take square root of a negative number"), x;
  return kept(row, square_root(a));
}
Numeric exp_of(Row& row, Numeric x) {
  return kept(row, exponential(decimal_from(x.value)));
}
bool has_logarithm(Row& row, const Decimal& a) {
  if (a.digits.empty())
    row.fail(kBadArgument, "cannot take logarithm of zero");
  else if (a.negative)
    row.fail(kBadArgument, "cannot take logarithm of a negative number");
  else
    return true;
  return false;
}
Numeric ln_of(Row& row, Numeric x) {
  const Decimal a = decimal_from(x.value);
  return has_logarithm(row, a) ? kept(row, natural_logarithm(a)) : x;
}
Numeric logarithm_of(Row& row, const Decimal& base, Numeric x) {
  const Decimal a = decimal_from(x.value);
  if (!has_logarithm(row, base) || !has_logarithm(row, a)) return x;
  if (base == decimal_of(int64_t{1})) return row.fail("MR-SQL-0101", "division by zero"), x;
  return kept(row, logarithm(base, a));
}
Numeric log_of(Row& row, Numeric base, Numeric x) {
  return logarithm_of(row, decimal_from(base.value), x);
}
Numeric log10_of(Row& row, Numeric x) {
  return logarithm_of(row, decimal_of(int64_t{10}), x);
}

Numeric to_precision(Row& row, Numeric x, int64_t precision, int64_t scale) {
  if (precision < 1 || precision > kMaxDecimalDigits || scale < 0 || scale > precision)
    return row.fail(kBadArgument, "there is no such precision and scale"), x;
  const Decimal given = decimal_from(x.value);
  const Decimal a = rounded(given, static_cast<int>(scale));
  const bool there = fits(a, static_cast<int>(precision), static_cast<int>(scale));
  if (there) return a == given ? x : kept(row, a);
  row.fail(kIntegerOutOfRange, "numeric field overflow: at most " + std::to_string(precision - scale) +
                                   " digits may stand before the point");
  return x;
}

}  // namespace

Signature numeric_abs() {
  return call<abs_of>();
}
Signature numeric_sign() {
  return call<sign_of>();
}
std::vector<Signature> numeric_round() {
  return {call<cut<rounded>>(), call<cut_at<rounded>>()};
}
std::vector<Signature> numeric_trunc() {
  return {call<cut<truncated>>(), call<cut_at<truncated>>()};
}
Signature numeric_ceil() {
  return call<towards<true>>();
}
Signature numeric_floor() {
  return call<towards<false>>();
}
Signature numeric_mod() {
  return call<mod>();
}
Signature numeric_power() {
  return call<power_of>();
}
Signature numeric_sqrt() {
  return call<sqrt_of>();
}
Signature numeric_exp() {
  return call<exp_of>();
}
Signature numeric_ln() {
  return call<ln_of>();
}
std::vector<Signature> numeric_log() {
  return {call<log10_of>(), call<log_of>()};
}
Signature numeric_log10() {
  return call<log10_of>();
}
Signature numeric_precision() {
  return call<to_precision>();
}

}  // namespace millrace::engine
