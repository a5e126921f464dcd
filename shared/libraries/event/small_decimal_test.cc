#include "event/small_decimal.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "event/decimal.h"

namespace millrace {
namespace {

std::string text(const std::optional<Decimal>& value) {
  std::string out;
  if (value) append_decimal(out, *value);
  return out;
}
std::string text(std::string_view bytes) {
  return bytes.empty() ? std::string("not small") : text(decimal_from(bytes));
}
std::string bytes_of(std::string_view text) {
  return decimal_bytes(*read_decimal(text));
}

std::string random_number(Random& random) {
  std::string out = random.chance(2) ? "-" : "";
  for (size_t digits = random.below(22) + 1; digits > 0; --digits)
    out += static_cast<char>('0' + static_cast<int>(random.below(10)));
  if (random.chance(2)) out += "e" + std::to_string(static_cast<int>(random.below(50)) - 25);
  return out;
}

TEST(SmallDecimal, IsWhatTheBytesSay) {
  for (const char* number : {"0", "1", "-1", "1.5", "-0.05", "123456789012345678", "1e30", "-2.5e-9"}) {
    const auto small = small_decimal(bytes_of(number));
    ASSERT_TRUE(small) << number;
    EXPECT_EQ(text(decimal_of(__int128{small->value}, small->scale)), text(read_decimal(number)));
  }
  EXPECT_FALSE(small_decimal(bytes_of("1234567890123456789")));
  EXPECT_FALSE(small_decimal(bytes_of("1e250")));
}

TEST(SmallDecimal, ComputesWhatADecimalDoes) {
  Random random(1);
  size_t small = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Decimal x = *read_decimal(random_number(random));
    const Decimal y = *read_decimal(random_number(random));
    const std::string a = decimal_bytes(x);
    const std::string b = decimal_bytes(y);
    const auto of_x = small_decimal(a);
    const auto of_y = small_decimal(b);
    const auto same = [&](auto operation, const std::optional<Decimal>& expected) {
      DecimalBuffer buffer;
      const std::string_view answer = of_x && of_y ? operation(*of_x, *of_y, buffer) : std::string_view();
      if (answer.empty()) return;
      ++small;
      EXPECT_EQ(answer, decimal_bytes(*expected)) << text(x) << " and " << text(y);
    };
    using Small = std::string_view (*)(SmallDecimal, SmallDecimal, DecimalBuffer&);
    same(static_cast<Small>(add), add(x, y));
    same(static_cast<Small>(subtract), subtract(x, y));
    same(static_cast<Small>(multiply), multiply(x, y));
    if (!y.digits.empty()) same(static_cast<Small>(divide), divide(x, y));
    const auto as_double = of_x ? double_of(*of_x) : std::nullopt;
    if (as_double) {
      EXPECT_EQ(*as_double, std::stod(text(x)));
    }
    const auto whole = of_x ? scaled(*of_x, 12) : std::nullopt;
    if (whole) {
      EXPECT_EQ(*whole, scaled(x, 12));
    }
  }
  EXPECT_GT(small, 10'000u);
}

TEST(SmallDecimal, RefusesWhatDoesNotFit) {
  DecimalBuffer buffer;
  const auto small = [](std::string_view number) { return *small_decimal(bytes_of(number)); };
  EXPECT_EQ(text(add(small("1e18"), small("1"), buffer)), "1000000000000000001");
  EXPECT_EQ(text(add(small("1e19"), small("1"), buffer)), "not small");
  EXPECT_EQ(text(add({INT64_MIN, 0}, {INT64_MIN, 0}, buffer)), "-18446744073709551616");
  EXPECT_EQ(text(multiply({INT64_MIN, 0}, {INT64_MIN, 0}, buffer)), "85070591730234615865843651857942052864");
  EXPECT_EQ(text(multiply(small("999999999999999999"), small("-999999999999999999"), buffer)),
            "-999999999999999998000000000000000001");
  EXPECT_EQ(text(subtract(small("1.5"), small("1.5"), buffer)), "0");
}

}  // namespace
}  // namespace millrace
