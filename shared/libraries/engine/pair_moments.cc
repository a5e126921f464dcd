// Aggregates of pairs (y, x): correlation, covariance, the line of least squares. By Youngs and Cramer's way, as moments.cc,
// for two variables at once: n, the sums Sx and Sy, the sums of squared differences from the means Sxx and Syy, and Sxy.
//
// State: for each source partition, ascending: partition (2 bytes), n (8), Sx, Sy, Sxx, Syy, Sxy (8 each). Doubles are
//        rounded, so the rows of a partition are taken in their order and the partitions in theirs.
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "engine/aggregates.h"
#include "engine/sketch.h"
#include "event/array.h"

namespace millrace::engine {
namespace {

struct Pairs {
  int64_t count = 0;
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;

  void add(const Pairs& other) {
    if (other.count <= 0) return;
    if (count == 0) {
      *this = other;
    } else if (other.count == 1) {
      add(other.sx, other.sy);
    } else {
      put_together(other);
    }
  }

 private:
  void add(double x, double y) {
    const auto before = static_cast<double>(count);
    const double n = before + 1;
    sx += x;
    sy += y;
    const double dx = x * n - sx;
    const double dy = y * n - sy;
    const double scale = 1.0 / (n * before);
    sxx += dx * dx * scale;
    syy += dy * dy * scale;
    sxy += dx * dy * scale;
    ++count;
  }
  void put_together(const Pairs& other) {
    const auto n1 = static_cast<double>(count);
    const auto n2 = static_cast<double>(other.count);
    const double dx = sx / n1 - other.sx / n2;
    const double dy = sy / n1 - other.sy / n2;
    const double n = n1 + n2;
    sxx += other.sxx + n1 * n2 * dx * dx / n;
    syy += other.syy + n1 * n2 * dy * dy / n;
    sxy += other.sxy + n1 * n2 * dx * dy / n;
    sx += other.sx;
    sy += other.sy;
    count = static_cast<int64_t>(static_cast<uint64_t>(count) + static_cast<uint64_t>(other.count));
  }
};
constexpr size_t kPairsBytes = sizeof(Pairs);
constexpr size_t kEntryBytes = sizeof(uint16_t) + kPairsBytes;

Pairs load(const char* entry) {
  Pairs out;
  std::memcpy(&out, entry + sizeof(uint16_t), kPairsBytes);
  return out;
}
void store(char* entry, uint16_t partition, const Pairs& pairs) {
  store_le(entry, partition);
  std::memcpy(entry + sizeof(uint16_t), &pairs, kPairsBytes);
}

// PostgreSQL's answers; nullopt: NULL.
std::optional<double> answer_of(AggregateKind kind, const Pairs& p) {
  using K = AggregateKind;
  const auto n = static_cast<double>(p.count);
  if (p.count < (kind == K::kCovarSamp ? 2 : 1)) return std::nullopt;
  const bool divides =
      kind == K::kCorr || kind == K::kRegrR2 || kind == K::kRegrSlope || kind == K::kRegrIntercept;
  if (divides && p.sxx == 0) return std::nullopt;
  if (kind == K::kCorr && p.syy == 0) return std::nullopt;
  switch (kind) {
    case K::kCorr:
      return p.sxy / std::sqrt(p.sxx * p.syy);
    case K::kCovarPop:
      return p.sxy / n;
    case K::kCovarSamp:
      return p.sxy / (n - 1);
    case K::kRegrAvgx:
      return p.sx / n;
    case K::kRegrAvgy:
      return p.sy / n;
    case K::kRegrIntercept:
      return (p.sy - p.sx * p.sxy / p.sxx) / n;
    case K::kRegrR2:
      return p.syy == 0 ? 1 : p.sxy * p.sxy / (p.sxx * p.syy);
    case K::kRegrSlope:
      return p.sxy / p.sxx;
    case K::kRegrSxx:
      return p.sxx;
    case K::kRegrSxy:
      return p.sxy;
    default:
      return p.syy;
  }
}

class PairMoments : public Sketch {
 public:
  explicit PairMoments(AggregateKind kind) : kind_(kind) {}

