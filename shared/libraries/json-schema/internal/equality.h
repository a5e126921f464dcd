// Equality as JSON Schema has it: numbers by value, objects whatever the order of their members.
//
// Bound: `work` is counted down by what is compared; at 0 the answer is "not equal" and means nothing.
#pragma once

#include "json-schema/internal/instance.h"

namespace millrace::json_schema {

constexpr size_t kBytesAStep = 16;  // of a text

bool equal(const Value& a, const Instance& b, int64_t& work);
// Whether two items of an array are equal.
bool has_equal_items(const simdjson::dom::array& array, int64_t& work);

}  // namespace millrace::json_schema
