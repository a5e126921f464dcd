// Random: a small seeded generator, passed in where chance is wanted. Same seed, same numbers, on every
// machine. Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014
// (SplitMix64).
#pragma once

#include <cstdint>

namespace millrace {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound); bound > 0. The bias of the multiply-shift is below 2^-32 for the bounds used here.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  bool chance(uint32_t one_in) { return below(one_in) == 0; }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  Random fork() { return Random(next()); }

 private:
  uint64_t state_;
};

}  // namespace millrace
