// The texts of single values: what a logical type says, and bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "avro/node.h"
#include "event/type.h"

namespace millrace::avro {

inline constexpr size_t kMaxDecimalBytes = 400;  // of kMaxDecimalDigits

// JSON, quoted where it is a text. False: the type says nothing of such a value, or the value is none of the type's.
// Whose logical type says what a value is: of times in other units, or decimals of another scale, the writer's.
const Node& meaning_of(const Node& writer, const Node& reader);
bool append_logical(std::string& out, const Node& type, int64_t value);
bool append_logical(std::string& out, const Node& type, std::string_view bytes);

// Back. Nothing: the text is none of the type's.
std::optional<int64_t> logical_integer(const Node& type, std::string_view text);
std::optional<std::string> logical_bytes(const Node& type, std::string_view text);

// As columns keep them: microseconds, days; a decimal's ordered bytes. Nothing: out of the column's range.
std::optional<int64_t> column_integer(const Node& type, int64_t value);
std::optional<std::string> column_decimal(const Node& type, std::string_view bytes);
Type column_type(Logical logical);  // of a date or time; otherwise bigint

void append_latin1(std::string& out, std::string_view bytes);       // JSON: each byte a code point
std::optional<std::string> bytes_of_latin1(std::string_view text);  // nothing: a code point over U+00FF
void append_hex_text(std::string& out, std::string_view bytes);     // JSON: "\\x6869"
std::optional<std::string> bytes_of_hex_text(std::string_view text);

void append_real(std::string& out, double value);  // JSON; what is not finite in quotes
void append_real(std::string& out, float value);

}  // namespace millrace::avro
