// The two hashes of the platform.
//
// stable_hash part of the data: partition and key group follow from it, so it never changes (XXH3-64, seed
//             0).
// seeded_hash for in-memory tables that a client's bytes reach: seeded per process, never stored.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

uint64_t stable_hash(std::string_view bytes);
uint64_t seeded_hash(std::string_view bytes, uint64_t seed);
uint64_t process_hash_seed();
// Where a run has to be the same again (tests/sim); while no table is there.
void set_process_hash_seed(uint64_t seed);

// The key group of a key, from its stable hash.
constexpr uint32_t key_group_of(uint64_t hash) {
  return static_cast<uint32_t>(hash >> 56);
}

}  // namespace millrace
