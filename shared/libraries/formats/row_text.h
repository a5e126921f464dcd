// PostgreSQL's text of a row: (a,"b c",,"") is a, b c, NULL and an empty text.
#pragma once

#include <string>
#include <string_view>

#include "event/row.h"

namespace millrace::formats {

Result<std::string> parse_row(Type row, std::string_view text);
void append_row(std::string& out, Type row, std::string_view bytes);

}  // namespace millrace::formats
