#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <atomic>
#include <random>

namespace millrace {
namespace {

std::atomic<uint64_t>& hash_seed() {
  static std::atomic<uint64_t> seed = [] {
    std::random_device device;
    return (uint64_t{device()} << 32) | device();
  }();
  return seed;
}

}  // namespace

uint64_t stable_hash(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}
uint64_t seeded_hash(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
uint64_t process_hash_seed() {
  return hash_seed().load(std::memory_order_relaxed);
}
void set_process_hash_seed(uint64_t seed) {
  hash_seed().store(seed, std::memory_order_relaxed);
}

}  // namespace millrace
