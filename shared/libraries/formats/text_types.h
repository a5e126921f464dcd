// The types that are kept as bytes, and their texts.
//
// uuid:   lower-case hexadecimal digits with hyphens: their order is the values'.
// bytea:  the bytes themselves; as text `\x` and hexadecimal digits.
// jsonb:  canonical JSON (jsonb.h).
// numeric: ordered bytes (event/decimal.h).
// arrays: ordered bytes (event/array.h); as text {1,2}.
// rows:    ordered bytes (event/row.h); as text (1,2).
#pragma once

#include <string>
#include <string_view>

#include "event/type.h"

namespace millrace::formats {

// What a column keeps for a text. PostgreSQL's forms.
Result<std::string> parse_text(Type type, std::string_view text);
// The text of what a column keeps.
void append_text(std::string& out, Type type, std::string_view value);

constexpr bool is_kept_as_text(Type type) {
  return physical(type) == Physical::kText && type != Type::kBytea && type != Type::kNumeric &&
         !is_array(type) && !is_row(type);
}

bool is_utf8(std::string_view text);
void append_hex(std::string& out, std::string_view bytes);
// Pairs of hexadecimal digits, white space between them. False: it is something else.
bool append_unhexed(std::string& out, std::string_view digits);

}  // namespace millrace::formats
