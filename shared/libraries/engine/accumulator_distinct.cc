// DISTINCT over windows of panes: the values of all panes, each once, and what they make the answer of.
#include "engine/accumulator.h"
#include "engine/aggregate.h"
#include "engine/entries.h"
#include "engine/internal/accumulator_values.h"

namespace millrace::engine {
namespace {

// What an entry sorts by: of DISTINCT rows the value, however it is written.
std::string_view order_of_entry(std::string_view entry) {
  return entry.substr(0, entry.size() - value_of_entry(entry).size() - sizeof(uint32_t));
}

}  // namespace

void Accumulators::finish_distinct(const Slot& slot, const AggregateCall& call, Total& total, Column& out,
                                   Arena& arena) const {
  put_together(total.values);
  Total once;
  if (slot.once->kind == Kind::kGathered) {
    list_once(*slot.once, total.values, once);
  } else if (slot.once->kind == Kind::kCount) {
    once.value.count = static_cast<int64_t>(total.values.size());
  } else {
    Column value;
    value.type = call.argument->type;
    Arena texts;
    for (const CountedValue& counted : total.values) {
      std::string_view key = counted.value;
      value.clear();
      const Status known = decode_key(key, value.type, value, texts);
      CHECK(known.ok(), "a value that was kept is of its argument's type");
      add_once(*slot.once, value, once);
    }
  }
  finish(*slot.once, call, once, out, arena);
}

void Accumulators::add_once(const Slot& slot, const Column& value, Total& total) const {
  if (slot.kind == Kind::kSketch) {
    std::string one;
    slot.sketch->of_row(one, value, 0, PartitionId(0));
    slot.sketch->merge(total.bytes, one);
    return;
  }
  const Contribution c = of_row(slot, value, 0);
  combine(slot, total.value, c);
  if (slot.kind == Kind::kSquares) total.squares.add(square_of(c.sum));
}

// Equal values that are written differently are one, that of the least entry.
void Accumulators::list_once(const Slot& slot, const std::vector<CountedValue>& entries, Total& total) {
  std::string_view before;
  for (const CountedValue& counted : entries) {
    const std::string_view entry = counted.value;
    if (value_of_entry(entry).empty()) continue;  // a made-up payload's
    const std::string_view order = order_of_entry(entry);
    if (order == before) continue;
    before = order;
    total.gathered += entry.size() + slot.separator.size();
    if (total.gathered > kMaxGatheredBytes) return;
    append_bytes(total.bytes, entry);
  }
}

}  // namespace millrace::engine
