#include "formats/json.h"

namespace millrace::formats {
namespace {

// Behind the string's closing quote.
size_t end_of_string(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

}  // namespace

void append_with_quoted_numbers(std::string& out, std::string_view json) {
  for (size_t at = 0; at < json.size();) {
    const size_t next = std::min(json.find_first_of("\"-0123456789", at), json.size());
    out.append(json, at, next - at);
    at = next;
    if (at == json.size()) return;
    const bool is_string = json[at] == '"';
    const size_t end = is_string ? end_of_string(json, at)
                                 : std::min(json.find_first_not_of("+-.0123456789eE", at), json.size());
    if (!is_string) out += '"';
    out.append(json, at, end - at);
    if (!is_string) out += '"';
    at = end;
  }
}

}  // namespace millrace::formats
