// Keywords as PostgreSQL sorts them: only the reserved ones cannot name a column, so "time", "key" and "type"
// can.
#pragma once

#include <string_view>

namespace millrace::sql {

// `word` in lower case.
bool is_reserved(std::string_view word);               // never a name without quotes
bool is_type_or_function_word(std::string_view word);  // LEFT, LIKE, …: not a column's name either
bool is_bare_label(std::string_view word);             // may follow an expression as its name without AS

// Same letters, whatever the case.
bool same_word(std::string_view a, std::string_view b);

}  // namespace millrace::sql
