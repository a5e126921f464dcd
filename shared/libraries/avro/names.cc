#include "avro/names.h"

#include "avro/utf8.h"

namespace millrace::avro {

bool is_simple_name(std::string_view name) {
  bool first = true;
  while (!name.empty()) {
    const CodePoint c = first_code_point(name);
    const bool letter =
        c.value >= 0x80 || c.value == '_' || ((c.value | 0x20) >= 'a' && (c.value | 0x20) <= 'z');
    const bool digit = c.value >= '0' && c.value <= '9';
    if (!letter && (first || !digit)) return false;
    first = false;
    name.remove_prefix(c.bytes);
  }
  return !first;
}

bool is_full_name(std::string_view name) {
  for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    if (!is_simple_name(name.substr(0, dot))) return false;
    name.remove_prefix(dot + 1);
  }
  return is_simple_name(name);
}

std::string full_name(std::string_view name, std::string_view space) {
  if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
  return std::string(space).append(".").append(name);
}

}  // namespace millrace::avro