  void of_row(std::string& out, const Column& values, size_t row, PartitionId partition) const override {
    Column pair;
    pair.type = Type::kDouble;
    Arena unused;
    append_elements(values.texts[row], pair, unused);
    if (pair.doubles.size() != 2) return;
    const double y = pair.doubles[0];
    const double x = pair.doubles[1];
    const double dx = std::isfinite(x) ? 0 : std::nan("");
    const double dy = std::isfinite(y) ? 0 : std::nan("");
    const size_t at = out.size();
    out.resize(at + kEntryBytes);
    store(out.data() + at, partition.value, {1, x, y, dx, dy, dx + dy});
  }

  bool merge(std::string& state, std::string_view more) const override {
    if (more.empty() || more.size() % kEntryBytes != 0) return false;
    for (; !more.empty(); more.remove_prefix(kEntryBytes))
      add(state, load_le<uint16_t>(more.data()), load(more.data()));
    return true;
  }

  void finish(std::string_view state, Column& out) const override {
    Pairs all;
    for (; state.size() >= kEntryBytes; state.remove_prefix(kEntryBytes)) all.add(load(state.data()));
    const auto answer = answer_of(kind_, all);
    answer ? append_answer(out, *answer) : out.append_null();
  }

 private:
  static void add(std::string& state, uint16_t partition, const Pairs& more) {
    size_t at = 0;
    while (at < state.size() && load_le<uint16_t>(state.data() + at) < partition) at += kEntryBytes;
    if (at == state.size() || load_le<uint16_t>(state.data() + at) != partition)
      store(state.insert(at, kEntryBytes, '\0').data() + at, partition, {});
    Pairs pairs = load(state.data() + at);
    pairs.add(more);
    store(state.data() + at, partition, pairs);
  }

  AggregateKind kind_;
};

}  // namespace

std::shared_ptr<const Sketch> pair_moments(AggregateKind kind) {
  return std::make_shared<PairMoments>(kind);
}

std::vector<AggregateFunction> aggregates_of_pairs() {
  using K = AggregateKind;
  const auto row = [](std::string_view name, K kind, std::string_view form, std::string_view meaning,
                      std::vector<Example> examples) {
    return AggregateFunction{name, kind, Takes::kAnything, form, meaning, std::move(examples), 2, 2};
  };
  return {
      row("corr", K::kCorr, "corr(y, x)",
          "The correlation coefficient, over rows where neither is NULL, as all of pairs",
          {{"corr(x, n)", "0.7205766921228921"}}),
      row("covar_pop", K::kCovarPop, "covar_pop(y, x)",
          "The covariance of the pairs (divided by their count)", {{"covar_pop(x, n)", "0.5"}}),
      row("covar_samp", K::kCovarSamp, "covar_samp(y, x)",
          "The sample covariance (divided by the count less one)", {{"covar_samp(x, n)", "0.75"}}),
      row("regr_count", K::kRegrCount, "regr_count(y, x)", "The number of pairs: a bigint",
          {{"regr_count(x, n)", "3"}}),
      row("regr_avgx", K::kRegrAvgx, "regr_avgx(y, x)", "The mean of x",
          {{"regr_avgx(x, n)", "1.6666666666666667"}}),
      row("regr_avgy", K::kRegrAvgy, "regr_avgy(y, x)", "The mean of y", {{"regr_avgy(x, n)", "2"}}),
      row("regr_slope", K::kRegrSlope, "regr_slope(y, x)", "The slope of the line of least squares",
          {{"regr_slope(x, n)", "2.25"}}),
      row("regr_intercept", K::kRegrIntercept, "regr_intercept(y, x)",
          "Where the line of least squares is at x = 0", {{"regr_intercept(x, n)", "-1.75"}}),
      row("regr_r2", K::kRegrR2, "regr_r2(y, x)",
          "The square of the correlation coefficient; 1 where y is always the same",
          {{"regr_r2(x, n)", "0.5192307692307693"}}),
      row("regr_sxx", K::kRegrSxx, "regr_sxx(y, x)", "The sum of the squared differences of x from its mean",
          {{"regr_sxx(x, n)", "0.6666666666666666"}}),
      row("regr_sxy", K::kRegrSxy, "regr_sxy(y, x)",
          "The sum of the products of the differences of both from their means", {{"regr_sxy(x, n)", "1.5"}}),
      row("regr_syy", K::kRegrSyy, "regr_syy(y, x)", "The sum of the squared differences of y from its mean",
          {{"regr_syy(x, n)", "6.5"}}),
  };
}

}  // namespace millrace::engine
