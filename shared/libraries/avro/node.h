// Node: one type of a schema, as it was declared; a schema is a graph of them.
//
// Owns:       nothing but its texts: nodes live in the SchemaTree that parsed them, and point to each other.
// Invariants: every mention of a type without a name is a node of its own; a named type is one node, however often it is
//             mentioned. Immutable once parsed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "avro/json_tree.h"

namespace millrace::avro {

enum class Kind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kFixed,
  kArray,
  kMap,
  kUnion
};

std::string_view to_string(Kind kind);                    // "int", "record"
std::optional<Kind> primitive_of(std::string_view name);  // kNull … kString
constexpr bool is_named(Kind kind) {
  return kind == Kind::kRecord || kind == Kind::kEnum || kind == Kind::kFixed;
}

// What a logical type says of the values, where it is one that the specification knows and that fits its type.
enum class Logical : uint8_t {
  kNone,
  kDecimal,
  kUuid,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
  kTimestampNanos,
  kLocalTimestampMillis,
  kLocalTimestampMicros,
  kLocalTimestampNanos,
  kDuration
};

struct Node;

struct Field {
  std::string name;
  const Node* type = nullptr;
  std::optional<JsonValue> default_value;
  std::optional<std::string> doc;
  std::string order;  // "descending", "ignore"; empty: ascending
  std::vector<std::string> aliases;
  std::vector<JsonMember> properties;
};

struct Node {
  Kind kind = Kind::kNull;
  Logical logical = Logical::kNone;
  bool is_error = false;              // a record that was declared as an error
  uint32_t number = 0;                // in its tree, from 0
  uint32_t precision = 0, scale = 0;  // of a decimal
  int32_t size = 0;                   // of a fixed
  std::string name;                   // the full name, of a named type
  std::optional<std::string> doc;
  std::vector<std::string> aliases;     // full names
  std::vector<JsonMember> properties;   // what the specification does not know
  std::vector<Field> fields;            // of a record
  std::vector<std::string> symbols;     // of an enum
  std::optional<std::string> fallback;  // an enum's default
  const Node* element = nullptr;        // an array's items, a map's values
  std::vector<const Node*> branches;    // of a union

  std::string_view simple_name() const { return std::string_view(name).substr(name.rfind('.') + 1); }
  std::string_view space() const {
    const size_t dot = name.rfind('.');
    return dot == std::string::npos ? std::string_view() : std::string_view(name).substr(0, dot);
  }
  // What a union knows its branch by: the full name, or the name of the type.
  std::string_view branch_name() const { return is_named(kind) ? std::string_view(name) : to_string(kind); }
};

struct SchemaTree {
  std::deque<Node> nodes;  // addresses never move
  const Node* root = nullptr;
  uint32_t own = 0;  // nodes from this number on are of the text itself, those before of its references
};

}  // namespace millrace::avro
