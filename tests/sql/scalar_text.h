// A value as PostgreSQL is asked for it and answers it; NULL is the word.
#pragma once

#include <string>

#include "event/text.h"
#include "formats/text_types.h"

namespace millrace {

inline std::string text_of(const Scalar& value, Type type) {
  std::string out;
  if (const auto* v = std::get_if<bool>(&value)) out = *v ? "true" : "false";
  if (const auto* v = std::get_if<int64_t>(&value)) append_integer_text(out, type, *v);
  if (const auto* v = std::get_if<double>(&value)) append_double_text(out, type, *v);
  if (const auto* v = std::get_if<std::string>(&value)) formats::append_text(out, type, *v);
  if (const auto* v = std::get_if<Timestamp>(&value)) append_integer_text(out, type, v->micros);
  if (const auto* v = std::get_if<Interval>(&value)) append_interval(out, *v);
  return value.index() == 0 ? "NULL" : out;
}

}  // namespace millrace
