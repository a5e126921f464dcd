#include "json-schema/internal/format_rules.h"

namespace millrace::json_schema {

const FormatRule* find_format(std::string_view) {
  return nullptr;
}

}  // namespace millrace::json_schema
