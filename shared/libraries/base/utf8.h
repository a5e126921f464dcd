// UTF-8: the bytes of a code point.
#pragma once

#include <cstdint>
#include <string>

namespace millrace {

void append_utf8(std::string& out, uint32_t code_point);

}  // namespace millrace
