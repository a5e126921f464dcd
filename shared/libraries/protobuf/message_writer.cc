#include "protobuf/message_writer.h"

#include <fmt/format.h>

#include <bit>

#include "base/bytes.h"
#include "event/array.h"
#include "event/decimal.h"
#include "event/row.h"
#include "event/text.h"
#include "protobuf/message_file.h"

namespace millrace::protobuf {
namespace {

enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kSized = 2, kFixed32 = 5 };

Wire wire_of(Type type) {
  if (is_integer(type) || type == Type::kBoolean) return Wire::kVarint;
  if (type == Type::kReal) return Wire::kFixed32;
  return type == Type::kDouble ? Wire::kFixed64 : Wire::kSized;
}

void append_tag(std::string& out, uint32_t number, Wire wire) {
  append_varint(out, number << 3 | static_cast<uint32_t>(wire));
}

// What is longer than its length's byte says moves up for the others.
size_t begin_sized(std::string& out) {
  out += '\0';
  return out.size();
}
void end_sized(std::string& out, size_t begin) {
  const size_t size = out.size() - begin;
  char length[10];
  const auto bytes = static_cast<size_t>(store_varint(length, size) - length);
  out[begin - 1] = length[0];
  if (bytes > 1) out.insert(begin, length + 1, bytes - 1);
}

// A number of one of Google's own messages, which leave out zeros.
void append_number(std::string& out, uint32_t number, int64_t value) {
  if (value == 0) return;
  append_tag(out, number, Wire::kVarint);
  append_varint(out, static_cast<uint64_t>(value));
}

void append_moment(std::string& out, int64_t micros) {
  int64_t seconds = micros / kMicrosPerSecond;
  if (micros % kMicrosPerSecond < 0) --seconds;
  append_number(out, 1, seconds);
  append_number(out, 2, (micros - seconds * kMicrosPerSecond) * 1'000);
}

void append_day(std::string& out, int64_t days) {
  const CivilDate date = civil_of(days);
  append_number(out, 1, date.year);
  append_number(out, 2, date.month);
  append_number(out, 3, date.day);
}

void append_time_of_day(std::string& out, int64_t micros) {
  const int64_t seconds = micros / kMicrosPerSecond;
  append_number(out, 1, seconds / 3'600);
  append_number(out, 2, seconds / 60 % 60);
  append_number(out, 3, seconds % 60);
  append_number(out, 4, micros % kMicrosPerSecond * 1'000);
}

}  // namespace

struct MessageWriter::Impl {
  // A field, and what is in it: an array's item, a row's fields. Those have a column for one value.
  struct Place {
    Type type;
    uint32_t number;
    Column value = {};
    std::vector<Place> parts = {};
  };

  static std::vector<Place> places_of(const millrace::Schema& columns) {
    std::vector<Place> places;
    for (size_t i = 0; i < columns.size(); ++i) places.push_back(place_of(columns[i].type, field_number(i)));
    return places;
  }
  static Place place_of(Type type, uint32_t number) {
    Place place{.type = type, .number = number};
    place.value.type = type;
    place.value.resize(1);
    if (is_array(type)) place.parts.push_back(place_of(element_of(type), number));
    if (is_row(type)) place.parts = places_of(fields_of(type));
    return place;
  }

  // False: an item is NULL.
  bool field(std::string& out, Place& place, const Column& column, size_t row) {
    if (place.type == Type::kNull || column.is_null(row)) return true;
    if (is_array(place.type)) return array(out, place.parts[0], column.texts[row]);
    append_tag(out, place.number, wire_of(place.type));
    return value(out, place, column, row);
  }

  bool value(std::string& out, Place& place, const Column& column, size_t row) {
    switch (physical(place.type)) {
      case Physical::kNone:
        break;
      case Physical::kBoolean:
        out += static_cast<char>(column.booleans[row] != 0);
        break;
      case Physical::kInteger:
        integer(out, place.type, column.integers[row]);
        break;
      case Physical::kDouble:
        if (place.type == Type::kReal)
          append_le(out, std::bit_cast<uint32_t>(static_cast<float>(column.doubles[row])));
        else
          append_le(out, std::bit_cast<uint64_t>(column.doubles[row]));
        break;
      case Physical::kInterval:
        scratch.clear();
        append_interval(scratch, column.intervals[row]);
        append_bytes(out, scratch);
        break;
      case Physical::kText:
        return bytes(out, place, column.texts[row]);
    }
    return true;
  }

  static void integer(std::string& out, Type type, int64_t value) {
    if (is_integer(type)) return append_varint(out, static_cast<uint64_t>(value));
    const size_t begin = begin_sized(out);
    if (is_timestamp(type)) append_moment(out, value);
    if (type == Type::kDate) append_day(out, value);
    if (type == Type::kTime) append_time_of_day(out, value);
    end_sized(out, begin);
  }

  bool bytes(std::string& out, Place& place, std::string_view kept) {
    if (is_row(place.type)) return fields(out, place, kept);
    if (place.type != Type::kNumeric) {
      append_bytes(out, kept);
      return true;
    }
    scratch.clear();
    append_decimal(scratch, decimal_from(kept));
    append_bytes(out, scratch);
    return true;
  }

  // Numbers stand together behind one tag, what has a length of its own behind a tag each.
  bool array(std::string& out, Place& item, std::string_view kept) {
    if (kept.empty()) return true;
    const bool packed = wire_of(item.type) != Wire::kSized;
    append_tag(out, item.number, Wire::kSized);
    size_t begin = packed ? begin_sized(out) : 0;
    bool first = true;
    ArrayReader reader(kept, item.type);
    for (std::string_view ordered; reader.next(ordered); first = false) {
      if (is_ordered_null(ordered)) return false;
      if (!packed && !first) append_tag(out, item.number, Wire::kSized);
      load_ordered(ordered, item.value, 0, arena);
      if (!value(out, item, item.value, 0)) return false;
    }
    if (packed) end_sized(out, begin);
    return true;
  }

  bool fields(std::string& out, Place& place, std::string_view kept) {
    const size_t begin = begin_sized(out);
    for (Place& part : place.parts) {
      const std::string_view before = kept;
      CHECK(skip_ordered(kept, part.type), "a row has all its fields");
      load_ordered(before.substr(0, before.size() - kept.size()), part.value, 0, arena);
      if (!field(out, part, part.value, 0)) return false;
    }
    end_sized(out, begin);
    return true;
  }

  std::vector<Place> places;
  std::vector<std::string> names;  // of the columns
  Arena arena;                     // of the row that is being written
  std::string scratch;             // of one value
};

MessageWriter::MessageWriter(const millrace::Schema& columns) : impl_(std::make_unique<Impl>()) {
  impl_->places = Impl::places_of(columns);
  for (const ColumnDef& column : columns) impl_->names.push_back(column.name);
}
MessageWriter::~MessageWriter() = default;

Status MessageWriter::append(std::string& out, const std::vector<const Column*>& columns, size_t row) {
  impl_->arena.clear();
  const size_t before = out.size();
  for (size_t i = 0; i < impl_->places.size(); ++i) {
    if (impl_->field(out, impl_->places[i], *columns[i], row)) continue;
    out.resize(before);
    return error(
        Code::kInvalid, "MR-PROTO-0014",
        fmt::format("an array in the column \"{}\" has a NULL in it, which a repeated field cannot hold",
                    impl_->names[i]),
        "leave NULLs out of the array, or use Avro");
  }
  return {};
}

}  // namespace millrace::protobuf
