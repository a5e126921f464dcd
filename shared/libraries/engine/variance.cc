#include "engine/variance.h"

namespace millrace::engine {
namespace {

using Unsigned = unsigned __int128;

void add_at(std::array<uint64_t, 4>& words, size_t at, Unsigned value) {
  Unsigned carry = value;
  for (; at < words.size() && carry != 0; ++at) {
    const Unsigned sum = Unsigned{words[at]} + static_cast<uint64_t>(carry);
    words[at] = static_cast<uint64_t>(sum);
    carry = (carry >> 64) + (sum >> 64);
  }
}

// In units of 10^-scale.
std::optional<Decimal> to_decimal(const Squares& squares, int scale) {
  const Decimal word = decimal_of(__int128{1} << 64, 0);
  std::optional<Decimal> out = decimal_of(__int128{squares.words[3]}, scale);
  for (size_t i = 3; out && i-- > 0;) {
    out = multiply(*out, word);
    if (out) out = add(*out, decimal_of(__int128{squares.words[i]}, scale));
  }
  return out;
}

}  // namespace

void Squares::add(const Squares& other) {
  for (size_t i = 0; i < words.size(); ++i) add_at(words, i, other.words[i]);
}

// Two's complement: the borrow beyond the last word is lost, as the carry of add() is.
void Squares::subtract(const Squares& other) {
  Squares negative;
  for (size_t i = 0; i < words.size(); ++i) negative.words[i] = ~other.words[i];
  add_at(negative.words, 0, 1);
  add(negative);
}

Squares square_of(__int128 value) {
  const Unsigned magnitude = value < 0 ? 0 - static_cast<Unsigned>(value) : static_cast<Unsigned>(value);
  const auto low = static_cast<uint64_t>(magnitude);
  const auto high = static_cast<uint64_t>(magnitude >> 64);
  Squares out;
  add_at(out.words, 0, Unsigned{low} * low);
  add_at(out.words, 1, Unsigned{low} * high);
  add_at(out.words, 1, Unsigned{low} * high);
  add_at(out.words, 2, Unsigned{high} * high);
  return out;
}

// (n * sum of squares - sum^2) / (n * n), or n * (n - 1); PostgreSQL's scale.
std::optional<Decimal> exact_variance(AggregateKind kind, __int128 sum, const Squares& squares, int64_t count,
                                      int scale) {
  const bool of_sample = kind == AggregateKind::kVarSamp || kind == AggregateKind::kStddevSamp;
  if (count <= (of_sample ? 1 : 0)) return std::nullopt;
  const Decimal n = decimal_of(count);
  const Decimal total = decimal_of(sum, scale);
  const auto all_squares = to_decimal(squares, 2 * scale);
  const auto a = all_squares ? multiply(n, *all_squares) : std::nullopt;
  const auto b = multiply(total, total);
  const auto spread = a && b ? subtract(*a, *b) : std::nullopt;
  const auto divisor = multiply(n, decimal_of(of_sample ? count - 1 : count));
  if (!spread || !divisor) return std::nullopt;
  if (spread->negative || spread->digits.empty()) return Decimal();
  const auto variance = divide(*spread, *divisor);
  if (!variance || kind == AggregateKind::kVarSamp || kind == AggregateKind::kVarPop) return variance;
  return square_root(*variance, quotient_scale(*spread, *divisor));
}

}  // namespace millrace::engine
