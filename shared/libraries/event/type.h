// The value types of events and SQL, and the scalar that holds one value of any of them.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace millrace {

enum class Type : uint32_t {
  kNull = 0,  // the type of a bare NULL literal; never a column's
  kBoolean = 1,
  kBigint = 2,
  kDouble = 3,
  kText = 4,
  kTimestamptz = 5,  // microseconds since the Unix epoch, UTC
  kInterval = 6,
  kSmallint = 7,
  kInteger = 8,
  kReal = 9,        // doubles that a float holds
  kDate = 10,       // days since the Unix epoch
  kTime = 11,       // microseconds of the day, 24:00 included
  kTimestamp = 12,  // without a zone: microseconds since 1970-01-01 00:00 on the same clock
  kBytea = 13,      // the bytes
  kUuid = 14,       // canonical text
  kJsonb = 15,      // canonical text
  kNumeric = 16,    // ordered bytes (decimal.h)
  kRecord = 17,     // in functions' signatures: a row of whatever type; never a column's
};

// An array of a type has that type's number and one bit more. Arrays have one dimension (array.h).
inline constexpr unsigned kArrayBit = 64;
constexpr bool is_array(Type type) {
  return (static_cast<unsigned>(type) & kArrayBit) != 0;
}
constexpr Type array_of(Type element) {
  return static_cast<Type>(static_cast<unsigned>(element) | kArrayBit);
}
// Of any other type: itself.
constexpr Type element_of(Type type) {
  return static_cast<Type>(static_cast<unsigned>(type) & ~kArrayBit);
}
// Row types have the multiples of this number, as they are made (row_type.h).
inline constexpr unsigned kRowUnit = 2 * kArrayBit;
constexpr bool is_row(Type type) {
  return !is_array(type) && static_cast<unsigned>(type) >= kRowUnit;
}

std::string_view to_string(
    Type type);  // PostgreSQL's names: "boolean", "double precision", "bigint[]", "row<a text>", …

// How values of a type are kept: what copies, compares, stores or encodes them looks at this alone.
enum class Physical : uint8_t { kNone, kBoolean, kInteger, kDouble, kText, kInterval };
constexpr Physical physical(Type type) {
  switch (type) {
    case Type::kNull:
      return Physical::kNone;
    case Type::kBoolean:
      return Physical::kBoolean;
    case Type::kSmallint:
    case Type::kInteger:
    case Type::kBigint:
    case Type::kDate:
    case Type::kTime:
    case Type::kTimestamp:
    case Type::kTimestamptz:
      return Physical::kInteger;
    case Type::kReal:
    case Type::kDouble:
      return Physical::kDouble;
    case Type::kText:
    case Type::kBytea:
    case Type::kUuid:
    case Type::kJsonb:
    case Type::kNumeric:
    case Type::kRecord:
      return Physical::kText;
    case Type::kInterval:
      return Physical::kInterval;
  }
  return Physical::kText;  // arrays and rows
}

constexpr bool is_integer(Type type) {
  return type == Type::kSmallint || type == Type::kInteger || type == Type::kBigint;
}
constexpr bool is_number(Type type) {
  return is_integer(type) || physical(type) == Physical::kDouble || type == Type::kNumeric;
}
bool has_order(Type type);  // all but jsonb: PostgreSQL's is of no use, and not that of its text
constexpr bool is_timestamp(Type type) {
  return type == Type::kTimestamp || type == Type::kTimestamptz;
}

// PostgreSQL's interval: three parts that do not mix. Ordered and compared with 30-day months and 24-hour
// days.
struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

struct Timestamp {
  int64_t micros = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// One value. std::monostate is NULL. A Timestamp is of either timestamp type, an int64_t of any other type that
// is kept as an integer.
using Scalar = std::variant<std::monostate, bool, int64_t, double, std::string, Timestamp, Interval>;
Scalar integer_scalar(Type type, int64_t value);
int64_t integer_of(const Scalar& value);

// The nearest real. False: it overflows, or becomes zero without being zero.
bool to_real(double value, double& real);

// What a number in a timestamp's column of JSON counts, since 1970.
enum class TimestampUnit : uint8_t { kMilliseconds = 0, kSeconds = 1, kMicroseconds = 2, kNanoseconds = 3 };
std::string_view to_string(TimestampUnit unit);  // "ms", "s", "us", "ns"

inline constexpr size_t kMaxPathMembers = 16;

struct ColumnDef {
  std::string name;
  Type type = Type::kText;
  TimestampUnit unit = TimestampUnit::kMilliseconds;  // of timestamps
  // Where it stands in an event: the members to go through, outermost first, at most kMaxPathMembers. Empty: the
  // event's own member of the column's name.
  std::vector<std::string> path = {};
  // Of VARCHAR(n), in characters, or NUMERIC(p, s), in digits, and of each element of an array of them; 0: no bound.
  uint32_t length = 0;
  uint32_t scale = 0;  // of NUMERIC(p, s)
  // To a stream that was there: an event from before it may have something else in its place, which is read as NULL.
  bool added = false;

  std::span<const std::string> members() const {
    return path.empty() ? std::span(&name, 1) : std::span(path);
  }
};
using Schema = std::vector<ColumnDef>;
std::string declared_type(const ColumnDef& column);  // with its length

// Text forms, PostgreSQL's and RFC 3339's. parse_* answer kInvalid with a message that quotes the input
// (shortened).
Result<Timestamp> parse_timestamp(
    std::string_view text);  // RFC 3339, and PostgreSQL's "2001-01-01 00:47:00+00"
void append_timestamp(std::string& out,
                      Timestamp value);  // "2001-01-01T00:47:00Z", fraction only if not zero
Result<Interval> parse_interval(
    std::string_view text);  // "1 hour", "10 minutes 30 seconds", "01:30:00", "1 day"
void append_interval(std::string& out, Interval value);  // PostgreSQL's style: "1 day 02:00:00"
Result<int64_t> parse_bigint(std::string_view text);
// By storage: a text as the value of a type kept as an integer or a double, and back.
Result<int64_t> parse_integer_text(Type type, std::string_view text);
Result<double> parse_double_text(Type type, std::string_view text);
void append_integer_text(std::string& out, Type type, int64_t value);
void append_double_text(std::string& out, Type type, double value);
Result<double> parse_double(std::string_view text);
void append_double(std::string& out, double value);  // shortest that reads back, as PostgreSQL prints
Result<bool> parse_boolean(std::string_view text);   // PostgreSQL's spellings

}  // namespace millrace
