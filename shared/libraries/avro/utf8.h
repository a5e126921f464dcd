// UTF-8: what a string's bytes have to be.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::avro {

bool is_utf8(std::string_view bytes);
// The code point that begins the text, and how many bytes it takes. The text is UTF-8 and not empty.
struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 1;
};
CodePoint first_code_point(std::string_view text);

}  // namespace millrace::avro
