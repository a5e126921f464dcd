// Base64 as RFC 4648 says, with padding and without line breaks.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

bool is_base64(std::string_view text);
void append_base64(std::string& out, std::string_view bytes);
// False: it is no base64; `out` is as it was.
bool append_from_base64(std::string& out, std::string_view text);

}  // namespace millrace
