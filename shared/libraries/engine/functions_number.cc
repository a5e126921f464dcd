// Functions of numbers, with PostgreSQL's errors where an answer does not exist or has no place in a double.
#include <cmath>
#include <numbers>

#include "engine/call_kernel.h"
#include "engine/functions_numeric.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

constexpr const char* kOutOfRange = "value out of range for double precision";

double fail(Row& row, const char* message) {
  row.fail(kBadArgument, message);
  return 0;
}
double checked(Row& row, double result, bool overflowed, bool underflowed) {
  if (overflowed || underflowed) row.fail(kDoubleOutOfRange, kOutOfRange);
  return result;
}

template <Type kType>
using Whole = Tagged<kType, int64_t>;
template <Type kType>
Whole<kType> abs_of(Row& row, Whole<kType> x) {
  if (x.value >= 0) return x;
  if (x.value != range_of(kType).least) return {-x.value};
  row.fail(kIntegerOutOfRange, std::string(to_string(kType)) + " out of range");
  return x;
}
double abs_of_double(double x) {
  return std::fabs(x);
}
Real abs_of_real(Real x) {
  return {std::fabs(x.value)};
}
double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}
// Halves go to the even neighbour (the processor's rounding mode, which nobody changes).
double round_of(double x) {
  return std::rint(x);
}
template <double (*kFunction)(double)>
double plain(double x) {
  return kFunction(x);
}
template <Type kType>
Whole<kType> mod(Row& row, Whole<kType> a, Whole<kType> b) {
  if (b.value == 0) row.fail("MR-SQL-0101", "division by zero");
  return {b.value == 0 || b.value == -1 ? 0 : a.value % b.value};
}

double sqrt_of(Row& row, double x) {
  return x < 0 ? fail(row, "cannot take square root of a negative number") : std::sqrt(x);
}
double exp_of(Row& row, double x) {
  const double r = std::exp(x);
  return checked(row, r, std::isinf(r) && !std::isinf(x), r == 0 && !std::isinf(x));
}
template <double (*kLogarithm)(double)>
double logarithm(Row& row, double x) {
  if (x == 0) return fail(row, "cannot take logarithm of zero");
  if (x < 0) return fail(row, "cannot take logarithm of a negative number");
  return kLogarithm(x);
}

double power(Row& row, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::pow(a, b);
  if (a == 0 && b < 0) return fail(row, "zero raised to a negative power is undefined");
  if (a < 0 && std::isfinite(b) && std::floor(b) != b)
    return fail(row, "a negative number raised to a non-integer power yields a complex result");
  const double r = std::pow(a, b);
  if (std::isinf(a) || std::isinf(b)) return r;
  return checked(row, r, std::isinf(r), r == 0 && a != 0);
}

double degrees(Row& row, double x) {
  const double r = x / (std::numbers::pi / 180.0);
  return checked(row, r, std::isinf(r) && !std::isinf(x), r == 0 && x != 0);
}
double radians(Row& row, double x) {
  const double r = x * (std::numbers::pi / 180.0);
  return checked(row, r, false, r == 0 && x != 0);
}
double pi() {
  return std::numbers::pi;
}

constexpr const char* kInput = "input is out of range";
template <double (*kFunction)(double)>
double of_angle(Row& row, double x) {
  return std::isinf(x) ? fail(row, kInput) : kFunction(x);
}
template <double (*kFunction)(double)>
double of_unit(Row& row, double x) {
  return x < -1 || x > 1 ? fail(row, kInput) : kFunction(x);
}
double atan2_of(double y, double x) {
  return std::atan2(y, x);
}

// The bucket from 1 to count that holds x, 0 below the first and count + 1 above the last; bounds may
// descend.
int64_t width_bucket(Row& row, double x, double low, double high, int64_t count) {
  const auto refuse = [&](const char* message) { return row.fail(kBadArgument, message), int64_t{0}; };
  if (count <= 0 || count > INT32_MAX) return refuse("count must be greater than zero, and an integer");
  if (std::isnan(x) || std::isnan(low) || std::isnan(high))
    return refuse("operand, lower bound, and upper bound cannot be NaN");
  if (std::isinf(low) || std::isinf(high)) return refuse("lower and upper bounds must be finite");
  if (low == high) return refuse("lower bound cannot equal upper bound");
  const bool down = low > high;
  if (down ? x > low : x < low) return 0;
  if (down ? x <= high : x >= high) return count + 1;
  // Halved where the range itself is not a double.
  const bool wide = std::isinf(high - low);
  const double part = wide ? (x / 2 - low / 2) / (high / 2 - low / 2) : (x - low) / (high - low);
  return std::min(static_cast<int64_t>(static_cast<double>(count) * part) + 1, count);
}

std::vector<Signature> with(std::vector<Signature> some, const std::vector<Signature>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

}  // namespace

