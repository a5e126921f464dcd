#include "event/type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "event/digits.h"
#include "event/row_type.h"
#include "event/text.h"

namespace millrace {
namespace {

std::string_view scalar_name(Type type) {
  switch (type) {
    case Type::kNull:
      return "unknown";
    case Type::kBoolean:
      return "boolean";
    case Type::kBigint:
      return "bigint";
    case Type::kDouble:
      return "double precision";
    case Type::kText:
      return "text";
    case Type::kTimestamptz:
      return "timestamp with time zone";
    case Type::kInterval:
      return "interval";
    case Type::kSmallint:
      return "smallint";
    case Type::kInteger:
      return "integer";
    case Type::kReal:
      return "real";
    case Type::kDate:
      return "date";
    case Type::kTime:
      return "time without time zone";
    case Type::kTimestamp:
      return "timestamp without time zone";
    case Type::kBytea:
      return "bytea";
    case Type::kUuid:
      return "uuid";
    case Type::kJsonb:
      return "jsonb";
    case Type::kNumeric:
      return "numeric";
    case Type::kRecord:
      return "record";
  }
  return "unknown";
}

}  // namespace

std::string_view to_string(Type type) {
  if (is_row(element_of(type))) return row_name(type);
  if (!is_array(type)) return scalar_name(type);
  static const auto names = [] {
    std::array<std::string, kArrayBit> made;
    for (unsigned i = 0; i < kArrayBit; ++i) made[i] = std::string(scalar_name(static_cast<Type>(i))) + "[]";
    return made;
  }();
  return names[static_cast<size_t>(element_of(type)) % kArrayBit];
}

bool has_order(Type type) {
  type = element_of(type);
  if (!is_row(type)) return type != Type::kJsonb;
  return std::ranges::all_of(fields_of(type), [](const ColumnDef& field) { return has_order(field.type); });
}

std::string declared_type(const ColumnDef& column) {
  if (column.length == 0) return std::string(to_string(column.type));
  const std::string length = std::to_string(column.length);
  const bool numeric = element_of(column.type) == Type::kNumeric;
  const std::string element = numeric ? "numeric(" + length + "," + std::to_string(column.scale) + ")"
                                      : "character varying(" + length + ")";
  return is_array(column.type) ? element + "[]" : element;
}

Scalar integer_scalar(Type type, int64_t value) {
  return is_timestamp(type) ? Scalar(Timestamp{value}) : Scalar(value);
}

int64_t integer_of(const Scalar& value) {
  const auto* timestamp = std::get_if<Timestamp>(&value);
  return timestamp != nullptr ? timestamp->micros : std::get<int64_t>(value);
}

bool to_real(double value, double& real) {
  real = static_cast<double>(static_cast<float>(value));
  return std::isinf(real) == std::isinf(value) && (real != 0 || value == 0);
}

std::string_view to_string(TimestampUnit unit) {
  switch (unit) {
    case TimestampUnit::kMilliseconds:
      return "ms";
    case TimestampUnit::kSeconds:
      return "s";
    case TimestampUnit::kMicroseconds:
      return "us";
    case TimestampUnit::kNanoseconds:
      return "ns";
  }
  return "ms";
}

std::string quoted_start(std::string_view text) {
  constexpr size_t kShown = 40;
  std::string out = "\"";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte >= 0x7F || c == '"' ? '?' : c;
  }
  return out += text.size() > kShown ? "…\"" : "\"";
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Error invalid_text(Type type, std::string_view text, std::string_view hint) {
  return error(Code::kInvalid, "MR-EVT-0101",
               "invalid input for type " + std::string(to_string(type)) + ": " + quoted_start(text),
               std::string(hint));
}

Error out_of_range(Type type, std::string_view text) {
  return error(Code::kInvalid, "MR-EVT-0102",
               "value " + quoted_start(text) + " is out of range for type " + std::string(to_string(type)));
}

namespace {

Result<int64_t> parse_whole(Type type, std::string_view text) {
  std::string_view digits = trimmed(text);
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure == std::errc::invalid_argument || end != digits.data() + digits.size()) {
    return invalid_text(type, text, "a whole number is expected");
  }
  if (failure == std::errc::result_out_of_range || !range_of(type).holds(value))
    return out_of_range(type, text);
  return value;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] + 32) : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

// "NaN", "inf", "infinity", with a sign. from_chars would take them too, and "nan(…)" besides.
std::optional<double> special_double(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (equals_ignoring_case(text, "infinity") || equals_ignoring_case(text, "inf")) {
    return negative ? -INFINITY : INFINITY;
  }
  if (!negative && equals_ignoring_case(text, "nan")) return std::nan("");
  return std::nullopt;
}

template <typename Float>
Result<double> parse_float(Type type, std::string_view text) {
  std::string_view digits = trimmed(text);
  if (const auto special = special_double(digits)) return *special;
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  if (digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    return invalid_text(type, text, "a number is expected");
  }
  Float value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure == std::errc::invalid_argument || end != digits.data() + digits.size()) {
    return invalid_text(type, text, "a number is expected");
  }
  if (failure == std::errc::result_out_of_range) return out_of_range(type, text);
  return value;
}

// d.ddde±xx from to_chars, taken apart.
struct Decimal {
  char digits[24];
  int count = 0;
  int exponent = 0;  // of the first digit
};

