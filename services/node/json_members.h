// Members of JSON that somebody else has written. Nothing: there is none of this name and type, or the JSON is no object.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::cli {

using Json = nlohmann::ordered_json;

const Json& member_in(const Json& object, const char* name);  // null: there is none
std::optional<std::string> text_in(const Json& object, const char* name);
std::optional<uint64_t> number_in(const Json& object, const char* name);
std::optional<bool> flag_in(const Json& object, const char* name);

// Of a list. Nothing: it is no list, or something else is in it.
std::optional<std::vector<std::string>> texts_of(const Json& list);
std::optional<std::vector<uint64_t>> numbers_of(const Json& list);

}  // namespace millrace::cli
