// What is checked of a .proto text before a recursive parser sees it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace millrace::protobuf {

Status check_text_bounds(std::string_view text);
SourceSpan span_at(std::string_view text, size_t offset);

}  // namespace millrace::protobuf
