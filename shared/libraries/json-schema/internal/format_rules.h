// What `format` demands of a string, where it is to be checked at all.
#pragma once

#include <string_view>

namespace millrace::json_schema {

struct FormatRule {
  std::string_view name;
  bool (*holds)(std::string_view text);
  int steps = 1;  // of the machine's bound that it is worth
};
// Null: an unknown format, which demands nothing.
const FormatRule* find_format(std::string_view name);

}  // namespace millrace::json_schema