FunctionFamily number_functions() {
  return {
      "Numbers",
      {
          {"abs",
           "Without its sign",
           {call<abs_of<Type::kSmallint>>(), call<abs_of<Type::kInteger>>(), call<abs_of<Type::kBigint>>(),
            numeric_abs(), call<abs_of_real>(), call<abs_of_double>()},
           {{"abs(-17)", "17"}, {"abs(-1.5)", "1.5"}}},
          {"sign", "-1, 0 or 1", {call<sign>(), numeric_sign()}, {{"sign(-8.4)", "-1"}}},
          {"ceil",
           "The nearest whole number not below",
           {call<plain<std::ceil>>(), numeric_ceil()},
           {{"ceil(-42.8)", "-42"}}},
          {"ceiling",
           "The nearest whole number not below",
           {call<plain<std::ceil>>(), numeric_ceil()},
           {{"ceiling(42.2)", "43"}}},
          {"floor",
           "The nearest whole number not above",
           {call<plain<std::floor>>(), numeric_floor()},
           {{"floor(-42.8)", "-43"}}},
          {"round",
           "The nearest whole number, of a numeric also to so many digits; halves go to the even one, of a "
           "numeric away from zero",
           with({call<round_of>()}, numeric_round()),
           {{"round(42.4)", "42"},
            {"round(2.5)", "3"},
            {"round(2.5::float8)", "2"},
            {"round(2.345, 2)", "2.35"}}},
          {"trunc",
           "Without its fraction, of a numeric also behind so many digits",
           with({call<plain<std::trunc>>()}, numeric_trunc()),
           {{"trunc(-42.8)", "-42"}}},
          {"truncate",
           "As in Flink: `trunc`",
           with({call<plain<std::trunc>>()}, numeric_trunc()),
           {{"truncate(42.345, 2)", "42.34"}}},
          {"mod",
           "The remainder, with the first number's sign",
           {call<mod<Type::kSmallint>>(), call<mod<Type::kInteger>>(), call<mod<Type::kBigint>>(),
            numeric_mod()},
           {{"mod(-9, 4)", "-1"}, {"mod(1, 0)", "MR-SQL-0101"}}},
          {"to_precision",
           "Rounded to so many digits behind the point, with so many in all, as `CAST(x AS NUMERIC(p, s))` "
           "does; of a time to so many digits of a second, as `CAST(x AS TIMESTAMP(p))` does",
           with({numeric_precision()}, time_precision()),
           {{"to_precision(12.345, 4, 2)", "12.35"},
            {"123.4::numeric(4, 2)", "MR-SQL-0102"},
            {"'10:20:30.5678'::time(2)", "10:20:30.57"}}},
          {"power",
           "The first number to the power of the second",
           {call<power>(), numeric_power()},
           {{"power(9, 3)", "729"},
            {"power(2, 0.5)", "1.414213562373095"},
            {"power(-8, 0.5)", "MR-SQL-0120"}}},
          {"pow", "The same", {call<power>(), numeric_power()}, {{"pow(2, -1)", "0.5"}}},
          {"sqrt",
           "The square root",
           {call<sqrt_of>(), numeric_sqrt()},
           {{"sqrt(2)", "1.4142135623730951"},
            {"sqrt(2.0)", "1.414213562373095"},
            {"sqrt(-1)", "MR-SQL-0120"}}},
          {"cbrt", "The cube root", {call<plain<std::cbrt>>()}, {{"cbrt(8)", "2"}}},
          {"exp",
           "e to the power of the number",
           {call<exp_of>(), numeric_exp()},
           {{"exp(1)", "2.718281828459045"},
            {"exp(1.0)", "2.7182818284590452"},
            {"exp(1000)", "MR-SQL-0103"}}},
          {"ln",
           "The natural logarithm",
           {call<logarithm<std::log>>(), numeric_ln()},
           {{"ln(1)", "0"}, {"ln(2.0)", "0.6931471805599453"}, {"ln(0)", "MR-SQL-0120"}}},
          {"log",
           "The logarithm to base 10; of two numbers that of the second to the base of the first",
           with({call<logarithm<std::log10>>()}, numeric_log()),
           {{"log(100)", "2"}, {"log(2.0, 64.0)", "6"}, {"log(1, 5)", "MR-SQL-0101"}}},
          {"log10",
           "The logarithm to base 10",
           {call<logarithm<std::log10>>(), numeric_log10()},
           {{"log10(1000)", "3"}}},
          {"pi", "π", {call<pi>()}, {{"pi()", "3.141592653589793"}}},
          {"degrees", "Radians in degrees", {call<degrees>()}, {{"degrees(pi())", "180"}}},
          {"radians", "Degrees in radians", {call<radians>()}, {{"radians(180)", "3.141592653589793"}}},
          {"sin", "The sine", {call<of_angle<std::sin>>()}, {{"sin(0)", "0"}}},
          {"cos", "The cosine", {call<of_angle<std::cos>>()}, {{"cos(0)", "1"}}},
          {"tan", "The tangent", {call<of_angle<std::tan>>()}, {{"tan(0)", "0"}}},
          {"asin", "The arc sine", {call<of_unit<std::asin>>()}, {{"asin(1)", "1.5707963267948966"}}},
          {"acos", "The arc cosine", {call<of_unit<std::acos>>()}, {{"acos(2)", "MR-SQL-0120"}}},
          {"atan", "The arc tangent", {call<plain<std::atan>>()}, {{"atan(0)", "0"}}},
          {"atan2",
           "The arc tangent of the first number over the second",
           {call<atan2_of>()},
           {{"atan2(1, 0)", "1.5707963267948966"}}},
          {"width_bucket",
           "Which of so many equal buckets between two bounds holds the number; 0 is below, the count + "
           "1 above",
           {call<width_bucket>()},
           {{"width_bucket(5.35, 0.024, 10.06, 5)", "3"}}},
      }};
}

}  // namespace millrace::engine
