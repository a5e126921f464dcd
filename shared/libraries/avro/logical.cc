#include "avro/logical.h"

#include <cmath>

#include "avro/defaults.h"

namespace millrace::avro {

namespace {

struct Known {
  std::string_view name;
  Logical logical;
  Kind kind;
};
constexpr Known kKnown[] = {
    {"decimal", Logical::kDecimal, Kind::kBytes},
    {"decimal", Logical::kDecimal, Kind::kFixed},
    {"uuid", Logical::kUuid, Kind::kString},
    {"uuid", Logical::kUuid, Kind::kFixed},
    {"date", Logical::kDate, Kind::kInt},
    {"time-millis", Logical::kTimeMillis, Kind::kInt},
    {"time-micros", Logical::kTimeMicros, Kind::kLong},
    {"timestamp-millis", Logical::kTimestampMillis, Kind::kLong},
    {"timestamp-micros", Logical::kTimestampMicros, Kind::kLong},
    {"timestamp-nanos", Logical::kTimestampNanos, Kind::kLong},
    {"local-timestamp-millis", Logical::kLocalTimestampMillis, Kind::kLong},
    {"local-timestamp-micros", Logical::kLocalTimestampMicros, Kind::kLong},
    {"local-timestamp-nanos", Logical::kLocalTimestampNanos, Kind::kLong},
    {"duration", Logical::kDuration, Kind::kFixed},
};

const JsonValue* property(const Node& node, std::string_view name) {
  for (const JsonMember& m : node.properties)
    if (m.name == name) return &m.value;
  return nullptr;
}

std::optional<int64_t> number(const Node& node, std::string_view name, std::optional<int64_t> missing) {
  const JsonValue* value = property(node, name);
  return value == nullptr ? missing : integer_of(*value);
}

// How many decimal digits fit in any case.
int64_t most_digits(const Node& node) {
  if (node.kind == Kind::kBytes) return INT32_MAX;
  return static_cast<int64_t>(std::floor(std::log10(2.0) * (8.0 * node.size - 1)));
}

bool read_decimal(Node& node) {
  const auto precision = number(node, "precision", std::nullopt), scale = number(node, "scale", 0);
  if (!precision || !scale || *precision <= 0 || *precision > most_digits(node)) return false;
  if (*scale < 0 || *scale > *precision) return false;
  node.precision = static_cast<uint32_t>(*precision);
  node.scale = static_cast<uint32_t>(*scale);
  return true;
}

bool fits(Node& node, Logical logical) {
  if (logical == Logical::kDecimal) return read_decimal(node);
  if (logical == Logical::kUuid) return node.kind == Kind::kString || node.size == 16;
  return logical != Logical::kDuration || node.size == 12;
}

}  // namespace

void read_logical_type(Node& node) {
  const JsonValue* name = property(node, "logicalType");
  if (name == nullptr || !name->is(JsonValue::Kind::kString)) return;
  for (const Known& known : kKnown)
    if (known.name == name->text && known.kind == node.kind && fits(node, known.logical))
      node.logical = known.logical;
}

}  // namespace millrace::avro
