#include "base/result.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return error(Code::kInvalid, "MR-TEST-0001", "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  TRY_ASSIGN(const int h, half(n));
  return half(h);
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(*quarter(8), 2);
  ASSERT_FALSE(quarter(6).ok());
  EXPECT_EQ(quarter(6).error().id, "MR-TEST-0001");
  EXPECT_EQ(quarter(6).error().to_string(), "MR-TEST-0001: odd");
}

TEST(Result, RetryIsAPropertyOfTheCode) {
  EXPECT_TRUE(retryable(Code::kExhausted));
  EXPECT_FALSE(retryable(Code::kInvalid));
}

}  // namespace
}  // namespace millrace
