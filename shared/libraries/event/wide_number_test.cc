#include "event/wide_number.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace millrace {
namespace {

std::string random_digits(Random& random, size_t most) {
  std::string out;
  const bool round =
      random.chance(3);  // groups of zeros and nines: where a quotient's digit is guessed wrong
  for (uint64_t left = random.below(most); left > 0; --left)
    out += round ? (random.chance(30)  ? '1'
                    : random.chance(2) ? '9'
                                       : '0')
                 : static_cast<char>('0' + random.below(10));
  out.erase(0, std::min(out.find_first_not_of('0'), out.size()));
  return out;
}

TEST(WideNumber, HasItsDigits) {
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const std::string digits = random_digits(random, 100);
    EXPECT_EQ(WideNumber::of_digits(digits).digits(), digits);
  }
  EXPECT_EQ(WideNumber(12'345'678'901'234'567'890u).digits(), "12345678901234567890");
  EXPECT_TRUE(WideNumber(0).is_zero());
}

// a = q * b + r, r below b; and the operations undo each other.
TEST(WideNumber, Computes) {
  Random random(2);
  for (int i = 0; i < 3'000; ++i) {
    const WideNumber a = WideNumber::of_digits(random_digits(random, 200));
    const WideNumber b = WideNumber::of_digits(random_digits(random, 120));
    if (b.is_zero()) continue;
    const WideNumber q = a / b;
    WideNumber rest = a;
    ASSERT_GE(a.compare(q * b), 0);
    rest -= q * b;
    ASSERT_LT(rest.compare(b), 0) << a.digits() << " / " << b.digits();
    WideNumber back = q * b;
    back += rest;
    ASSERT_EQ(back.digits(), a.digits());
    WideNumber small = a;
    small *= 999'999'937;
    EXPECT_EQ(small.digits(), (a * WideNumber(999'999'937)).digits());
    small /= 999'999'937;
    EXPECT_EQ(small.digits(), a.digits());
    small.shift_up(3);
    EXPECT_EQ(small.digits(), a.is_zero() ? "" : a.digits() + std::string(27, '0'));
    small.shift_down(4);
    EXPECT_EQ(small.digits(), (a / WideNumber(WideNumber::kBase)).digits());
  }
}

}  // namespace
}  // namespace millrace
