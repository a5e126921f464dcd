#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace millrace {
namespace {

uint32_t bitwise(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
  }
  return ~crc;
}

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c(0, "123456789"), 0xE3069283u);            // the catalogue's check value
  EXPECT_EQ(crc32c(0, std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720, B.4
}

TEST(Crc32c, AgreesWithTheBitwiseDefinitionAtEveryLengthAndSplit) {
  Random random(7);
  std::string bytes(10'000, '\0');
  for (auto& b : bytes) b = static_cast<char>(random.next());
  for (size_t n : {0u, 1u, 7u, 8u, 3071u, 3072u, 3073u, 6144u, 9999u, 10'000u}) {
    const auto view = std::string_view(bytes).substr(0, n);
    EXPECT_EQ(crc32c(0, view), bitwise(view)) << n;
    const size_t split = n / 3;
    EXPECT_EQ(crc32c(crc32c(0, view.substr(0, split)), view.substr(split)), bitwise(view)) << n;
  }
}

}  // namespace
}  // namespace millrace
