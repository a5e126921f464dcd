#include "engine/value_codec.h"

#include "engine/aggregate.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

// A group key is ordered bytes, but for an interval's months and days.
constexpr size_t kLengthBytes = 16;
constexpr size_t kPartsBytes = 8;
constexpr char kThere = 1;  // before a value that is not NULL
constexpr uint64_t kSign = uint64_t{1} << 63;

void push_valid(Column& out) {
  if (!out.valid.empty()) out.valid.push_back(1);
}

Error bad_key() {
  return error(Code::kCorrupt, "MR-SQL-0111", "a stored group key is not of its type");
}

}  // namespace

Interval interval_of(__int128 micros) {
  const __int128 days = micros / kMicrosPerDay;
  Interval i;
  i.micros = static_cast<int64_t>(micros % kMicrosPerDay);
  if (days >= INT32_MIN && days <= INT32_MAX) {
    i.days = static_cast<int32_t>(days);
  } else {
    i.months = static_cast<int32_t>(days / 30);
    i.days = static_cast<int32_t>(days % 30);
  }
  return i;
}

void encode_key(std::string& out, const Column& column, size_t row) {
  append_ordered(out, column, row);
  if (column.type == Type::kInterval && !column.is_null(row)) out.resize(out.size() - kPartsBytes);
}

void append_end(std::string& key, int64_t end) {
  key += kThere;
  append_be(key, static_cast<uint64_t>(end) ^ kSign);
}

int64_t end_of(std::string_view key) {
  return static_cast<int64_t>(load_be<uint64_t>(key.data() + key.size() - sizeof(int64_t)) ^ kSign);
}

int64_t take_end(std::string_view& key) {
  const int64_t end = end_of(key);
  key.remove_suffix(sizeof(int64_t) + 1);
  return end;
}

bool skip_key(std::string_view& in, Type type) {
  if (type != Type::kInterval) return skip_ordered(in, type);
  const std::string_view key = in;
  if (!skip_ordered(in, Type::kNull)) return false;  // the marker alone
  if (is_ordered_null(key)) return true;
  if (in.size() < kLengthBytes) return false;
  in.remove_prefix(kLengthBytes);
  return true;
}

Status decode_key(std::string_view& in, Type type, Column& out, Arena& arena) {
  std::string_view key = in;
  if (!skip_key(in, type)) return bad_key();
  key = key.substr(0, key.size() - in.size());
  if (type != Type::kInterval || is_ordered_null(key)) return append_loaded(key, out, arena), Status();
  push_valid(out);
  const auto high = static_cast<int64_t>(load_be<uint64_t>(key.data() + 1) ^ kSign);
  out.intervals.push_back(
      interval_of((static_cast<__int128>(high) << 64) | load_be<uint64_t>(key.data() + 9)));
  return {};
}

void encode_value(std::string& out, const Column& column, size_t row) {
  const bool null = column.type == Type::kNull || column.is_null(row);
  out += static_cast<char>(!null);
  if (null) return;
  switch (physical(column.type)) {
    case Physical::kNone:
      return;
    case Physical::kBoolean:
      out += static_cast<char>(column.booleans[row] != 0);
      return;
    case Physical::kInteger:
      return append_varint(out, zigzag(column.integers[row]));
    case Physical::kDouble:
      return append_le(out, std::bit_cast<uint64_t>(column.doubles[row]));
    case Physical::kText:
      return append_bytes(out, column.texts[row]);
    case Physical::kInterval:
      append_varint(out, zigzag(column.intervals[row].months));
      append_varint(out, zigzag(column.intervals[row].days));
      return append_varint(out, zigzag(column.intervals[row].micros));
  }
}

bool decode_value(ByteReader& in, Column& out, Arena& arena) {
  if (in.le<uint8_t>() == 0) return out.append_null(), in.ok();
  if (physical(out.type) == Physical::kNone) return out.append_null(), false;
  push_valid(out);
  switch (physical(out.type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      out.booleans.push_back(in.le<uint8_t>() != 0);
      break;
    case Physical::kInteger:
      out.integers.push_back(in.signed_varint());
      break;
    case Physical::kDouble:
      out.doubles.push_back(std::bit_cast<double>(in.le<uint64_t>()));
      break;
    case Physical::kText:
      out.texts.push_back(arena.keep(in.bytes()));
      break;
    case Physical::kInterval: {
      Interval i;
      i.months = static_cast<int32_t>(in.signed_varint());
      i.days = static_cast<int32_t>(in.signed_varint());
      i.micros = in.signed_varint();
      out.intervals.push_back(i);
      break;
    }
  }
  return in.ok();
}

}  // namespace millrace::engine
