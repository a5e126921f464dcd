// jsonb: a JSON value as canonical text, as PostgreSQL prints it.
//
// Why:        values are views in columns, keys and messages; one text a value makes comparing and grouping plain
//             comparisons of bytes, and printing a copy.
// Canonical:  a space behind each ':' and ','; members by the length of their names, then by bytes, each once (the
//             last counts); strings without needless escapes; numbers as plain digits without needless zeros, so
//             that equal numbers are equal texts (PostgreSQL keeps the zeros of 1.50).
// Invariants: only parse_jsonb() and append_jsonb…() make such texts; all else here takes nothing but such.
// Bound:      kMaxJsonDepth deep; numbers of at most kMaxJsonbDigits digits.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::formats {

inline constexpr int kMaxJsonbDigits = 1'000;

Result<std::string> parse_jsonb(std::string_view text);
// The same of a value that was scanned already and has Buffer::kPadding readable bytes behind it. False: it has a
// number beyond the bound, or a zero character.
bool append_canonical(std::string& out, std::string_view value);
void append_jsonb_string(std::string& out, std::string_view text);
struct JsonbMember {
  std::string name;
  std::string value;  // canonical
};
// Of several members of one name the last counts.
void append_jsonb_object(std::string& out, std::vector<JsonbMember> members);
bool append_jsonb_number(std::string& out, std::string_view number);  // false: beyond the bound

enum class JsonbKind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
JsonbKind jsonb_kind(std::string_view value);

std::optional<std::string_view> jsonb_member(std::string_view object, std::string_view name);
std::optional<std::string_view> jsonb_element(std::string_view array,
                                              int64_t index);  // negative: from the end
// One step of a path: a member's name, or an element's number.
std::optional<std::string_view> jsonb_step(std::string_view value, std::string_view name);
// Whether there is a member of that name, such a string in an array, or this is the string.
bool jsonb_exists(std::string_view value, std::string_view name);
// Each member's name (as a JSON string) and value in order, of an array: an empty name and each element. Stops at
// the first that is answered with false.
using JsonbVisit = std::function<bool(std::string_view name, std::string_view value)>;
void visit_jsonb(std::string_view container, const JsonbVisit& visit);
// A string's characters, any other value's text.
void append_jsonb_text(std::string& out, std::string_view value);
// Whether `inner` is in `outer`, as PostgreSQL's @> says.
bool jsonb_contains(std::string_view outer, std::string_view inner);

}  // namespace millrace::formats
