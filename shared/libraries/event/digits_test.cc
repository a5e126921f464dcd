#include "event/digits.h"

#include <gtest/gtest.h>

#include <charconv>
#include <limits>
#include <string>

#include "base/random.h"
#include "event/text.h"
#include "event/type.h"

namespace millrace {
namespace {

void expect_as_printed(int64_t value) {
  char buffer[kIntegerBytes];
  EXPECT_EQ(std::string(buffer, put_integer(buffer, value)), std::to_string(value));
}

TEST(Digits, EveryLength) {
  for (const int64_t edge :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), int64_t{0}})
    expect_as_printed(edge);
  for (uint64_t power = 1; power < 10'000'000'000'000'000'000u; power *= 10) {
    for (const int64_t value : {-1, 0, 1}) {
      expect_as_printed(static_cast<int64_t>(power) + value);
      expect_as_printed(-static_cast<int64_t>(power) - value);
    }
    if (power == 1'000'000'000'000'000'000u) break;
  }
  Random random(5);
  for (int i = 0; i < 20'000; ++i) expect_as_printed(static_cast<int64_t>(random.next() >> random.below(64)));
}

// The shortest text, however it was found.
TEST(Digits, DoublesOfFewDecimals) {
  Random random(6);
  for (int i = 0; i < 100'000; ++i) {
    double value = static_cast<double>(random.next() >> (11 + random.below(50)));
    static constexpr double kScales[] = {1, 10, 1e3, 1e5, 1e6, 1e7, 1e9, 3};
    value /= kScales[random.below(std::size(kScales))];
    if (random.chance(4)) value = 0.908 * value;
    if (value != 0 && (value < 1e-4 || value >= 1e15)) continue;  // with an exponent
    char expected[64];
    const auto end = std::to_chars(expected, expected + sizeof expected, value, std::chars_format::fixed).ptr;
    char text[kDoubleBytes];
    ASSERT_EQ(std::string(text, put_double(text, value)), std::string(expected, end));
  }
}

TEST(Digits, TimesOfDay) {
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    static constexpr int64_t kUnits[] = {1, 10, 1000, 100'000, 1'000'000, 60'000'000};
    const int64_t unit = kUnits[random.below(std::size(kUnits))];
    const int64_t micros = static_cast<int64_t>(random.below(kMicrosPerDay + 1)) / unit * unit;
    std::string text;
    append_time(text, micros);
    ASSERT_EQ(*parse_time(text), micros) << text;
    EXPECT_TRUE(text.size() == 8 || text.back() != '0') << text;
  }
}

}  // namespace
}  // namespace millrace
