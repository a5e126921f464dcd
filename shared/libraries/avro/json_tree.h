// JsonValue: a JSON text as a tree that remembers where each value stood and how a number was written.
//
// Why:    a schema's text is handed out again with every property it came with, and its errors name a line; JSON
//         readers that are made for speed keep neither.
// Errors: MR-AVRO-0001 not JSON, MR-AVRO-0002 over a bound; with the place.
// Bound:  kMaxJsonBytes, kMaxJsonDepth. Of several members of one name the last one's value counts, where the first stood.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::avro {

inline constexpr size_t kMaxJsonBytes = 1u << 20;
inline constexpr int kMaxJsonDepth = 500;

struct JsonMember;

struct JsonValue {
  enum class Kind : uint8_t { kNull, kBoolean, kInteger, kReal, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  uint32_t offset = 0;           // where it begins
  std::string text;              // a string's value; a number as it is written
  std::vector<JsonValue> items;  // of an array
  std::vector<JsonMember> members;

  bool is(Kind other) const { return kind == other; }
  const JsonValue* find(std::string_view name) const;  // nullptr: no such member
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

std::string_view to_string(JsonValue::Kind kind);  // for messages: "an object"

Result<JsonValue> parse_json(std::string_view text);
SourceSpan span_at(std::string_view text, uint32_t offset);

void append_quoted(std::string& out, std::string_view text);
// Compact. `sorted`: the members of every object by name.
void append_json(std::string& out, const JsonValue& value, bool sorted = false);

}  // namespace millrace::avro
