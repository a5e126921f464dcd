#include "base/crc32c.h"

#include <nmmintrin.h>

#include <array>

#include "base/bytes.h"

namespace millrace {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected
constexpr size_t kLane = 1024;                // bytes a lane takes in one round

// Advances a CRC register over n zero bytes, by squaring the one-byte step as a matrix over GF(2).
using Matrix = std::array<uint32_t, 32>;
constexpr uint32_t times(const Matrix& m, uint32_t v) {
  uint32_t sum = 0;
  for (int i = 0; v != 0; v >>= 1, ++i) {
    if (v & 1) sum ^= m[static_cast<size_t>(i)];
  }
  return sum;
}
constexpr Matrix squared(const Matrix& m) {
  Matrix r{};
  for (size_t i = 0; i < 32; ++i) r[i] = times(m, m[i]);
  return r;
}
constexpr Matrix zeros_operator(size_t n_bytes) {  // n_bytes a power of two
  Matrix m{};
  m[0] = kPolynomial;  // one zero bit
  for (size_t i = 1; i < 32; ++i) m[i] = 1u << (i - 1);
  for (size_t bits = 1; bits < n_bytes * 8; bits *= 2) m = squared(m);
  return m;
}
using Tables = std::array<std::array<uint32_t, 256>, 4>;
constexpr Tables tables_of(const Matrix& m) {
  Tables t{};
  for (uint32_t b = 0; b < 256; ++b) {
    for (uint32_t k = 0; k < 4; ++k) t[k][b] = times(m, b << (8 * k));
  }
  return t;
}
const Tables kOneLane = tables_of(zeros_operator(kLane));
const Tables kTwoLanes = tables_of(zeros_operator(2 * kLane));

uint32_t shift(const Tables& t, uint32_t crc) {
  return t[0][crc & 0xFF] ^ t[1][(crc >> 8) & 0xFF] ^ t[2][(crc >> 16) & 0xFF] ^ t[3][crc >> 24];
}

}  // namespace

uint32_t crc32c(uint32_t crc, std::string_view bytes) {
  uint64_t a = ~crc;
  const char* p = bytes.data();
  size_t n = bytes.size();
  while (n >= 3 * kLane) {
    uint64_t b = 0;
    uint64_t c = 0;
    for (const char* end = p + kLane; p < end; p += 8) {
      a = _mm_crc32_u64(a, load_le<uint64_t>(p));
      b = _mm_crc32_u64(b, load_le<uint64_t>(p + kLane));
      c = _mm_crc32_u64(c, load_le<uint64_t>(p + 2 * kLane));
    }
    a = shift(kTwoLanes, static_cast<uint32_t>(a)) ^ shift(kOneLane, static_cast<uint32_t>(b)) ^ c;
    p += 2 * kLane;
    n -= 3 * kLane;
  }
  for (; n >= 8; n -= 8, p += 8) a = _mm_crc32_u64(a, load_le<uint64_t>(p));
  auto tail = static_cast<uint32_t>(a);
  for (; n > 0; --n, ++p) tail = _mm_crc32_u8(tail, static_cast<uint8_t>(*p));
  return ~tail;
}

}  // namespace millrace
