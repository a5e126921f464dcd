#include "event/ordered_bytes.h"

#include <cmath>

#include "base/bytes.h"
#include "event/text.h"

namespace millrace {
namespace {

constexpr char kValue = 1;
constexpr char kNull = 2;
constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr size_t kLengthBytes = 16;  // of an interval

void append_text(std::string& out, std::string_view text) {
  for (size_t zero; (zero = text.find('\0')) != std::string_view::npos; text.remove_prefix(zero + 1)) {
    out.append(text.substr(0, zero)).append("\0\xFF", 2);
  }
  out.append(text).append("\0\0", 2);
}

void append_interval_bytes(std::string& out, const Interval& interval) {
  const __int128 micros = total_micros(interval);
  append_be(out, static_cast<uint64_t>(micros >> 64) ^ kSign);
  append_be(out, static_cast<uint64_t>(micros));
  append_be(out, interval.months);
  append_be(out, interval.days);
}

Interval interval_from(const char* p) {
  const auto high = static_cast<int64_t>(load_be<uint64_t>(p) ^ kSign);
  const __int128 micros = (static_cast<__int128>(high) << 64) | load_be<uint64_t>(p + 8);
  Interval out{load_be<int32_t>(p + kLengthBytes), load_be<int32_t>(p + kLengthBytes + 4), 0};
  out.micros = static_cast<int64_t>(micros - total_micros(out));
  return out;
}

std::string_view take(std::string_view& in, size_t n) {
  const std::string_view front = in.substr(0, n);
  in.remove_prefix(front.size());
  return front;
}

size_t fixed_bytes(Type type) {
  switch (physical(type)) {
    case Physical::kBoolean:
      return 1;
    case Physical::kInteger:
    case Physical::kDouble:
      return 8;
    case Physical::kInterval:
      return kLengthBytes + 8;
    default:
      return 0;
  }
}

// The escaped text up to its end; npos: it has none.
size_t text_size(std::string_view in) {
  for (size_t i = 0; i + 1 < in.size(); ++i) {
    if (in[i] != '\0') continue;
    if (in[i + 1] == '\0') return i;
    if (in[i + 1] != '\xFF') break;
    ++i;
  }
  return std::string_view::npos;
}

std::string_view unescaped(std::string_view escaped, Arena& arena) {
  char* const start = arena.allocate(escaped.size());
  char* end = start;
  for (size_t i = 0; i < escaped.size(); ++i) {
    *end++ = escaped[i];
    if (escaped[i] == '\0') ++i;
  }
  return {start, static_cast<size_t>(end - start)};
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

void append_ordered(std::string& out, const Column& column, size_t row) {
  if (column.type == Type::kNull || column.is_null(row)) {
    out += kNull;
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
      return append_text(out, column.texts[row]);
    case Physical::kInterval:
      return append_interval_bytes(out, column.intervals[row]);
  }
}

bool skip_ordered(std::string_view& in, Type type) {
  const std::string_view marker = take(in, 1);
  if (marker.empty() || (marker[0] != kValue && marker[0] != kNull)) return false;
  if (marker[0] == kNull || type == Type::kNull) return true;
  if (physical(type) != Physical::kText) return take(in, fixed_bytes(type)).size() == fixed_bytes(type);
  const size_t size = text_size(in);
  if (size == std::string_view::npos) return false;
  in.remove_prefix(size + 2);
  return true;
}

void load_ordered(std::string_view value, Column& out, size_t row, Arena& arena) {
  if (is_ordered_null(value) || out.type == Type::kNull) {
    if (out.valid.empty()) out.valid.assign(out.size(), 1);
    out.valid[row] = 0;
    if (physical(out.type) == Physical::kText) out.texts[row] = {};
    return;
  }
  value.remove_prefix(1);
  if (!out.valid.empty()) out.valid[row] = 1;
  switch (physical(out.type)) {
    case Physical::kNone:
      break;
    case Physical::kBoolean:
      out.booleans[row] = value[0] != 0;
      break;
    case Physical::kInteger:
      out.integers[row] = static_cast<int64_t>(load_be<uint64_t>(value.data()) ^ kSign);
      break;
    case Physical::kDouble:
      out.doubles[row] = from_ordered_bits(load_be<uint64_t>(value.data()));
      break;
    case Physical::kText:
      out.texts[row] = unescaped(value.substr(0, value.size() - 2), arena);
      break;
    case Physical::kInterval:
      out.intervals[row] = interval_from(value.data());
      break;
  }
}

void append_loaded(std::string_view value, Column& out, Arena& arena) {
  const size_t row = out.size();
  out.resize(row + 1);
  load_ordered(value, out, row, arena);
}

bool is_ordered_null(std::string_view value) {
  return value[0] == kNull;
}

std::string_view compared_bytes(std::string_view value, Type type) {
  return type == Type::kInterval ? value.substr(0, 1 + kLengthBytes) : value;
}

void append_ordered_text(std::string& out, std::string_view in) {
  if (in.empty() || in[0] != kValue) return;
  in.remove_prefix(1);
  const size_t size = text_size(in);
  if (size == std::string_view::npos) return;
  in = in.substr(0, size);
  for (size_t zero; (zero = in.find('\0')) != std::string_view::npos; in.remove_prefix(zero + 2)) {
    out.append(in.substr(0, zero + 1));
  }
  out.append(in);
}

}  // namespace millrace
