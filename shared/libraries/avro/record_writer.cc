#include "avro/record_writer.h"

#include <bit>

#include "avro/record_schema.h"
#include "base/bytes.h"
#include "base/result.h"
#include "event/array.h"
#include "event/decimal.h"
#include "event/row.h"
#include "event/small_decimal.h"

namespace millrace::avro {
namespace {

constexpr char kNullBranch = 0, kValueBranch = 2;  // of ["null", T]

void append_long(std::string& out, int64_t value) {
  append_varint(out, zigzag(value));
}
void append_sized(std::string& out, std::string_view bytes) {
  append_long(out, static_cast<int64_t>(bytes.size()));
  out += bytes;
}

// value * 10^scale of what has no more digits than a decimal may have.
__int128 unscaled(std::string_view numeric, int scale) {
  if (const auto small = small_decimal(numeric))
    if (const auto whole = scaled(*small, scale)) return *whole;
  const Decimal decimal = decimal_from(numeric);
  const int digits = decimal.point + scale;
  CHECK(decimal.scale() <= scale && digits <= static_cast<int>(kMaxDecimalPrecision),
        "a numeric's column keeps what its type holds");
  __int128 whole = 0;
  for (int i = 0; i < digits; ++i) {
    const auto at = static_cast<size_t>(i);
    whole = whole * 10 + (at < decimal.digits.size() ? decimal.digits[at] - '0' : 0);
  }
  return decimal.negative ? -whole : whole;
}

// As few bytes as show the sign, the highest first.
void append_unscaled(std::string& out, __int128 value) {
  char bytes[sizeof value];
  size_t first = sizeof value;
  do {
    bytes[--first] = static_cast<char>(value);
    value >>= 8;
  } while (value != (static_cast<signed char>(bytes[first]) < 0 ? -1 : 0));
  append_sized(out, {bytes + first, sizeof value - first});
}

}  // namespace

struct RecordWriter::Impl {
  // A type, and what is in it: an array's items, a row's fields. Those have a column for one value.
  struct Place {
    Type type;
    int scale = -1;  // of decimals
    Column value = {};
    std::vector<Place> parts = {};
  };

  static Place place_of(const ColumnDef& column, Type type) {
    Place place{.type = type, .scale = has_decimals(column) ? static_cast<int>(column.scale) : -1};
    place.value.type = type;
    place.value.resize(1);
    if (is_array(type)) place.parts.push_back(place_of(column, element_of(type)));
    if (is_row(type))
      for (const ColumnDef& field : fields_of(type)) place.parts.push_back(place_of(field, field.type));
    return place;
  }

  void nullable(std::string& out, Place& place, const Column& column, size_t row) {
    if (place.type == Type::kNull || column.is_null(row)) {
      out += kNullBranch;
      return;
    }
    out += kValueBranch;
    value(out, place, column, row);
  }

  void value(std::string& out, Place& place, const Column& column, size_t row) {
    switch (physical(place.type)) {
      case Physical::kNone:
        return;
      case Physical::kBoolean:
        out += static_cast<char>(column.booleans[row] != 0);
        return;
      case Physical::kInteger:
        return append_long(out, column.integers[row]);
      case Physical::kDouble:
        if (place.type == Type::kReal)
          return append_le(out, std::bit_cast<uint32_t>(static_cast<float>(column.doubles[row])));
        return append_le(out, std::bit_cast<uint64_t>(column.doubles[row]));
      case Physical::kInterval:
        scratch.clear();
        append_interval(scratch, column.intervals[row]);
        return append_sized(out, scratch);
      case Physical::kText:
        return bytes(out, place, column.texts[row]);
    }
  }

  void bytes(std::string& out, Place& place, std::string_view kept) {
    if (is_array(place.type)) return array(out, place, kept);
    if (is_row(place.type)) return fields(out, place, kept);
    if (place.type != Type::kNumeric) return append_sized(out, kept);
    if (place.scale >= 0) return append_unscaled(out, unscaled(kept, place.scale));
    scratch.clear();
    append_decimal(scratch, decimal_from(kept));
    append_sized(out, scratch);
  }

  // One block of all items, and none behind it.
  void array(std::string& out, Place& place, std::string_view kept) {
    const Type element = element_of(place.type);
    const size_t count = array_size(kept, element);
    if (count > 0) append_long(out, static_cast<int64_t>(count));
    ArrayReader reader(kept, element);
    for (std::string_view item; reader.next(item);) loaded(out, place.parts[0], item);
    out += '\0';
  }

  void fields(std::string& out, Place& place, std::string_view kept) {
    for (Place& part : place.parts) {
      const std::string_view before = kept;
      CHECK(skip_ordered(kept, part.type), "a row has all its fields");
      loaded(out, part, before.substr(0, before.size() - kept.size()));
    }
  }

  void loaded(std::string& out, Place& part, std::string_view ordered) {
    load_ordered(ordered, part.value, 0, arena);
    nullable(out, part, part.value, 0);
  }

  std::vector<Place> places;
  Arena arena;          // of the row that is being written
  std::string scratch;  // of one value
};

RecordWriter::RecordWriter(const millrace::Schema& columns) : impl_(std::make_unique<Impl>()) {
  for (const ColumnDef& column : columns) impl_->places.push_back(Impl::place_of(column, column.type));
}
RecordWriter::~RecordWriter() = default;

void RecordWriter::append(std::string& out, const std::vector<const Column*>& columns, size_t row) {
  impl_->arena.clear();
  for (size_t i = 0; i < impl_->places.size(); ++i) impl_->nullable(out, impl_->places[i], *columns[i], row);
}

}  // namespace millrace::avro
