#include "avro/node.h"

#include <array>

namespace millrace::avro {

namespace {
constexpr std::array<std::string_view, 14> kNames = {"null",   "boolean", "int",    "long",   "float",
                                                     "double", "bytes",   "string", "record", "enum",
                                                     "fixed",  "array",   "map",    "union"};
}  // namespace

std::string_view to_string(Kind kind) {
  return kNames[static_cast<size_t>(kind)];
}

std::optional<Kind> primitive_of(std::string_view name) {
  for (size_t i = 0; i <= static_cast<size_t>(Kind::kString); ++i)
    if (kNames[i] == name) return static_cast<Kind>(i);
  return std::nullopt;
}

}  // namespace millrace::avro
