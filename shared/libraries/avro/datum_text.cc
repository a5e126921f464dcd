#include "avro/datum_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "avro/number_text.h"
#include "avro/utf8.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "event/decimal.h"
#include "event/text.h"

namespace millrace::avro {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Microseconds, rounded down, where the type counts something finer or coarser.
std::optional<int64_t> micros_of(int64_t value, Logical logical) {
  switch (logical) {
    case Logical::kTimestampMillis:
    case Logical::kLocalTimestampMillis:
    case Logical::kTimeMillis: {
      int64_t micros = 0;
      return __builtin_mul_overflow(value, 1000, &micros) ? std::nullopt : std::optional(micros);
    }
    case Logical::kTimestampNanos:
    case Logical::kLocalTimestampNanos:
      return value / 1000 - (value % 1000 < 0 ? 1 : 0);
    default:
      return value;
  }
}

std::optional<int64_t> from_micros(int64_t micros, Logical logical) {
  switch (logical) {
    case Logical::kTimestampMillis:
    case Logical::kLocalTimestampMillis:
    case Logical::kTimeMillis:
      if (micros % 1000 != 0) return std::nullopt;
      return micros / 1000;
    case Logical::kTimestampNanos:
    case Logical::kLocalTimestampNanos: {
      int64_t nanos = 0;
      return __builtin_mul_overflow(micros, 1000, &nanos) ? std::nullopt : std::optional(nanos);
    }
    default:
      return micros;
  }
}

enum class Clock : uint8_t { kNone, kDate, kTime, kZoned, kLocal };
Clock clock_of(Logical logical) {
  switch (logical) {
    case Logical::kDate:
      return Clock::kDate;
    case Logical::kTimeMillis:
    case Logical::kTimeMicros:
      return Clock::kTime;
    case Logical::kTimestampMillis:
    case Logical::kTimestampMicros:
    case Logical::kTimestampNanos:
      return Clock::kZoned;
    case Logical::kLocalTimestampMillis:
    case Logical::kLocalTimestampMicros:
    case Logical::kLocalTimestampNanos:
      return Clock::kLocal;
    default:
      return Clock::kNone;
  }
}
Type event_type(Clock clock) {
  constexpr Type kTypes[] = {Type::kBigint, Type::kDate, Type::kTime, Type::kTimestamptz, Type::kTimestamp};
  return kTypes[static_cast<size_t>(clock)];
}

// A big-endian number in two's complement, divided by ten again and again.
std::string digits_of(std::string_view bytes, bool& negative) {
  negative = !bytes.empty() && (bytes[0] & 0x80) != 0;
  std::string rest(bytes), digits;
  if (negative) {
    for (char& c : rest) c = static_cast<char>(~c);
    for (size_t i = rest.size(); i-- > 0;)
      if (++rest[i] != 0) break;
  }
  size_t from = 0;
  while (from < rest.size()) {
    unsigned remainder = 0;
    for (size_t i = from; i < rest.size(); ++i) {
      const unsigned value = remainder * 256 + static_cast<unsigned char>(rest[i]);
      rest[i] = static_cast<char>(value / 10);
      remainder = value % 10;
    }
    digits += static_cast<char>('0' + remainder);
    while (from < rest.size() && rest[from] == 0) ++from;
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string bytes_of_digits(std::string_view digits, bool negative) {
  std::string little;
  for (const char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (char& c : little) {
      const unsigned value = static_cast<unsigned char>(c) * 10u + carry;
      c = static_cast<char>(value & 0xFF);
      carry = value >> 8;
    }
    if (carry != 0) little += static_cast<char>(carry);
  }
  if (little.empty() || (little.back() & 0x80) != 0) little += '\0';  // room for the sign
  if (negative) {
    bool carry = true;
    for (char& c : little) {
      c = static_cast<char>(~c);
      if (carry) carry = ++c == 0;
    }
    while (little.size() > 1 && little.back() == '\xFF' && (little[little.size() - 2] & 0x80) != 0)
      little.pop_back();
  }
  std::reverse(little.begin(), little.end());
  return little;
}

std::optional<Decimal> decimal_in(const Node& type, std::string_view bytes) {
  if (bytes.size() > kMaxDecimalBytes) return std::nullopt;
  bool negative = false;
  std::string digits = digits_of(bytes, negative);
  const int scale = static_cast<int>(std::min<uint32_t>(type.scale, kMaxDecimalDigits + 1));
  auto value =
      read_decimal((negative ? "-" : "") + (digits.empty() ? "0" : digits) + "e-" + std::to_string(scale));
  if (value && !fits(*value, static_cast<int>(type.precision), scale)) value.reset();
  return value;
}

bool append_decimal_value(std::string& out, const Node& type, std::string_view bytes) {
  const auto value = decimal_in(type, bytes);
  if (value) append_decimal(out, *value);
  return value.has_value();
}

std::optional<std::string> decimal_value(const Node& type, std::string_view text) {
  const auto value = read_decimal(text);
  if (!value || value->scale() > static_cast<int>(type.scale) ||
      !fits(*value, static_cast<int>(type.precision), static_cast<int>(type.scale)))
    return std::nullopt;
  std::string digits = value->digits;
  if (!digits.empty()) {
    const int64_t all = int64_t{value->point} + type.scale;
    if (all > kMaxDecimalDigits) return std::nullopt;
    digits.append(static_cast<size_t>(all) - digits.size(), '0');
  }
  std::string bytes = bytes_of_digits(digits, value->negative);
  const size_t size = type.kind == Kind::kFixed ? static_cast<size_t>(type.size) : bytes.size();
  if (size > kMaxDecimalBytes || bytes.size() > size) return std::nullopt;  // as it would not be read
  return std::string(size - bytes.size(), value->negative ? '\xFF' : '\0') + bytes;
}

constexpr size_t kHyphens[] = {8, 13, 18, 23};

void append_uuid(std::string& out, std::string_view bytes) {
  out += '"';
  const size_t start = out.size();
  for (const char c : bytes) {
    const size_t at = out.size() - start;
    if (std::find(std::begin(kHyphens), std::end(kHyphens), at) != std::end(kHyphens)) out += '-';
    (out += kHexDigits[static_cast<unsigned char>(c) >> 4]) += kHexDigits[c & 0xF];
  }
  out += '"';
}

std::optional<std::string> bytes_of_hex(std::string_view digits) {
  std::string out;
  if (digits.size() % 2 != 0) return std::nullopt;
  for (size_t i = 0; i < digits.size(); i += 2) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    if (failure != std::errc() || end != digits.data() + i + 2) return std::nullopt;
    out += static_cast<char>(value);
  }
  return out;
}

void append_duration(std::string& out, std::string_view bytes) {
  out += fmt::format(R"({{"months":{},"days":{},"millis":{}}})", load_le<uint32_t>(bytes.data()),
                     load_le<uint32_t>(bytes.data() + 4), load_le<uint32_t>(bytes.data() + 8));
}

}  // namespace

Type column_type(Logical logical) {
  return event_type(clock_of(logical));
}

std::optional<int64_t> column_integer(const Node& type, int64_t value) {
  const auto micros = micros_of(value, type.logical);
  if (!micros || !range_of(column_type(type.logical)).holds(*micros)) return std::nullopt;
  return micros;
}

std::optional<std::string> column_decimal(const Node& type, std::string_view bytes) {
  const auto value = decimal_in(type, bytes);
  if (!value || !fits(*value, static_cast<int>(type.precision), static_cast<int>(type.scale)))
    return std::nullopt;
  return decimal_bytes(*value);
}

const Node& meaning_of(const Node& writer, const Node& reader) {
  const bool decimals = writer.logical == Logical::kDecimal && reader.logical == Logical::kDecimal;
  const Clock clock = clock_of(writer.logical);
  return decimals || (clock != Clock::kNone && clock == clock_of(reader.logical)) ? writer : reader;
}

bool append_logical(std::string& out, const Node& type, int64_t value) {
  const auto kept = column_integer(type, value);
  if (clock_of(type.logical) == Clock::kNone || !kept) return false;
  out += '"';
  append_integer_text(out, column_type(type.logical), *kept);
  out += '"';
  return true;
}

bool append_logical(std::string& out, const Node& type, std::string_view bytes) {
  switch (type.logical) {
    case Logical::kDecimal:
      return append_decimal_value(out, type, bytes);
    case Logical::kUuid:
      if (type.kind == Kind::kFixed) append_uuid(out, bytes);
      return type.kind == Kind::kFixed;
    case Logical::kDuration:
      append_duration(out, bytes);
      return true;
    default:
      return false;
  }
}

std::optional<int64_t> logical_integer(const Node& type, std::string_view text) {
  const Clock clock = clock_of(type.logical);
  if (clock == Clock::kNone) return std::nullopt;
  const auto parsed = parse_integer_text(event_type(clock), text);
  return parsed.ok() ? from_micros(*parsed, type.logical) : std::nullopt;
}

std::optional<std::string> logical_bytes(const Node& type, std::string_view text) {
  if (type.logical == Logical::kDecimal) return decimal_value(type, text);
  if (type.logical != Logical::kUuid || type.kind != Kind::kFixed || text.size() != 36) return std::nullopt;
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = std::find(std::begin(kHyphens), std::end(kHyphens), i) != std::end(kHyphens);
    if (hyphen != (text[i] == '-')) return std::nullopt;
    if (!hyphen) digits += text[i];
  }
  return bytes_of_hex(digits);
}

void append_latin1(std::string& out, std::string_view bytes) {
  std::string text;
  for (const char c : bytes) append_utf8(text, static_cast<unsigned char>(c));
  append_quoted(out, text);
}

std::optional<std::string> bytes_of_latin1(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    if (c.value > 0xFF) return std::nullopt;
    out += static_cast<char>(c.value);
    text.remove_prefix(c.bytes);
  }
  return out;
}

void append_hex_text(std::string& out, std::string_view bytes) {
  out += "\"\\\\x";
  for (const char c : bytes) (out += kHexDigits[static_cast<unsigned char>(c) >> 4]) += kHexDigits[c & 0xF];
  out += '"';
}

std::optional<std::string> bytes_of_hex_text(std::string_view text) {
  if (!text.starts_with("\\x")) return std::nullopt;
  return bytes_of_hex(text.substr(2));
}

namespace {

template <typename T>
void append_finite(std::string& out, T value) {
  if (!std::isfinite(value)) return append_quoted(out, double_text(value));
  char buffer[40];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

}  // namespace

void append_real(std::string& out, double value) {
  append_finite(out, value);
}
void append_real(std::string& out, float value) {
  append_finite(out, value);
}

}  // namespace millrace::avro
