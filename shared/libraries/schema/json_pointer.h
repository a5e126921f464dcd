// A step of a JSON Pointer, RFC 6901: "a/b" is written "a~1b".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::schema {

std::string pointer_escaped(std::string_view step);
std::optional<std::string> pointer_unescaped(std::string_view step);  // nothing: a '~' without 0 or 1

}  // namespace millrace::schema
