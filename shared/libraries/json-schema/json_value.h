// Value: the JSON of a schema's text, read whole, with what simdjson's documents forget: numbers as they were written and
// members in the order of the text. For schemas, which are read once; events are simdjson's.
//
// Owns:    everything.
// Errors:  MR-JSCH-0001 with the place; MR-JSCH-0002 beyond a bound.
// Bound:   kMostTextBytes, kMostDepth, kMostValues.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::json_schema {

constexpr size_t kMostTextBytes = 4 << 20;
constexpr size_t kMostDepth = 256;       // of arrays and objects in each other: readers recurse
constexpr size_t kMostValues = 500'000;  // about 120 bytes each

struct Member;

struct Value {
  enum class Type : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

  Type type = Type::kNull;
  bool boolean = false;
  std::string text;          // a string's characters; a number as it was written
  std::vector<Value> items;  // an array's
  std::vector<Member>
      members;  // an object's, in the order of the text, each name once: the last one of a name counts
  std::vector<uint32_t> by_name;  // the members' places, sorted by name

  bool is(Type other) const { return type == other; }
  const Value* find(std::string_view name) const;  // a member's value; null: none, or no object
};

struct Member {
  std::string name;
  Value value;
};

std::string_view to_string(Value::Type type);  // "null", "boolean", …

Result<Value> parse_json(std::string_view text);

enum class MemberOrder : uint8_t { kOfText, kByName };
std::string write_json(const Value& value, MemberOrder order = MemberOrder::kOfText);  // without white space

}  // namespace millrace::json_schema
