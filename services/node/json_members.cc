#include "node/json_members.h"

#include <algorithm>

namespace millrace::cli {
namespace {

bool is_number(const Json& value) {
  return value.is_number_unsigned();
}

bool is_text(const Json& value) {
  return value.is_string();
}

template <typename T>
std::optional<T> read(const Json& value, bool has_type) {
  return has_type ? std::optional(value.get<T>()) : std::nullopt;
}

}  // namespace

const Json& member_in(const Json& object, const char* name) {
  static const Json none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

std::optional<std::string> text_in(const Json& object, const char* name) {
  const Json& value = member_in(object, name);
  return read<std::string>(value, is_text(value));
}

std::optional<uint64_t> number_in(const Json& object, const char* name) {
  const Json& value = member_in(object, name);
  return read<uint64_t>(value, is_number(value));
}

std::optional<bool> flag_in(const Json& object, const char* name) {
  const Json& value = member_in(object, name);
  return read<bool>(value, value.is_boolean());
}

std::optional<std::vector<std::string>> texts_of(const Json& list) {
  return read<std::vector<std::string>>(list,
                                        list.is_array() && std::all_of(list.begin(), list.end(), is_text));
}

std::optional<std::vector<uint64_t>> numbers_of(const Json& list) {
  return read<std::vector<uint64_t>>(list,
                                     list.is_array() && std::all_of(list.begin(), list.end(), is_number));
}

}  // namespace millrace::cli
