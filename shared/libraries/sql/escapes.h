// What the lexer needs to know of UTF-8, and the escapes of E'…'.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::sql {

// Bytes of the UTF-8 character at the front; 0 if it is not one (overlong, surrogate, above U+10FFFF, cut
// short, zero).
size_t utf8_length(std::string_view s);
// The value of what stands between the quotes of E'…', or between other quotes. The caller has seen that every
// quote in it is doubled or escaped.
Result<std::string> escaped_value(std::string_view in, const SourceSpan& span, char quote = '\'');

}  // namespace millrace::sql
