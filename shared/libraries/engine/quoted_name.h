// A name as SQL writes it: in double quotes where it would not be read back without them.
#pragma once

#include <string>
#include <string_view>

namespace millrace::engine {

void append_quoted_name(std::string& out, std::string_view name);

}  // namespace millrace::engine
