#include "formats/internal/column_slots.h"

#include <cmath>
#include <optional>

#include "event/decimal.h"
#include "formats/internal/array_elements.h"
#include "formats/internal/row_fields.h"
#include "formats/jsonb.h"
#include "formats/text_types.h"

namespace millrace::formats {

ColumnSlots::ColumnSlots(const Schema& schema, const std::vector<int>& wanted) : members_(schema, wanted) {
  for (const int index : wanted) {
    const ColumnDef& column = schema[static_cast<size_t>(index)];
    Slot& slot = slots_.emplace_back();
    slot.type = column.type;
    slot.any_text = column.type == Type::kText && column.length == 0;
    slot.length = column.length;
    slot.scale = column.scale;
    slot.name = column.name;
    slot.unit = column.unit;
    slot.added = column.added;
    if (is_array(column.type)) slot.elements = std::make_shared<ArrayElements>(column);
    if (is_row(column.type)) slot.fields = std::make_shared<RowFields>(column);
  }
}

namespace {

void* values_of(Column& column) {
  switch (physical(column.type)) {
    case Physical::kNone:
      return nullptr;
    case Physical::kBoolean:
      return column.booleans.data();
    case Physical::kInteger:
      return column.integers.data();
    case Physical::kDouble:
      return column.doubles.data();
    case Physical::kText:
      return column.texts.data();
    case Physical::kInterval:
      return column.intervals.data();
  }
  return nullptr;
}

}  // namespace

void ColumnSlots::attach(std::vector<Column>& columns, Arena& arena) {
  arena_ = &arena;
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].valid = columns[i].valid.data();
    slots_[i].values = values_of(columns[i]);
  }
}

void ColumnSlots::clear(size_t row) {
  for (Slot& slot : slots_) slot.valid[row] = 0;
}

// A string in a column that does not take every string.
ValueFault ColumnSlots::put_parsed(Slot& s, size_t row, std::string_view text) {
  if (is_array(s.type) || is_row(s.type)) return ValueFault::kType;
  switch (physical(s.type)) {
    case Physical::kInteger:
      return is_integer(s.type) ? ValueFault::kType : put_time(s, row, text);
    case Physical::kInterval: {
      const auto parsed = parse_interval(text);
      return parsed.ok() ? s.put(row, *parsed) : ValueFault::kFormat;
    }
    case Physical::kDouble:
      // What the row writer makes of the values that a JSON number cannot be.
      if (text == "NaN") return s.put(row, std::nan(""));
      if (text == "Infinity") return s.put<double>(row, INFINITY);
      if (text == "-Infinity") return s.put<double>(row, -INFINITY);
      return ValueFault::kType;
    case Physical::kText:
      return put_bytes(s, row, text);
    default:
      return ValueFault::kType;
  }
}

namespace {

// What of the text a VARCHAR of so many characters holds: spaces behind them are cut. nullopt: it is longer.
std::optional<std::string_view> fitted(std::string_view text, uint32_t length) {
  size_t end = 0;
  for (uint32_t left = length; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (starts && left-- == 0) break;
  }
  if (text.find_first_not_of(' ', end) != std::string_view::npos) return std::nullopt;
  return text.substr(0, end);
}

}  // namespace

ValueFault ColumnSlots::put_bytes(Slot& s, size_t row, std::string_view text) {
  if (s.type == Type::kText) {
    const auto held = fitted(text, s.length);
    return held ? s.put(row, *held) : ValueFault::kLength;
  }
  if (s.type == Type::kJsonb) {
    if (text.find('\0') != std::string_view::npos) return ValueFault::kFormat;
    scratch_.clear();
    append_jsonb_string(scratch_, text);
    return s.put(row, arena_->keep(scratch_));
  }
  if (s.type == Type::kNumeric) return put_decimal(s, row, text);
  const auto parsed = parse_text(s.type, text);
  return parsed.ok() ? s.put(row, arena_->keep(*parsed)) : ValueFault::kFormat;
}

// Rounded to the column's scale.
ValueFault ColumnSlots::put_decimal(Slot& s, size_t row, std::string_view number) {
  auto value = read_decimal(number);
  if (!value) return ValueFault::kFormat;
  if (s.length != 0) {
    const auto scale = static_cast<int>(s.scale);
    value = rounded(*value, scale);
    if (!fits(*value, static_cast<int>(s.length), scale)) return ValueFault::kRange;
  }
  return s.put(row, arena_->keep(decimal_bytes(*value)));
}

ValueFault ColumnSlots::put_json(int slot, size_t row, std::string_view value) {
  Slot& s = slots_[static_cast<size_t>(slot)];
  if (!s.elements && !s.fields && s.type != Type::kJsonb) return ValueFault::kType;
  scratch_.clear();
  if (s.type != Type::kJsonb) {
    const ValueFault fault = s.elements ? s.elements->read(value, scratch_) : s.fields->read(value, scratch_);
    return fault == ValueFault::kNone ? s.put(row, arena_->keep(scratch_)) : fault;
  }
  return append_canonical(scratch_, value) ? s.put(row, arena_->keep(scratch_)) : ValueFault::kFormat;
}

ValueFault ColumnSlots::put_time(Slot& s, size_t row, std::string_view text) {
  int64_t micros = 0;
  if (is_timestamp(s.type) && parse_rfc3339_utc(text.data(), text.size(), s.day, micros)) [[likely]]
    return s.put(row, micros);
  const auto parsed = parse_integer_text(s.type, text);
  return parsed.ok() ? s.put(row, *parsed) : ValueFault::kFormat;
}

namespace {

// A whole number of another unit than milliseconds; nanoseconds are rounded, a half goes up.
bool whole_time(TimestampUnit unit, int64_t count, int64_t& micros) {
  if (unit == TimestampUnit::kSeconds) return !__builtin_mul_overflow(count, int64_t{1'000'000}, &micros);
  micros = count;
  if (unit != TimestampUnit::kNanoseconds) return true;
  const int64_t rest = (count % 1000 + 1000) % 1000;
  micros = (count - count % 1000) / 1000 - (count % 1000 < 0) + (rest >= 500);
  return true;
}

bool fractional_millis(const json::Number& n, int64_t& micros) {
  double value = 0;
  if (!json::to_double(n, value) || !(std::fabs(value) < 1e15)) return false;
  micros = static_cast<int64_t>(std::rint(value * 1000));
  return timestamp_in_range(micros);
}

}  // namespace

bool timestamp_in(TimestampUnit unit, const json::Number& n, int64_t& micros) {
  if (unit == TimestampUnit::kMilliseconds) return fractional_millis(n, micros);
  int64_t count = 0;
  if (json::to_bigint(n, count)) return whole_time(unit, count, micros) && timestamp_in_range(micros);
  double value = 0;
  if (!json::to_double(n, value)) return false;
  if (unit == TimestampUnit::kSeconds) value *= 1e6;
  if (unit == TimestampUnit::kNanoseconds) value /= 1e3;
  if (!(std::fabs(value) < 1e18)) return false;
  micros = static_cast<int64_t>(std::rint(value));
  return timestamp_in_range(micros);
}

}  // namespace millrace::formats
