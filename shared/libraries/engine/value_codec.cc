#include "engine/value_codec.h"

#include <cmath>

#include "engine/aggregate.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

constexpr char kValue = 1;
constexpr char kNullKey = 2;  // behind every value: NULLs are last
constexpr uint64_t kSign = uint64_t{1} << 63;

// A zero byte in a text is 00 FF, its end 00 00: a prefix sorts first.
void append_text_key(std::string& out, std::string_view text) {
  for (size_t zero; (zero = text.find('\0')) != std::string_view::npos; text.remove_prefix(zero + 1)) {
    out.append(text.substr(0, zero)).append("\0\xFF", 2);
  }
  out.append(text).append("\0\0", 2);
}

// Intervals that compare equal are one group: days of 24 hours stand for it.
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

std::string_view take(std::string_view& in, size_t n) {
  const std::string_view front = in.substr(0, n);
  in.remove_prefix(front.size());
  return front;
}

size_t fixed_key_bytes(Type type) {
  switch (physical(type)) {
    case Physical::kBoolean:
      return 1;
    case Physical::kInteger:
    case Physical::kDouble:
      return 8;
    case Physical::kInterval:
      return 16;
    default:
      return 0;
  }
}

// The escaped text up to its end; npos: it has none.
size_t text_key_size(std::string_view in) {
  for (size_t i = 0; i + 1 < in.size(); ++i) {
    if (in[i] != '\0') continue;
    if (in[i + 1] == '\0') return i;
    if (in[i + 1] != '\xFF') break;
    ++i;
  }
  return std::string_view::npos;
}

std::string_view text_of_key(std::string_view escaped, Arena& arena) {
  char* const start = arena.allocate(escaped.size());
  char* end = start;
  for (size_t i = 0; i < escaped.size(); ++i) {
    *end++ = escaped[i];
    if (escaped[i] == '\0') ++i;
  }
  return {start, static_cast<size_t>(end - start)};
}

void push_valid(Column& out) {
  if (!out.valid.empty()) out.valid.push_back(1);
}

Error bad_key() {
  return error(Code::kCorrupt, "MR-SQL-0111", "a stored group key is not of its type");
}

}  // namespace

uint64_t ordered_bits(double value) {
  if (std::isnan(value)) return ~uint64_t{0};
  const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
double from_ordered_bits(uint64_t bits) {
  if (bits == ~uint64_t{0}) return std::nan("");
  return std::bit_cast<double>((bits & kSign) != 0 ? bits & ~kSign : ~bits);
}

void encode_key(std::string& out, const Column& column, size_t row) {
  if (column.type == Type::kNull || column.is_null(row)) {
    out += kNullKey;
    return;
  }
  out += kValue;
  switch (physical(column.type)) {
    case Physical::kNone:
      return;
    case Physical::kBoolean:
      out += static_cast<char>(column.booleans[row] != 0);
      return;
    case Physical::kInteger:
      return append_be(out, static_cast<uint64_t>(column.integers[row]) ^ kSign);
    case Physical::kDouble:
      return append_be(out, ordered_bits(column.doubles[row]));
    case Physical::kText:
      return append_text_key(out, column.texts[row]);
    case Physical::kInterval: {
      const __int128 micros = total_micros(column.intervals[row]);
      append_be(out, static_cast<uint64_t>(micros >> 64) ^ kSign);
      return append_be(out, static_cast<uint64_t>(micros));
    }
  }
}

bool skip_key(std::string_view& in, Type type) {
  const std::string_view marker = take(in, 1);
  if (marker.empty() || (marker[0] != kValue && marker[0] != kNullKey)) return false;
  if (marker[0] == kNullKey || type == Type::kNull) return true;
  if (physical(type) != Physical::kText)
    return take(in, fixed_key_bytes(type)).size() == fixed_key_bytes(type);
  const size_t size = text_key_size(in);
  if (size == std::string_view::npos) return false;
  in.remove_prefix(size + 2);
  return true;
}

void append_text_of_key(std::string& out, std::string_view in) {
  if (in.empty() || in[0] != kValue) return;
  in.remove_prefix(1);
  const size_t size = text_key_size(in);
  if (size == std::string_view::npos) return;
  in = in.substr(0, size);
  for (size_t zero; (zero = in.find('\0')) != std::string_view::npos; in.remove_prefix(zero + 2)) {
    out.append(in.substr(0, zero + 1));
  }
  out.append(in);
}

Status decode_key(std::string_view& in, Type type, Column& out, Arena& arena) {
  std::string_view key = in;
  if (!skip_key(in, type)) return bad_key();
  key = key.substr(0, key.size() - in.size());
  if (key[0] == kNullKey || type == Type::kNull) return out.append_null(), Status();
  key.remove_prefix(1);
  push_valid(out);
  switch (physical(type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      out.booleans.push_back(key[0] != 0);
      break;
    case Physical::kInteger:
      out.integers.push_back(static_cast<int64_t>(load_be<uint64_t>(key.data()) ^ kSign));
      break;
    case Physical::kDouble:
      out.doubles.push_back(from_ordered_bits(load_be<uint64_t>(key.data())));
      break;
    case Physical::kText:
      out.texts.push_back(text_of_key(key.substr(0, key.size() - 2), arena));
      break;
    case Physical::kInterval: {
      const auto high = static_cast<int64_t>(load_be<uint64_t>(key.data()) ^ kSign);
      out.intervals.push_back(
          interval_of((static_cast<__int128>(high) << 64) | load_be<uint64_t>(key.data() + 8)));
      break;
    }
  }
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
