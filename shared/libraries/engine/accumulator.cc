#include "engine/accumulator.h"

#include <algorithm>

#include "engine/aggregate.h"
#include "engine/aggregates.h"
#include "engine/counted_values.h"
#include "engine/entries.h"
#include "engine/internal/accumulator_values.h"
#include "engine/program.h"
#include "event/decimal.h"
#include "event/small_decimal.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using Wide = __int128;

Wide load_wide(const char* p) {
  Wide v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
void store_wide(char* p, Wide v) {
  std::memcpy(p, &v, sizeof v);
}
double load_double(const char* p) {
  return std::bit_cast<double>(load_le<uint64_t>(p));
}
void store_double(char* p, double v) {
  store_le(p, std::bit_cast<uint64_t>(v));
}
Wide add_wide(Wide a, Wide b) {
  return static_cast<Wide>(static_cast<unsigned __int128>(a) + static_cast<unsigned __int128>(b));
}

void combine_bits(AggregateKind call, Contribution& into, const Contribution& more) {
  if (call == AggregateKind::kBitXor)
    into.integer ^= more.integer;
  else if (into.count == 0)
    into.integer = more.integer;
  else if (call == AggregateKind::kBitAnd)
    into.integer &= more.integer;
  else
    into.integer |= more.integer;
  into.count = add_counts(into.count, more.count);
}

bool is_key(std::string_view bytes, Type type) {
  return skip_key(bytes, type) && bytes.empty();
}

constexpr size_t kMostInlineParts = 8;

Wide summand(std::string_view numeric) {
  const auto small = small_decimal(numeric);
  auto value = small ? scaled(*small, kNumericSumScale) : std::nullopt;
  if (!value) value = scaled(decimal_from(numeric), kNumericSumScale);
  CHECK(value.has_value(), "a numeric that is summed has the precision of plan.h");
  return *value;
}

}  // namespace

Error state_full() {
  return error(Code::kExhausted, "MR-SQL-0113", "the query's state has reached its bound",
               "group by fewer values, keep windows for a shorter time, or give the node more memory");
}

bool has_distinct_sets(const QueryPlan& plan) {
  return !plan.window.made_of_panes() &&
         std::ranges::any_of(plan.aggregates, [](const AggregateCall& call) { return call.distinct; });
}

Accumulators::Accumulators(const QueryPlan& plan)
    : retracts_(plan.updating()), panes_(plan.window.made_of_panes()) {
  if (plan.repartition && plan.source)
    inline_parts_ = std::clamp<size_t>(plan.source->partitions, 1, kMostInlineParts);
  for (const AggregateCall& call : plan.aggregates) {
    Slot slot;
    slot.call = call.kind;
    slot.storage = call.argument ? physical(call.argument->type) : Physical::kInteger;
    slot.offset = value_bytes_;
    choose_kind(call, slot);
    if (call.distinct && panes_) keep_values_once(slot);
    value_bytes_ += slot_bytes(slot);
    const size_t place = slots_.size();
    has_float_sums_ |= slot.kind == Kind::kFloatSum;
    (slot.kind == Kind::kCount ? counts_ : others_).push_back(place);
    const bool sum = slot.kind == Kind::kIntSum && call.kind == AggregateKind::kSum;
    if (sum || slot.kind == Kind::kGathered) checked_.push_back(place);
    if (has_blob(slot)) with_blobs_.push_back(place);
    const bool values = has_values(slot);
    keeps_values_ |= values;
    if (slot.sketch != nullptr || is_ordered(call.kind) || values) made_texts_.push_back(place);
    row_by_row_ |= slot.kind == Kind::kFloatSum || slot.kind == Kind::kSquares ||
                   slot.kind == Kind::kSketch || slot.kind == Kind::kGathered ||
                   slot.kind == Kind::kDistinct || is_of_order(call.kind);
    calls_.push_back(call);
    slots_.push_back(std::move(slot));
  }
  number_offset_ = value_bytes_;
  if (has_distinct_sets(plan)) value_bytes_ += sizeof(uint64_t);
  // A state row has at least one byte: a GROUP BY without aggregates is DISTINCT.
  value_bytes_ = std::max<size_t>(value_bytes_, 8);
  staged_.resize(slots_.size());
}

