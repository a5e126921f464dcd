// What accumulator.cc and accumulator_answer.cc have in common. Private to those two.
#pragma once

#include "engine/accumulator.h"

namespace millrace::engine {

// Counts never get near the edge; a made-up payload's may, and then only the sum is wrong.
inline int64_t add_counts(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline bool fits_bigint(__int128 v) {
  return v >= INT64_MIN && v <= INT64_MAX;
}
inline Squares load_squares(const char* p) {
  Squares squares;
  std::memcpy(squares.words.data(), p, sizeof squares.words);
  return squares;
}
inline void store_squares(char* p, const Squares& squares) {
  std::memcpy(p, squares.words.data(), sizeof squares.words);
}
// Sums of numeric are whole numbers of 10^-kNumericSumScale.
inline constexpr __int128 kMostNumericSum =
    static_cast<__int128>(10'000'000'000'000'000'000U) * 10'000'000'000'000'000'000U;

}  // namespace millrace::engine
