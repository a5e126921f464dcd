// A value as a test file writes it, and back.
#pragma once

#include <string>

#include "base/result.h"
#include "event/batch.h"

namespace millrace::query_tests {

inline constexpr const char* kNull = "null";

std::string shown(const Scalar& value);
Scalar value_of(const Column& column, size_t row);  // some types as their text
// A token of `push` as an event's field in JSON: 0:01 is a time after 2001-01-01; what is quoted stays so.
Result<std::string> json_of(const std::string& token, Type type);
// An event's declared columns.
Result<std::vector<Scalar>> decode_event(const Schema& columns, const std::string& json);
std::string timestamp_text(Timestamp at);

}  // namespace millrace::query_tests
