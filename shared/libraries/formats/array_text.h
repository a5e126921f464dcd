// PostgreSQL's text of an array, {a,"b c",NULL}, and the texts of values of any type.
#pragma once

#include <string>
#include <string_view>

#include "event/array.h"

namespace millrace::formats {

// What a column keeps for a text, as a scalar.
Result<Scalar> parse_value(Type type, std::string_view text);
// A value that is not NULL, as PostgreSQL's output functions write it but for times (RFC 3339): booleans are t and f.
void append_output(std::string& out, const Column& column, size_t row);

Result<std::string> parse_array(Type array, std::string_view text);
void append_array(std::string& out, Type array, std::string_view bytes);

}  // namespace millrace::formats
