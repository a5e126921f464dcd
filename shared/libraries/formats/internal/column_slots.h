// ColumnSlots: the columns that events are read into, and how a JSON value becomes a column's value.
//
// Why:        the general reader and the remembered shapes both write through here, so a value means the same
//             whichever of them has found it.
// Owns:       names, places and types. The columns' memory is the batch's: attach() again when it has moved.
// Threads:    confined.
// Invariants: a value that is refused leaves its row's `valid` as it was.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "event/text.h"
#include "formats/internal/json_scan.h"
#include "formats/internal/member_tree.h"

namespace millrace::formats {

enum class ValueFault : uint8_t { kNone, kType, kRange, kFormat, kLength, kElements, kField };

class ArrayElements;
class RowFields;

struct Slot {
  Type type = Type::kText;
  bool any_text = true;  // what a string holds is the value as it stands
  uint32_t length = 0;   // of VARCHAR(n) and NUMERIC(p, s)
  uint32_t scale = 0;
  std::string name;
  TimestampUnit unit = TimestampUnit::kMilliseconds;
  bool added = false;  // what does not fit is NULL
  uint8_t* valid = nullptr;
  void* values = nullptr;
  KnownDay day;                                       // of timestamps
  std::shared_ptr<ArrayElements> elements = nullptr;  // of arrays
  std::shared_ptr<RowFields> fields = nullptr;        // of rows

  template <typename T>
  ValueFault put(size_t row, const T& value) {
    static_cast<T*>(values)[row] = value;
    valid[row] = 1;
    return ValueFault::kNone;
  }
};

class ColumnSlots {
 public:
  // Slot i is the column schema[wanted[i]].
  ColumnSlots(const Schema& schema, const std::vector<int>& wanted);

  // The columns that rows are written to; sized for every row, `valid` included (zero: NULL until a value
  // comes).
  void attach(std::vector<Column>& columns, Arena& arena);
  size_t size() const { return slots_.size(); }
  const Slot& at(int slot) const { return slots_[static_cast<size_t>(slot)]; }
  Arena& arena() { return *arena_; }
  const MemberTree& members() const { return members_; }

  ValueFault put_string(int slot, size_t row, std::string_view text);  // without quotes and escapes
  ValueFault put_number(int slot, size_t row, const json::Number& number);
  ValueFault put_boolean(int slot, size_t row, bool value);
  // Any value that was scanned, as it is written: jsonb takes it, an array takes an array, a row an object. Room for
  // Buffer::kPadding behind it.
  ValueFault put_json(int slot, size_t row, std::string_view value);
  void put_null(int slot, size_t row) { slots_[static_cast<size_t>(slot)].valid[row] = 0; }
  void clear(size_t row);

 private:
  ValueFault put_parsed(Slot& slot, size_t row, std::string_view text);
  ValueFault put_bytes(Slot& slot, size_t row, std::string_view text);
  ValueFault put_decimal(Slot& slot, size_t row, std::string_view number);
  ValueFault put_time(Slot& slot, size_t row, std::string_view text);

  MemberTree members_;
  std::vector<Slot> slots_;
  std::string scratch_;
  Arena* arena_ = nullptr;
};

// In a column of another unit than milliseconds, or of milliseconds that are not whole (whole ones: put_number).
// False: out of range.
bool timestamp_in(TimestampUnit unit, const json::Number& number, int64_t& micros);

[[gnu::always_inline]] inline ValueFault ColumnSlots::put_string(int slot, size_t row,
                                                                 std::string_view text) {
  Slot& s = slots_[static_cast<size_t>(slot)];
  return s.any_text ? s.put(row, text) : put_parsed(s, row, text);
}

[[gnu::always_inline]] inline ValueFault ColumnSlots::put_number(int slot, size_t row,
                                                                 const json::Number& number) {
  Slot& s = slots_[static_cast<size_t>(slot)];
  int64_t integer = 0;
  double real = 0;
  switch (s.type) {
    case Type::kBigint:
      return json::to_bigint(number, integer) ? s.put(row, integer) : ValueFault::kRange;
    case Type::kDouble:
      return json::to_double(number, real) ? s.put(row, real) : ValueFault::kRange;
    case Type::kSmallint:
    case Type::kInteger: {
      const bool fits = json::to_bigint(number, integer) && range_of(s.type).holds(integer);
      return fits ? s.put(row, integer) : ValueFault::kRange;
    }
    case Type::kReal:
      return json::to_real(number, real) ? s.put(row, real) : ValueFault::kRange;
    case Type::kTimestamp:
    case Type::kTimestamptz:
      if (s.unit == TimestampUnit::kMilliseconds && json::to_bigint(number, integer)) [[likely]] {
        const bool fits =
            !__builtin_mul_overflow(integer, int64_t{1000}, &integer) && timestamp_in_range(integer);
        return fits ? s.put(row, integer) : ValueFault::kRange;
      }
      return timestamp_in(s.unit, number, integer) ? s.put(row, integer) : ValueFault::kRange;
    case Type::kNumeric:
      return put_decimal(s, row, number.text);
    default:
      return put_json(slot, row, number.text);
  }
}

[[gnu::always_inline]] inline ValueFault ColumnSlots::put_boolean(int slot, size_t row, bool value) {
  Slot& s = slots_[static_cast<size_t>(slot)];
  if (s.type == Type::kBoolean) [[likely]]
    return s.put(row, static_cast<uint8_t>(value));
  return put_json(slot, row, value ? "true" : "false");
}

}  // namespace millrace::formats