void Accumulators::choose_kind(const AggregateCall& call, Slot& slot) const {
  using K = AggregateKind;
  slot.sketch = sketch_of(call);
  const bool numeric = call.argument && call.argument->type == Type::kNumeric;
  if (slot.sketch != nullptr) {
    slot.kind = Kind::kSketch;
  } else if (engine::gathers(call.kind)) {
    slot.kind = Kind::kGathered;
    if (call.parameter) slot.separator = std::get<std::string>(call.parameter->literal);
    if (!call.parameter && call.kind != AggregateKind::kArrayAgg) slot.separator = ", ";
  } else if (call.kind == K::kCountStar || call.kind == K::kCount) {
    slot.kind = Kind::kCount;
  } else if (call.kind == K::kSum || call.kind == K::kAvg) {
    slot.kind = slot.storage == Physical::kDouble ? Kind::kFloatSum : Kind::kIntSum;
    slot.scale = numeric ? kNumericSumScale : 0;
  } else if (is_variance(call.kind)) {
    slot.kind = Kind::kSquares;
    slot.scale = numeric ? kNumericSumScale : 0;
  } else if (call.kind == K::kBitAnd || call.kind == K::kBitOr || call.kind == K::kBitXor) {
    slot.kind = Kind::kBits;
  } else if (retracts_ || is_of_order(call.kind)) {
    slot.kind = Kind::kValues;
  } else {
    if (is_ordered(call.kind)) slot.storage = Physical::kText;
    slot.kind = slot.storage == Physical::kText ? Kind::kTextExtreme : Kind::kExtreme;
  }
}

// A value of several panes counts once: so the panes keep the values, and the answer is made of them at the read.
void Accumulators::keep_values_once(Slot& slot) {
  Slot values;
  values.kind = Kind::kDistinct;
  values.call = slot.call;
  values.storage = slot.storage;
  values.offset = slot.offset;
  values.once = std::make_shared<const Slot>(std::move(slot));
  slot = std::move(values);
}

size_t Accumulators::slot_bytes(const Slot& slot) const {
  switch (slot.kind) {
    case Kind::kCount:
    case Kind::kTextExtreme:
    case Kind::kSketch:
    case Kind::kValues:
    case Kind::kDistinct:
      return 8;
    case Kind::kFloatSum:
      return inline_parts_ * kPartBytes + 8;
    case Kind::kIntSum:
      return 24;
    case Kind::kSquares:
      return 24 + sizeof(Squares);
    case Kind::kBits:
    case Kind::kGathered:
      return 16;
    case Kind::kExtreme:
      break;
  }
  return slot.storage == Physical::kInterval ? 24 : 16;
}

// Refers to a blob from its place, or may do so.
bool Accumulators::has_blob(const Slot& slot) {
  return slot.kind == Kind::kFloatSum || has_text(slot);
}
bool Accumulators::has_text(const Slot& slot) {
  return slot.kind == Kind::kTextExtreme || slot.kind == Kind::kSketch || slot.kind == Kind::kGathered ||
         has_values(slot);
}
bool Accumulators::has_values(const Slot& slot) {
  return slot.kind == Kind::kValues || slot.kind == Kind::kDistinct;
}
bool Accumulators::has_keys(const Slot& slot) {
  return has_values(slot) && (slot.kind == Kind::kValues || slot.once->kind != Kind::kGathered);
}

int Accumulators::too_long(const Arguments& arguments, size_t row, size_t most_bytes) const {
  for (const size_t i : with_blobs_) {
    if (slots_[i].kind != Kind::kDistinct || physical(arguments[i].values->type) != Physical::kText) continue;
    if (arguments[i].is_null(row) || arguments[i].values->texts[row].size() < most_bytes / 4) continue;
    std::string key;
    encode_key(key, *arguments[i].values, row);
    if (key.size() > most_bytes) return static_cast<int>(i);
  }
  return -1;
}

void Accumulators::of_row(const Arguments& arguments, size_t row, std::vector<Contribution>& out) const {
  for (const size_t i : counts_) out[i].count = !arguments[i].is_null(row);
  for (const size_t i : others_) {
    out[i] = arguments[i].is_null(row) ? Contribution() : of_row(slots_[i], *arguments[i].values, row);
  }
}

