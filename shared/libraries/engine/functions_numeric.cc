// Functions of numeric. They stand with those of the other numbers in the table (functions_number.cc).
#include "engine/functions_numeric.h"

#include "event/decimal.h"

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
Signature numeric_precision() {
  return call<to_precision>();
}

}  // namespace millrace::engine
