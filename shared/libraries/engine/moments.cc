// The variance of doubles, by Youngs and Cramer's way of putting two samples together: n, S (the sum) and V (the sum of
// the squared differences from the mean). "Some Results Relevant to Choice of Sum and Sum-of-Product Algorithms", 1971.
//
// State: for each source partition, ascending: partition (2 bytes), n (8), S (8), V (8). Doubles are rounded, so the
//        rows of a partition are taken in their order and the partitions in theirs.
#include <cmath>

#include "base/bytes.h"
#include "engine/sketch.h"

namespace millrace::engine {
namespace {

struct Sample {
  uint16_t partition = 0;
  int64_t count = 0;
  double sum = 0;
  double spread = 0;

  void add(const Sample& other) {
    if (other.count <= 0) return;
    if (count > 0) {
      const auto n = static_cast<double>(count);
      const auto m = static_cast<double>(other.count);
      const double apart = sum / n - other.sum / m;
      spread += other.spread + apart * apart * (n * m / (n + m));
    } else {
      spread = other.spread;
    }
    count = static_cast<int64_t>(static_cast<uint64_t>(count) + static_cast<uint64_t>(other.count));
    sum += other.sum;
  }
};
constexpr size_t kSampleBytes = 26;

Sample load(const char* p) {
  return {load_le<uint16_t>(p), load_le<int64_t>(p + 2), std::bit_cast<double>(load_le<uint64_t>(p + 10)),
          std::bit_cast<double>(load_le<uint64_t>(p + 18))};
}
void store(char* p, const Sample& sample) {
  store_le(p, sample.partition);
  store_le(p + 2, sample.count);
  store_le(p + 10, std::bit_cast<uint64_t>(sample.sum));
  store_le(p + 18, std::bit_cast<uint64_t>(sample.spread));
}

class Moments : public Sketch {
 public:
  explicit Moments(AggregateKind kind) : kind_(kind) {}

  void of_row(std::string& out, const Column& values, size_t row, PartitionId partition) const override {
    const double value = values.doubles[row];
    const double spread = std::isfinite(value) ? 0 : std::nan("");
    const size_t at = out.size();
    out.resize(at + kSampleBytes);
    store(out.data() + at, {partition.value, 1, value, spread});
  }

  bool merge(std::string& state, std::string_view more) const override {
    if (more.empty() || more.size() % kSampleBytes != 0) return false;
    for (; !more.empty(); more.remove_prefix(kSampleBytes)) add(state, load(more.data()));
    return true;
  }

  void finish(std::string_view state, Column& out) const override {
    Sample all;
    for (; state.size() >= kSampleBytes; state.remove_prefix(kSampleBytes)) all.add(load(state.data()));
    const bool of_sample = kind_ == AggregateKind::kVarSamp || kind_ == AggregateKind::kStddevSamp;
    const int64_t divisor = all.count - (of_sample ? 1 : 0);
    if (divisor <= 0) return out.append_null();
    const double variance = all.spread / static_cast<double>(divisor);
    const bool root = kind_ == AggregateKind::kStddevSamp || kind_ == AggregateKind::kStddevPop;
    append_answer(out, root ? std::sqrt(variance) : variance);
  }

 private:
  static void add(std::string& state, const Sample& more) {
    size_t at = 0;
    while (at < state.size() && load_le<uint16_t>(state.data() + at) < more.partition) at += kSampleBytes;
    if (at == state.size() || load_le<uint16_t>(state.data() + at) != more.partition)
      store(state.insert(at, kSampleBytes, '\0').data() + at, {more.partition});
    Sample sample = load(state.data() + at);
    sample.add(more);
    store(state.data() + at, sample);
  }

  AggregateKind kind_;
};

}  // namespace

std::shared_ptr<const Sketch> moments(AggregateKind kind) {
  return std::make_shared<Moments>(kind);
}

}  // namespace millrace::engine
