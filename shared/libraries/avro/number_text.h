// Numbers as Java writes them in a schema's text: 1000.0, 1.0E10.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::avro {

std::optional<double> double_of(
    std::string_view number);           // of a JSON number; nothing: not one a double can be near
std::string double_text(double value);  // finite or not
// A JSON number with a fraction or an exponent, as its double is written; one that no double is near as it stands.
std::string real_text(std::string_view number);

}  // namespace millrace::avro
