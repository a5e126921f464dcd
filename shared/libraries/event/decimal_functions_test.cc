#include "event/decimal_functions.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

Decimal dec(std::string_view text) {
  return read_decimal(text).value();
}
std::string text(const std::optional<Decimal>& value) {
  if (!value) return "out of range";
  std::string out;
  append_decimal(out, *value);
  return out;
}

// PostgreSQL 15's answers, without needless zeros.
TEST(DecimalFunctions, HavePostgresDigits) {
  EXPECT_EQ(text(square_root(dec("2"))), "1.414213562373095");
  EXPECT_EQ(text(square_root(dec("1e-20"))), "0.0000000001");
  EXPECT_EQ(text(exponential(dec("1"))), "2.7182818284590452");
  EXPECT_EQ(text(exponential(dec("-30.5"))), "0.00000000000005675685232632722");
  EXPECT_EQ(text(natural_logarithm(dec("2"))), "0.6931471805599453");
  EXPECT_EQ(text(natural_logarithm(dec("1.0000000001"))), "0.000000000099999999995");
  EXPECT_EQ(text(logarithm(dec("2"), dec("64"))), "6");
  EXPECT_EQ(text(power(dec("2"), dec("0.5"))), "1.414213562373095");
  EXPECT_EQ(text(power(dec("-2"), dec("3"))), "-8");
  EXPECT_EQ(text(power(dec("2"), dec("-3"))), "0.125");
  EXPECT_EQ(text(power(dec("1.1"), dec("33"))), "23.2251544198878081");
  EXPECT_EQ(text(power(dec("556.821"), dec("-9"))), "0");
  EXPECT_EQ(text(power(dec("0"), dec("0"))), "1");
}

TEST(DecimalFunctions, AreBounded) {
  EXPECT_EQ(text(power(dec("10"), dec("100000"))), "out of range");
  EXPECT_EQ(text(power(dec("10"), dec("1e300"))), "out of range");
  EXPECT_EQ(text(power(dec("10"), dec("-1e300"))), "0");
  EXPECT_EQ(text(power(dec("10"), dec("-2147483648"))), "0");
  EXPECT_EQ(text(exponential(dec("1e9"))), "out of range");
  EXPECT_EQ(text(exponential(dec("-1e900"))), "0");
  const Decimal just_above_one = dec("1." + std::string(998, '0') + "1");
  EXPECT_EQ(text(power(just_above_one, dec("2"))), "1." + std::string(998, '0') + "2");
  EXPECT_EQ(text(logarithm(just_above_one, dec("1e900"))), "out of range");
  EXPECT_EQ(text(natural_logarithm(just_above_one)).size(), 1'001u);
}

}  // namespace
}  // namespace millrace
