// Functions of whole numbers, and of a numeric's digits.
#include <numeric>

#include "engine/call_kernel.h"
#include "event/decimal.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

template <Type kType>
using Whole = Tagged<kType, int64_t>;

uint64_t magnitude(int64_t x) {
  return x < 0 ? -static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
}

template <Type kType>
Whole<kType> within(Row& row, __int128 value) {
  if (value <= range_of(kType).greatest) return {static_cast<int64_t>(value)};
  row.fail(kIntegerOutOfRange, std::string(to_string(kType)) + " out of range");
  return {};
}
template <Type kType>
Whole<kType> gcd(Row& row, Whole<kType> a, Whole<kType> b) {
  return within<kType>(row, std::gcd(magnitude(a.value), magnitude(b.value)));
}
template <Type kType>
Whole<kType> lcm(Row& row, Whole<kType> a, Whole<kType> b) {
  if (a.value == 0 || b.value == 0) return {};
  const uint64_t first = magnitude(a.value);
  const uint64_t second = magnitude(b.value);
  const auto product = static_cast<unsigned __int128>(first / std::gcd(first, second)) * second;
  return within<kType>(row, static_cast<__int128>(product));
}

Numeric kept(Row& row, const std::optional<Decimal>& answer) {
  if (answer) return {row.keep(decimal_bytes(*answer))};
  row.fail(kIntegerOutOfRange, "numeric out of range");
  return {};
}
Numeric factorial(Row& row, int64_t n) {
  if (n < 0) return row.fail(kIntegerOutOfRange, "factorial of a negative number is undefined"), Numeric{};
  std::optional<Decimal> answer = decimal_of(int64_t{1});
  for (int64_t i = 2; i <= n && answer; ++i) answer = multiply(*answer, decimal_of(i));
  return kept(row, answer);
}
// The whole part of a quotient: what the remainder leaves, divided, leaves no fraction.
Numeric div(Row& row, Numeric a, Numeric b) {
  const Decimal dividend = decimal_from(a.value);
  const Decimal divisor = decimal_from(b.value);
  if (divisor.digits.empty()) return row.fail("MR-SQL-0101", "division by zero"), Numeric{};
  const auto left = remainder(dividend, divisor);
  const auto whole = left ? subtract(dividend, *left) : std::nullopt;
  return kept(row, whole ? divide(*whole, divisor) : std::nullopt);
}
Integer min_scale(Numeric x) {
  return {decimal_from(x.value).scale()};
}
Numeric trim_scale(Numeric x) {
  return x;
}

}  // namespace

FunctionFamily whole_functions() {
  return {"Whole numbers and digits",
          {
              {"gcd",
               "The greatest common divisor",
               {call<gcd<Type::kInteger>>(), call<gcd<Type::kBigint>>()},
               {{"gcd(1071, 462)", "21"}}},
              {"lcm",
               "The least common multiple",
               {call<lcm<Type::kInteger>>(), call<lcm<Type::kBigint>>()},
               {{"lcm(1071, 462)", "23562"}}},
              {"factorial",
               "The product of the numbers up to this one, of at most 1,000 digits",
               {call<factorial>()},
               {{"factorial(5)", "120"}, {"factorial(-1)", "MR-SQL-0102"}}},
              {"div",
               "The quotient without its fraction",
               {call<div>()},
               {{"div(9, 4)", "2"}, {"div(-7.5, 2)", "-3"}, {"div(1, 0)", "MR-SQL-0101"}}},
              {"min_scale",
               "How many digits behind the point the number needs",
               {call<min_scale>()},
               {{"min_scale(8.4100)", "2"}}},
              {"trim_scale",
               "Without zeros at its end, which no number here has",
               {call<trim_scale>()},
               {{"trim_scale(8.4100)", "8.41"}}},
          }};
}

}  // namespace millrace::engine
