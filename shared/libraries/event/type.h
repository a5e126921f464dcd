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

enum class Type : uint8_t {
  kNull = 0,  // the type of a bare NULL literal; never a column's
  kBoolean = 1,
  kBigint = 2,
  kDouble = 3,
  kText = 4,
  kTimestamptz = 5,  // microseconds since the Unix epoch, UTC
  kInterval = 6,
};

std::string_view to_string(Type type);  // PostgreSQL's names: "boolean", "bigint", "double precision", …

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

// One value. std::monostate is NULL.
using Scalar = std::variant<std::monostate, bool, int64_t, double, std::string, Timestamp, Interval>;

// What a number in a timestamptz column of JSON counts, since 1970.
enum class TimestampUnit : uint8_t { kMilliseconds = 0, kSeconds = 1, kMicroseconds = 2, kNanoseconds = 3 };
std::string_view to_string(TimestampUnit unit);  // "ms", "s", "us", "ns"

inline constexpr size_t kMaxPathMembers = 16;

struct ColumnDef {
  std::string name;
  Type type = Type::kText;
  TimestampUnit unit = TimestampUnit::kMilliseconds;  // kTimestamptz
  // Where it stands in an event: the members to go through, outermost first, at most kMaxPathMembers. Empty: the
  // event's own member of the column's name.
  std::vector<std::string> path = {};

  std::span<const std::string> members() const {
    return path.empty() ? std::span(&name, 1) : std::span(path);
  }
};
using Schema = std::vector<ColumnDef>;

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
Result<double> parse_double(std::string_view text);
void append_double(std::string& out, double value);  // shortest that reads back, as PostgreSQL prints
Result<bool> parse_boolean(std::string_view text);   // PostgreSQL's spellings

}  // namespace millrace
