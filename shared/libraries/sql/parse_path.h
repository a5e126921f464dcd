// The path of a column, behind PATH in CREATE STREAM: SQL/JSON's, of member accessors alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::sql {

// The members that `text` goes through: those of $.a."b c" are a and b c. `span`: of the string in the statement.
Result<std::vector<std::string>> parse_path(std::string_view text, const SourceSpan& span);

}  // namespace millrace::sql
