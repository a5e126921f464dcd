// From what a stored group holds to the aggregates' answers.
#include <algorithm>

#include "engine/accumulator.h"
#include "engine/aggregate.h"
#include "engine/aggregates.h"
#include "engine/counted_values.h"
#include "engine/entries.h"
#include "engine/internal/accumulator_values.h"
#include "engine/ordered_set.h"
#include "event/decimal.h"

namespace millrace::engine {

void Accumulators::collect_parts(const char* p, const Blobs& blob, std::vector<FloatPart>& into) const {
  const auto take = [&](const FloatPart& part) {
    const auto known = std::find_if(
        into.begin(), into.end(), [&](const FloatPart& other) { return other.partition == part.partition; });
    if (known == into.end()) return into.push_back(part);
    known->sum += part.sum;
    known->count = add_counts(known->count, part.count);
  };
  for (size_t i = 0; i < inline_parts_; ++i) {
    const FloatPart part = load_part(p + i * kPartBytes);
    if (part.partition == 0) break;
    take(part);
  }
  const uint64_t id = load_le<uint64_t>(p + inline_parts_ * kPartBytes);
  std::string_view more = id == 0 ? std::string_view() : blob(id);
  for (; more.size() >= kPartBytes; more.remove_prefix(kPartBytes)) take(load_part(more.data()));
}

// Panes together may hold too much, too.
void Accumulators::collect_list(const char* p, const Blobs& blob, Total& total) {
  total.gathered += load_le<uint64_t>(p + 8);
  if (total.gathered <= kMaxGatheredBytes) read_chain(load_le<uint64_t>(p), blob, total.bytes);
}

void Accumulators::collect(const char* value, const Blobs& blob, std::vector<Total>& totals) const {
  totals.resize(slots_.size());
  for (size_t i = 0; i < slots_.size(); ++i) collect_slot(slots_[i], value, blob, totals[i]);
}

void Accumulators::collect_slot(const Slot& slot, const char* value, const Blobs& blob, Total& total) const {
  const char* const p = value + slot.offset;
  if (slot.kind == Kind::kFloatSum) return collect_parts(p, blob, total.parts);
  if (slot.kind == Kind::kSquares) total.squares.add(load_squares(p + 24));
  if (!has_text(slot)) return combine(slot, total.value, held(slot, p));
  const auto id = load_le<uint64_t>(p);
  if (id == 0) return;
  if (slot.kind == Kind::kGathered) return collect_list(p, blob, total);
  if (slot.kind == Kind::kDistinct || (slot.kind == Kind::kValues && (panes_ || is_of_order(slot.call))))
    return read_values(id, blob, total.values);
  if (slot.kind == Kind::kValues) {
    total.bytes = slot.call == AggregateKind::kMax ? greatest_value(id, blob) : least_value(id, blob);
    return;
  }
  if (slot.kind == Kind::kSketch) {
    slot.sketch->merge(total.bytes, blob(id));
    return;
  }
  Contribution text;
  text.count = 1;
  text.text = blob(id);
  combine(slot, total.value, text);
}

namespace {

void append_integer(Column& out, int64_t v) {
  if (!out.valid.empty()) out.valid.push_back(1);
  out.integers.push_back(v);
}
void append_double_value(Column& out, double v) {
  if (!out.valid.empty()) out.valid.push_back(1);
  out.doubles.push_back(v);
}
void append_decimal_value(Column& out, const std::optional<Decimal>& v, Arena& arena) {
  if (!v) return out.append_null();
  if (!out.valid.empty()) out.valid.push_back(1);
  out.texts.push_back(arena.keep(decimal_bytes(*v)));
}

}  // namespace

// The parts in the order of their partitions, whatever the order in which they came, and of one partition pane by
// pane.
void Accumulators::finish_float(AggregateKind call, std::vector<FloatPart>& parts, Column& out) {
  if (parts.size() > 1) {
    std::stable_sort(parts.begin(), parts.end(),
                     [](const FloatPart& a, const FloatPart& b) { return a.partition < b.partition; });
  }
  double sum = 0;
  int64_t count = 0;
  bool first = true;
  for (const FloatPart& part : parts) {
    sum = first ? part.sum : sum + part.sum;
    first = false;
    count = add_counts(count, part.count);
  }
  if (count == 0) return out.append_null();
  append_double_value(out, call == AggregateKind::kAvg ? sum / static_cast<double>(count) : sum);
}

void Accumulators::finish_numeric(const Slot& slot, __int128 sum, int64_t count, Column& out, Arena& arena) {
  std::optional<Decimal> answer = decimal_of(sum, slot.scale);
  if (slot.call == AggregateKind::kAvg) answer = divide(*answer, decimal_of(count));
  const bool bounded = slot.scale != 0;  // a sum of whole numbers is exact, whatever the values
  if (bounded && (sum > kMostNumericSum || sum < -kMostNumericSum)) answer.reset();
  append_decimal_value(out, answer, arena);
}

void Accumulators::finish(size_t aggregate, Total& total, Column& out, Arena& arena) const {
  finish(slots_[aggregate], calls_[aggregate], total, out, arena);
}

void Accumulators::finish(const Slot& slot, const AggregateCall& call, Total& total, Column& out,
                          Arena& arena) const {
  const Contribution& c = total.value;
  if (slot.kind == Kind::kCount) return append_integer(out, c.count);
  if (slot.kind == Kind::kFloatSum) return finish_float(slot.call, total.parts, out);
  if (slot.kind == Kind::kSketch) return slot.sketch->finish(total.bytes, out);
  if (slot.kind == Kind::kGathered) return finish_list(slot, total, out, arena);
  if (is_of_order(slot.call)) {
    put_together(total.values);
    return append_ordered_set(call, total.values, out, arena);
  }
  if (slot.kind == Kind::kValues) return finish_value(slot, total, out, arena);
  if (slot.kind == Kind::kDistinct) return finish_distinct(slot, call, total, out, arena);
  if (slot.kind == Kind::kSquares) {
    return append_decimal_value(out, exact_variance(slot.call, c.sum, total.squares, c.count, slot.scale),
                                arena);
  }
  if (c.count == 0) return out.append_null();
  if (slot.kind != Kind::kIntSum) return finish_extreme(slot, c, out, arena);
  if (slot.scale != 0 || slot.call == AggregateKind::kAvg)
    return finish_numeric(slot, c.sum, c.count, out, arena);
  return fits_bigint(c.sum) ? append_integer(out, static_cast<int64_t>(c.sum)) : out.append_null();
}

void Accumulators::finish_value(const Slot& slot, Total& total, Column& out, Arena& arena) {
  std::string_view value = total.bytes;
  put_together(total.values);
  if (!total.values.empty()) {
    const bool most = slot.call == AggregateKind::kMax;
    value = (most ? total.values.back() : total.values.front()).value;
  }
  if (value.empty()) return out.append_null();
  const Status known = decode_key(value, out.type, out, arena);
  CHECK(known.ok(), "a value that was kept is of its aggregate's type");
}

void Accumulators::finish_list(const Slot& slot, const Total& total, Column& out, Arena& arena) {
  if (total.bytes.empty() || total.gathered > kMaxGatheredBytes) return out.append_null();
  if (!out.valid.empty()) out.valid.push_back(1);
  out.texts.push_back(arena.keep(gathered_answer(slot.call, slot.separator, total.bytes)));
}

void Accumulators::finish_extreme(const Slot& slot, const Contribution& c, Column& out, Arena& arena) {
  if (is_ordered(slot.call)) {
    ByteReader value(value_of_entry(c.text));
    decode_value(value, out, arena);
    return;
  }
  if (slot.storage == Physical::kDouble) return append_double_value(out, c.real);
  if (slot.storage == Physical::kInteger) return append_integer(out, c.integer);
  if (!out.valid.empty()) out.valid.push_back(1);
  if (slot.storage == Physical::kText)
    out.texts.push_back(arena.keep(c.text));
  else if (slot.storage == Physical::kInterval)
    out.intervals.push_back(c.interval);
  else
    out.booleans.push_back(c.integer != 0);
}

void Accumulators::finish_stored(const char* value, const Blobs& blob, Total& scratch, std::span<Column> out,
                                 Arena& arena) const {
  for (const size_t i : counts_) append_integer(out[i], load_le<int64_t>(value + slots_[i].offset));
  for (const size_t i : others_) {
    restart(scratch);
    collect_slot(slots_[i], value, blob, scratch);
    finish(i, scratch, out[i], arena);
  }
}

}  // namespace millrace::engine
