// Exact variance: of whole numbers of one scale, from their sum, the sum of their squares and their count. Private to
// engine/.
//
// Why:   sums that cannot be rounded are the same in any order.
// Bound: values below 2^95: the squares of 2^63 of them fit 256 bits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/plan.h"
#include "event/decimal.h"

namespace millrace::engine {

// A sum of squares, least significant word first.
struct Squares {
  std::array<uint64_t, 4> words{};
  void add(const Squares& other);  // beyond 2^256 it starts again: a made-up payload's
  void subtract(const Squares& other);
};
Squares square_of(__int128 value);

// The values are whole numbers of 10^-scale. nullopt: there is none, or it is beyond numeric's bound.
std::optional<Decimal> exact_variance(AggregateKind kind, __int128 sum, const Squares& squares, int64_t count,
                                      int scale);

}  // namespace millrace::engine
