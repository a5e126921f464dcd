#include "schema/identifiers.h"

#include <fmt/format.h>

namespace millrace::schema {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string identifier_of(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if ((c & 0xC0) == 0x80) continue;  // inside a character
    out += is_letter(c) || is_digit(c) ? c : '_';
  }
  if (out.empty() || is_digit(out.front())) out.insert(out.begin(), '_');
  return out;
}

std::string camel_case(std::string_view identifier) {
  std::string out;
  bool starts = true;
  for (const char c : identifier) {
    if (c != '_') out += starts && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    starts = c == '_' || is_digit(c);
  }
  return out.empty() || is_digit(out.front()) ? "Row" + out : out;
}

bool Identifiers::take_as_it_is(const std::string& identifier) {
  return taken_.insert(compared_ ? compared_(identifier) : identifier).second;
}

std::string Identifiers::take(std::string_view name) {
  std::string identifier = identifier_of(name);
  if (take_as_it_is(identifier)) return identifier;
  for (size_t& number = next_.try_emplace(identifier, 2).first->second;; ++number) {
    std::string numbered = fmt::format("{}_{}", identifier, number);
    if (take_as_it_is(numbered)) return numbered;
  }
}

std::vector<std::string> Identifiers::take_all(const std::vector<std::string_view>& names) {
  std::vector<std::string> out(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string identifier = identifier_of(names[i]);
    if (identifier == names[i] && take_as_it_is(identifier)) out[i] = identifier;
  }
  for (size_t i = 0; i < names.size(); ++i)
    if (out[i].empty()) out[i] = take(names[i]);
  return out;
}

}  // namespace millrace::schema
