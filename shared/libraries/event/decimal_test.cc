#include "event/decimal.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace millrace {
namespace {

Decimal dec(std::string_view text) {
  const auto value = read_decimal(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Decimal());
}
std::string text(const std::optional<Decimal>& value) {
  if (!value) return "out of range";
  std::string out;
  append_decimal(out, *value);
  return out;
}

TEST(Decimal, OneTextANumber) {
  const std::pair<const char*, const char*> kTexts[] = {
      {"0", "0"},         {"-0.00", "0"},     {"1.50", "1.5"},        {"+1", "1"},
      {".5", "0.5"},      {"5.", "5"},        {"-.05", "-0.05"},      {"1e3", "1000"},
      {"1.25E1", "12.5"}, {"12e-3", "0.012"}, {"00012.3400", "12.34"}};
  for (const auto& [from, to] : kTexts) EXPECT_EQ(text(dec(from)), to);
  for (const char* bad : {"", ".", "-", "1e", "e1", "1.2.3", "x", "1e+-2", "NaN", "1e5000"})
    EXPECT_FALSE(read_decimal(bad)) << bad;
  EXPECT_TRUE(read_decimal("1e999"));
  EXPECT_FALSE(read_decimal("1e1000"));
  EXPECT_FALSE(read_decimal("1e-1001"));
}

TEST(Decimal, DividesToPostgresScale) {
  EXPECT_EQ(text(divide(dec("1"), dec("3"))), "0.33333333333333333333");
  EXPECT_EQ(text(divide(dec("2"), dec("3"))), "0.66666666666666666667");
  EXPECT_EQ(text(divide(dec("10"), dec("4"))), "2.5");
  EXPECT_EQ(text(divide(dec("-7"), dec("0.3"))), "-23.3333333333333333");
  EXPECT_EQ(text(remainder(dec("-7.5"), dec("2"))), "-1.5");
}

TEST(Decimal, RoundsHalvesAwayFromZero) {
  EXPECT_EQ(text(rounded(dec("2.5"), 0)), "3");
  EXPECT_EQ(text(rounded(dec("-2.5"), 0)), "-3");
  EXPECT_EQ(text(rounded(dec("0.5"), 0)), "1");
  EXPECT_EQ(text(rounded(dec("0.49"), 0)), "0");
  EXPECT_EQ(text(rounded(dec("99.995"), 2)), "100");
  EXPECT_EQ(text(rounded(dec("1250"), -2)), "1300");
  EXPECT_EQ(text(rounded(dec("4"), -3)), "0");
  EXPECT_EQ(text(truncated(dec("-2.99"), 1)), "-2.9");
}

TEST(Decimal, IsBounded) {
  const Decimal large = dec("1" + std::string(900, '0'));
  EXPECT_FALSE(multiply(large, large));
  EXPECT_TRUE(add(large, large));
  EXPECT_FALSE(bigint_of(dec("9223372036854775808")));
  EXPECT_EQ(bigint_of(dec("-9223372036854775808")), INT64_MIN);
  EXPECT_FALSE(scaled(dec("0.001"), 2));
}

// Against 128-bit whole numbers of thousandths.
TEST(Decimal, AgreesWithWholeNumbers) {
  Random random(3);
  for (int round = 0; round < 20'000; ++round) {
    const auto draw = [&] {
      const auto size = static_cast<int64_t>(1) << random.below(40);
      return static_cast<int64_t>(random.below(static_cast<uint64_t>(size))) * (random.chance(2) ? 1 : -1);
    };
    const int64_t x = draw();
    const int64_t y = draw();
    const Decimal a = decimal_of(static_cast<__int128>(x), 3);
    const Decimal b = decimal_of(static_cast<__int128>(y), 3);
    ASSERT_EQ(add(a, b), decimal_of(static_cast<__int128>(x) + y, 3));
    ASSERT_EQ(subtract(a, b), decimal_of(static_cast<__int128>(x) - y, 3));
    ASSERT_EQ(multiply(a, b), decimal_of(static_cast<__int128>(x) * y, 6));
    if (y != 0) {
      ASSERT_EQ(remainder(a, b), decimal_of(static_cast<__int128>(x % y), 3));
    }
    ASSERT_EQ(decimal_bytes(a) < decimal_bytes(b), x < y) << x << " " << y;
    ASSERT_EQ(decimal_from(decimal_bytes(a)), a);
    ASSERT_EQ(scaled(a, 3), static_cast<__int128>(x));
  }
}

}  // namespace
}  // namespace millrace