Contribution Accumulators::of_row(const Slot& slot, const Column& argument, size_t row) const {
  Contribution c;
  c.count = 1;
  if (slot.kind == Kind::kSketch || has_values(slot)) return c;
  switch (physical(argument.type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      c.integer = argument.booleans[row];
      break;
    case Physical::kInteger:
      c.integer = argument.integers[row];
      c.sum = c.integer;
      break;
    case Physical::kDouble:
      c.real = argument.doubles[row];
      break;
    case Physical::kText:
      c.text = argument.texts[row];
      if (slot.kind == Kind::kIntSum || slot.kind == Kind::kSquares) c.sum = summand(c.text);
      break;
    case Physical::kInterval:
      c.interval = argument.intervals[row];
      break;
  }
  // 0 and -0 compare equal: which of them came first must not show.
  if (slot.kind == Kind::kExtreme && c.real == 0) c.real = 0;
  return c;
}

void Accumulators::add_texts(const Arguments& arguments, const std::vector<std::vector<const Column*>>& order,
                             size_t row, const RowOrigin& place, std::vector<Contribution>& contributions,
                             Arena& texts) {
  for (const size_t i : made_texts_) {
    if (contributions[i].count == 0) continue;
    scratch_.clear();
    if (slots_[i].sketch != nullptr)
      slots_[i].sketch->of_row(scratch_, *arguments[i].values, row, place.partition);
    else if (has_keys(slots_[i]))
      encode_key(scratch_, *arguments[i].values, row);
    else
      append_entry(scratch_, calls_[i], *arguments[i].values, order[i], row, place);
    contributions[i].text = texts.keep(scratch_);
  }
}

int Accumulators::compare(const Slot& slot, const Contribution& a, const Contribution& b) const {
  switch (slot.storage) {
    case Physical::kDouble:
      return compare_doubles(a.real, b.real);
    case Physical::kText:
      return a.text.compare(b.text);
    case Physical::kInterval: {
      const Wide x = total_micros(a.interval);
      const Wide y = total_micros(b.interval);
      if (x != y) return x < y ? -1 : 1;
      // Equal, but written differently: one of them is chosen for good.
      if (a.interval.months != b.interval.months) return a.interval.months < b.interval.months ? -1 : 1;
      return a.interval.days < b.interval.days ? -1 : a.interval.days > b.interval.days;
    }
    default:
      return a.integer < b.integer ? -1 : a.integer > b.integer;
  }
}

bool Accumulators::replaces(const Slot& slot, const Contribution& held, const Contribution& c) const {
  const int order = compare(slot, c, held);
  const bool least = slot.call == AggregateKind::kMin || slot.call == AggregateKind::kAnyValue ||
                     slot.call == AggregateKind::kFirst;
  return least ? order < 0 : order > 0;
}

void Accumulators::combine(const Slot& slot, Contribution& into, const Contribution& more) const {
  // What a late part of a pane holds of an updating source may be of as many rows that came as of rows that went.
  if (more.count == 0 && !retracts_) return;
  const bool extreme = slot.kind == Kind::kExtreme || slot.kind == Kind::kTextExtreme;
  if (extreme) {
    if (into.count == 0 || replaces(slot, into, more)) into = more;
    return;
  }
  if (slot.kind == Kind::kBits) return combine_bits(slot.call, into, more);
  into.count = add_counts(into.count, more.count);
  into.sum = add_wide(into.sum, more.sum);
  into.real += more.real;
}

void Accumulators::encode(size_t aggregate, const Contribution& c, std::string& out) const {
  const Slot& slot = slots_[aggregate];
  append_varint(out, static_cast<uint64_t>(c.count));
  if (slot.kind == Kind::kCount || c.count == 0) return;
  if (slot.kind == Kind::kIntSum || slot.kind == Kind::kSquares) {
    const auto low = static_cast<int64_t>(c.sum);
    append_varint(out, zigzag(low));
    // What the low half's sign does not tell: almost always zero.
    append_varint(out, zigzag(static_cast<int64_t>((c.sum - low) >> 64)));
  } else if (has_text(slot)) {
    append_bytes(out, c.text);
  } else if (slot.storage == Physical::kDouble) {
    append_le(out, std::bit_cast<uint64_t>(c.real));
  } else if (slot.storage == Physical::kInterval) {
    append_varint(out, zigzag(c.interval.months));
    append_varint(out, zigzag(c.interval.days));
    append_varint(out, zigzag(c.interval.micros));
  } else {
    append_varint(out, zigzag(c.integer));
  }
}

bool Accumulators::decode(size_t aggregate, ByteReader& in, Contribution& c) const {
  const Slot& slot = slots_[aggregate];
  c = Contribution{};
  c.count = static_cast<int64_t>(in.varint());
  if (c.count < 0 || (slot.kind == Kind::kSquares && c.count > 1)) return false;
  if (slot.kind == Kind::kCount || c.count == 0) return in.ok();
  if (slot.kind == Kind::kIntSum || slot.kind == Kind::kSquares) {
    const int64_t low = in.signed_varint();
    const int64_t high = in.signed_varint();
    c.sum = add_wide(static_cast<Wide>(static_cast<unsigned __int128>(static_cast<Wide>(high)) << 64), low);
  } else if (has_text(slot)) {
    c.text = in.bytes();
    if (has_keys(slot) && !is_key(c.text, calls_[aggregate].argument->type)) return false;
  } else if (slot.storage == Physical::kDouble) {
    c.real = std::bit_cast<double>(in.le<uint64_t>());
  } else if (slot.storage == Physical::kInterval) {
    c.interval.months = static_cast<int32_t>(in.signed_varint());
    c.interval.days = static_cast<int32_t>(in.signed_varint());
    c.interval.micros = in.signed_varint();
  } else {
    c.integer = in.signed_varint();
  }
  return in.ok();
}

uint64_t Accumulators::gathered_after(const Slot& slot, const char* p, const Contribution& c) {
  return load_le<uint64_t>(p + 8) + c.text.size() + slot.separator.size();
}

bool Accumulators::would_overflow(const Slot& slot, const char* value, const Contribution& c) const {
  if (slot.kind == Kind::kGathered)
    return c.count > 0 && gathered_after(slot, value + slot.offset, c) > kMaxGatheredBytes;
  const Wide sum = add_wide(load_wide(value + slot.offset), c.sum);
  return slot.scale == 0 ? !fits_bigint(sum) : sum > kMostNumericSum || sum < -kMostNumericSum;
}

int Accumulators::overflowing(const char* value, const std::vector<Contribution>& contributions) const {
  for (const size_t i : checked_) {
    if (would_overflow(slots_[i], value, contributions[i])) return static_cast<int>(i);
  }
  return -1;
}

FloatPart Accumulators::load_part(const char* p) {
  return {load_double(p), load_le<int64_t>(p + 8), load_le<uint32_t>(p + 16)};
}
void Accumulators::store_part(char* p, const FloatPart& part) {
  store_double(p, part.sum);
  store_le(p + 8, part.count);
  store_le(p + 16, part.partition);
  store_le<uint32_t>(p + 20, 0);
}

size_t Accumulators::blob_offset(const Slot& slot) const {
  return slot.offset + (slot.kind == Kind::kFloatSum ? inline_parts_ * kPartBytes : 0);
}

// The count, sum or extreme that the slot holds; count 0: none yet. Not for texts and parts.
Contribution Accumulators::held(const Slot& slot, const char* p) const {
  Contribution c;
  if (slot.kind == Kind::kIntSum || slot.kind == Kind::kSquares) {
    c.sum = load_wide(p);
    c.count = load_le<int64_t>(p + 16);
    return c;
  }
  c.count = load_le<int64_t>(p);
  if (slot.kind == Kind::kCount) return c;
  if (slot.storage == Physical::kInterval) {
    c.interval = {load_le<int32_t>(p + 8), load_le<int32_t>(p + 12), load_le<int64_t>(p + 16)};
    return c;
  }
  if (slot.storage == Physical::kDouble)
    c.real = load_double(p + 8);
  else
    c.integer = load_le<int64_t>(p + 8);
  return c;
}

// Makes the blob that the change needs, without touching the row; 0: it needs none.
bool Accumulators::stage(state::Table& table, const Slot& slot, const char* value, uint16_t partition,
                         const Contribution& c, uint64_t& blob) {
  const char* const p = value + slot.offset;
  if (c.count == 0) return true;
  if (slot.kind == Kind::kFloatSum) return stage_float(table, slot, p, partition, c, blob);
  if (!has_text(slot) || has_values(slot)) return true;
  const uint64_t old = load_le<uint64_t>(p);
  if (slot.kind == Kind::kSketch) {
    scratch_ = old == 0 ? std::string_view() : table.blob(old);
    if (!slot.sketch->merge(scratch_, c.text)) return true;
    blob = table.put_blob(scratch_);
    return blob != 0;
  }
  if (slot.kind == Kind::kGathered) {
    if (gathered_after(slot, p, c) > kMaxGatheredBytes) return true;
    blob = add_to_chain(table, old, c.text);
    return blob != 0;
  }
  if (old != 0) {
    Contribution before;
    before.text = table.blob(old);
    if (!replaces(slot, before, c)) return true;
  }
  blob = table.put_blob(c.text);
  return blob != 0;
}

bool Accumulators::stage_float(state::Table& table, const Slot& slot, const char* p, uint16_t partition,
                               const Contribution& c, uint64_t& blob) {
  for (size_t i = 0; i < inline_parts_; ++i) {
    const uint32_t owner = load_part(p + i * kPartBytes).partition;
    if (owner == 0 || owner == partition + 1u) return true;
  }
  const uint64_t old = load_le<uint64_t>(p + (blob_offset(slot) - slot.offset));
  std::string parts(old == 0 ? std::string_view() : table.blob(old));
  size_t at = 0;
  while (at < parts.size() && load_part(parts.data() + at).partition != partition + 1u) at += kPartBytes;
  FloatPart part{0, 0, partition + 1u};
  if (at < parts.size())
    part = load_part(parts.data() + at);
  else
    parts.resize(at + kPartBytes);
  part.sum += c.real;
  part.count = add_counts(part.count, c.count);
  store_part(parts.data() + at, part);
  blob = table.put_blob(parts);
  return blob != 0;
}

// The blobs that the row needs, before anything changes. False: the bound, and none is left.
bool Accumulators::stage_all(state::Table& table, std::string_view key, uint64_t hash, char*& value,
                             uint16_t partition, const std::vector<Contribution>& contributions) {
  for (const size_t i : with_blobs_) staged_[i] = 0;
  for (const size_t i : with_blobs_) {
    if (stage(table, slots_[i], value, partition, contributions[i], staged_[i])) {
      // A new blob is a call on the store: the row may have moved.
      if (staged_[i] != 0) value = table.find_mutable(key, hash);
      continue;
    }
    for (const size_t other : with_blobs_) {
      if (staged_[other] != 0) table.free_blob(staged_[other]);
    }
    return false;
  }
  return true;
}

bool Accumulators::apply(state::Table& table, std::string_view key, uint64_t hash, char* value,
                         uint16_t partition, const std::vector<Contribution>& contributions) {
  if (!stage_all(table, key, hash, value, partition, contributions)) return false;
  for (const size_t i : counts_) {
    char* const p = value + slots_[i].offset;
    store_le(p, add_counts(load_le<int64_t>(p), contributions[i].count));
  }
  for (const size_t i : others_) {
    commit(table, slots_[i], value, partition, contributions[i], staged_[i]);
    if (staged_[i] != 0) value = table.find_mutable(key, hash);
  }
  return true;
}

void Accumulators::commit(state::Table& table, const Slot& slot, char* value, uint16_t partition,
                          const Contribution& c, uint64_t blob) {
  if (c.count == 0) return;
  char* const p = value + slot.offset;
  if (slot.kind == Kind::kGathered) store_le(p + 8, gathered_after(slot, p, c));
  if (blob != 0) return replace_blob(table, slot, value, blob);
  switch (slot.kind) {
    case Kind::kIntSum:
      store_wide(p, add_wide(load_wide(p), c.sum));
      store_le(p + 16, add_counts(load_le<int64_t>(p + 16), c.count));
      return;
    case Kind::kFloatSum:
      return add_float(slot, p, partition, c);
    case Kind::kSquares: {
      store_wide(p, add_wide(load_wide(p), c.sum));
      store_le(p + 16, add_counts(load_le<int64_t>(p + 16), c.count));
      Squares squares = load_squares(p + 24);
      const Squares square = square_of(c.sum);
      c.count > 0 ? squares.add(square) : squares.subtract(square);
      return store_squares(p + 24, squares);
    }
    case Kind::kBits: {
      Contribution bits = held(slot, p);
      combine_bits(slot.call, bits, c);
      store_le(p, bits.count);
      return store_le(p + 8, bits.integer);
    }
    case Kind::kCount:  // apply() does
    case Kind::kTextExtreme:
    case Kind::kSketch:
    case Kind::kGathered:
    case Kind::kValues:  // change_values() does
    case Kind::kDistinct:
      return;
    case Kind::kExtreme:
      break;
  }
  const Contribution before = held(slot, p);
  if (before.count != 0 && !replaces(slot, before, c)) return;
  store_le<int64_t>(p, 1);
  if (slot.storage == Physical::kInterval) {
    store_le(p + 8, c.interval.months);
    store_le(p + 12, c.interval.days);
    store_le(p + 16, c.interval.micros);
  } else if (slot.storage == Physical::kDouble) {
    store_double(p + 8, c.real);
  } else {
    store_le(p + 8, c.integer);
  }
}

bool Accumulators::change_values(state::Table& table, std::string_view key, uint64_t hash, int weight,
                                 const std::vector<Contribution>& contributions) const {
  for (const size_t i : with_blobs_) {
    const Slot& slot = slots_[i];
    const bool values = has_values(slot);
    if (!values || contributions[i].count == 0) continue;
    const auto list = load_le<uint64_t>(table.find(key, hash) + slot.offset);
    // Where no row goes, whether one has the value is all that others need to know.
    const bool counts = retracts_ || is_of_order(slot.call);
    if (!counts && has_value(table, list, contributions[i].text)) continue;
    const auto changed = change_count(table, list, contributions[i].text, weight);
    if (!changed) return false;
    store_le(table.find_mutable(key, hash) + slot.offset, *changed);
  }
  return true;
}

void Accumulators::replace_blob(state::Table& table, const Slot& slot, char* value, uint64_t blob) const {
  char* const reference = value + blob_offset(slot);
  const uint64_t old = load_le<uint64_t>(reference);
  store_le(reference, blob);
  if (old == 0 || (slot.kind == Kind::kGathered && continues_chain(table, blob, old))) return;
  table.free_blob(old);
}

void Accumulators::add_float(const Slot&, char* p, uint16_t partition, const Contribution& c) const {
  for (size_t i = 0; i < inline_parts_; ++i, p += kPartBytes) {
    FloatPart part = load_part(p);
    if (part.partition != 0 && part.partition != partition + 1u) continue;
    part.partition = partition + 1u;
    part.sum += c.real;
    part.count = add_counts(part.count, c.count);
    return store_part(p, part);
  }
}

bool Accumulators::move_blobs(char* value, const Blobs& from, state::Table& to) const {
  for (const Slot& slot : slots_) {
    if (!has_blob(slot)) continue;
    char* const reference = value + blob_offset(slot);
    const uint64_t old = load_le<uint64_t>(reference);
    if (old == 0) continue;
    const uint64_t id = slot.kind == Kind::kGathered ? move_chain(old, from, to)
                        : has_values(slot)           ? move_values(old, from, to)
                                                     : to.put_blob(from(old));
    if (id == 0) return false;
    store_le(reference, id);
  }
  return true;
}

void Accumulators::free_blobs(const char* value, state::Table& table) const {
  std::vector<uint64_t> ids;  // freeing is a call on the store: the row may move
  const Blobs blob = [&](uint64_t part) { return table.blob(part); };
  for (const Slot& slot : slots_) {
    if (!has_blob(slot)) continue;
    const auto id = load_le<uint64_t>(value + blob_offset(slot));
    if (slot.kind == Kind::kGathered)
      append_chain(id, blob, ids);
    else if (has_values(slot))
      append_values(id, blob, ids);
    else
      ids.push_back(id);
  }
  for (const uint64_t id : ids) {
    if (id != 0) table.free_blob(id);
  }
}

}  // namespace millrace::engine
