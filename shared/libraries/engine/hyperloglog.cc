// How many different values there are, about: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007) with the estimator
// of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017: no bias at any size, no tables.
//
// State: 1 and up to kMostHashes hashes, ascending: then the answer is exact; beyond 2 and a register of a byte for each
//        of m = 2^p places: the most zeros that began a hash there, plus one. Which of the two follows from the values.
// Error: 1.04 / sqrt(m) = 1.6 %.
// Hash:  stable_hash of the value as a group key's bytes: the same on every machine, for ever.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/bytes.h"
#include "base/hash.h"
#include "engine/aggregate.h"
#include "engine/sketch.h"

namespace millrace::engine {
namespace {

constexpr char kHashes = 1;
constexpr char kRegisters = 2;
constexpr int kP = 12;
constexpr size_t kM = size_t{1} << kP;
constexpr int kQ = 64 - kP;  // a register is at most q + 1
constexpr size_t kHashBytes = 8;
constexpr size_t kMostHashes = 512;  // as large as the registers

bool is_state(std::string_view bytes) {
  if (bytes.empty()) return false;
  if (bytes[0] == kRegisters) {
    return bytes.size() == 1 + kM &&
           std::ranges::all_of(bytes.substr(1), [](char r) { return r >= 0 && r <= kQ + 1; });
  }
  return bytes[0] == kHashes && bytes.size() % kHashBytes == 1 &&
         bytes.size() <= 1 + kMostHashes * kHashBytes;
}

bool raise(std::string& state, size_t place, char value) {
  if (state[1 + place] >= value) return false;
  state[1 + place] = value;
  return true;
}

bool add_to_registers(std::string& state, uint64_t hash) {
  const uint64_t rest = hash << kP;
  return raise(state, hash >> kQ, static_cast<char>(rest == 0 ? kQ + 1 : std::countl_zero(rest) + 1));
}

uint64_t hash_at(std::string_view state, size_t i) {
  return load_le<uint64_t>(state.data() + 1 + i * kHashBytes);
}
size_t hashes_in(std::string_view state) {
  return (state.size() - 1) / kHashBytes;
}

void make_registers(std::string& state) {
  const std::string hashes = std::exchange(state, std::string(1 + kM, '\0'));
  state[0] = kRegisters;
  for (size_t i = 0; i < hashes_in(hashes); ++i) add_to_registers(state, hash_at(hashes, i));
}

bool add(std::string& state, uint64_t hash) {
  if (state[0] == kRegisters) return add_to_registers(state, hash);
  const size_t from = first_place(hashes_in(state), [&](size_t i) { return hash_at(state, i) >= hash; });
  if (from < hashes_in(state) && hash_at(state, from) == hash) return false;
  std::string bytes;
  append_le(bytes, hash);
  state.insert(1 + from * kHashBytes, bytes);
  if (hashes_in(state) > kMostHashes) make_registers(state);
  return true;
}

// The paper's names.
double sigma(double x) {
  if (x == 1) return INFINITY;
  double y = 1;
  double z = x;
  for (double before = -1; z != before; y += y) {
    x *= x;
    before = z;
    z += x * y;
  }
  return z;
}
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y /= 2;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

int64_t estimate(std::string_view registers) {
  std::array<double, kQ + 2> counts{};
  for (const char value : registers) ++counts[static_cast<size_t>(value)];
  constexpr auto m = static_cast<double>(kM);
  double z = m * tau(1 - counts[kQ + 1] / m);
  for (size_t k = kQ; k >= 1; --k) z = (z + counts[k]) / 2;
  z += m * sigma(counts[0] / m);
  return std::llround(m * m / (2 * std::log(2.0) * z));
}

class HyperLogLog : public Sketch {
 public:
  void of_row(std::string& out, const Column& values, size_t row, PartitionId) const override {
    std::string key;
    encode_key(key, values, row);
    out += kHashes;
    append_le(out, stable_hash(key));
  }

  bool merge(std::string& state, std::string_view more) const override {
    if (!is_state(more)) return false;
    if (state.empty()) state = kHashes;
    bool changed = false;
    if (more[0] == kHashes) {
      for (size_t i = 0; i < hashes_in(more); ++i) changed |= add(state, hash_at(more, i));
      return changed;
    }
    if (state[0] == kHashes) make_registers(state);
    for (size_t i = 0; i < kM; ++i) changed |= raise(state, i, more[1 + i]);
    return changed;
  }

  void finish(std::string_view state, Column& out) const override {
    if (!out.valid.empty()) out.valid.push_back(1);
    int64_t count = 0;
    if (!state.empty())
      count = state[0] == kHashes ? static_cast<int64_t>(hashes_in(state)) : estimate(state.substr(1));
    out.integers.push_back(count);
  }
};

}  // namespace

std::shared_ptr<const Sketch> hyperloglog() {
  return std::make_shared<HyperLogLog>();
}

}  // namespace millrace::engine