template <typename Float>
Decimal shortest(Float value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  Decimal d;
  const char* p = buffer;
  for (; p != end && *p != 'e'; ++p) {
    if (*p != '.') d.digits[d.count++] = *p;
  }
  ++p;
  if (p != end && *p == '+') ++p;
  std::from_chars(p, end, d.exponent);
  return d;
}

char* put_bytes(char* p, const char* bytes, int count) {
  std::memcpy(p, bytes, static_cast<size_t>(count));
  return p + count;
}

char* put_scientific(char* p, const Decimal& d) {
  *p++ = d.digits[0];
  if (d.count > 1) {
    *p++ = '.';
    p = put_bytes(p, d.digits + 1, d.count - 1);
  }
  *p++ = 'e';
  *p++ = d.exponent < 0 ? '-' : '+';
  const int magnitude = std::abs(d.exponent);
  if (magnitude < 10) *p++ = '0';
  return put_unsigned(p, static_cast<uint64_t>(magnitude));
}

char* put_fixed(char* p, const Decimal& d) {
  if (d.exponent < 0) {
    *p++ = '0';
    *p++ = '.';
    p = std::fill_n(p, -d.exponent - 1, '0');
    return put_bytes(p, d.digits, d.count);
  }
  const int whole = d.exponent + 1;
  if (d.count <= whole) return std::fill_n(put_bytes(p, d.digits, d.count), whole - d.count, '0');
  p = put_bytes(p, d.digits, whole);
  *p++ = '.';
  return put_bytes(p, d.digits + whole, d.count - whole);
}

// What most values are: six decimals at most, fifteen digits. No two decimals of so few digits are one double, so what
// divides back to the value is the shortest text. nullptr: another value.
char* put_short(char* p, double value) {
  constexpr uint64_t kScale = 1'000'000;
  if (!(value < 1e9) || (value < 1e-4 && value != 0)) return nullptr;
  const auto scaled = static_cast<uint64_t>(value * kScale + 0.5);
  if (static_cast<double>(scaled) / kScale != value) return nullptr;
  p = put_unsigned(p, scaled / kScale);
  const uint64_t digits = eight_digits(static_cast<uint32_t>(scaled % kScale) * 100);
  if (digits == 0) return p;
  *p = '.';
  put_eight(p + 1, digits | kEightZeros);
  return p + 1 + (8 - std::countl_zero(digits) / 8);
}

// PostgreSQL's rule: plain digits from 1e-4 up to what so many digits hold.
template <typename Float>
char* put_float(char* p, Float value, int plain_digits) {
  if (std::isnan(value)) return put_bytes(p, "NaN", 3);
  if (std::signbit(value)) *p++ = '-';
  value = std::fabs(value);
  if (std::isinf(value)) return put_bytes(p, "Infinity", 8);
  if constexpr (std::is_same_v<Float, double>) {
    if (char* const end = put_short(p, value)) return end;
  }
  const Decimal d = shortest(value);
  return d.exponent < -4 || d.exponent >= plain_digits ? put_scientific(p, d) : put_fixed(p, d);
}

}  // namespace

Result<int64_t> parse_bigint(std::string_view text) {
  return parse_whole(Type::kBigint, text);
}

Result<int64_t> parse_integer_text(Type type, std::string_view text) {
  if (is_integer(type)) return parse_whole(type, text);
  if (type == Type::kDate) return parse_date(text);
  if (type == Type::kTime) return parse_time(text);
  TRY_ASSIGN(const Timestamp value,
             type == Type::kTimestamp ? parse_local_timestamp(text) : parse_timestamp(text));
  return value.micros;
}

void append_integer_text(std::string& out, Type type, int64_t value) {
  if (type == Type::kDate) return append_date(out, value);
  if (type == Type::kTime) return append_time(out, value);
  if (type == Type::kTimestamp) return append_local_timestamp(out, Timestamp{value});
  if (type == Type::kTimestamptz) return append_timestamp(out, Timestamp{value});
  char buffer[kIntegerBytes];
  out.append(buffer, put_integer(buffer, value));
}

Result<double> parse_double(std::string_view text) {
  return parse_float<double>(Type::kDouble, text);
}

Result<double> parse_double_text(Type type, std::string_view text) {
  return type == Type::kReal ? parse_float<float>(type, text) : parse_float<double>(type, text);
}

char* put_double(char* p, double value) {
  return put_float(p, value, 15);
}

void append_double(std::string& out, double value) {
  append_double_text(out, Type::kDouble, value);
}

void append_double_text(std::string& out, Type type, double value) {
  char buffer[kDoubleBytes];
  char* const end =
      type == Type::kReal ? put_float(buffer, static_cast<float>(value), 6) : put_double(buffer, value);
  out.append(buffer, end);
}

Result<bool> parse_boolean(std::string_view text) {
  const std::string_view word = trimmed(text);
  // Any prefix that tells them apart is accepted, as PostgreSQL does; "o" alone could be on or off.
  const auto prefix_of = [&](std::string_view full, size_t least) {
    return word.size() >= least && word.size() <= full.size() &&
           equals_ignoring_case(word, full.substr(0, word.size()));
  };
  if (word == "1" || prefix_of("true", 1) || prefix_of("yes", 1) || prefix_of("on", 2)) return true;
  if (word == "0" || prefix_of("false", 1) || prefix_of("no", 1) || prefix_of("off", 2)) return false;
  return invalid_text(Type::kBoolean, text, "true or false is expected");
}

}  // namespace millrace
