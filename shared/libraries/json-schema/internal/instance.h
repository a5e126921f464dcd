// What is validated: a value of an event, or the name of a member. Its type and characters are read once.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string_view>

#include "json-schema/internal/number.h"
#include "json-schema/json_value.h"

namespace millrace::json_schema {

// A set of types, as the keywords tell them apart.
enum TypeBit : uint8_t {
  kNull = 1,
  kBool = 2,
  kInteger = 4,
  kFraction = 8,
  kText = 16,
  kArray = 32,
  kObject = 64
};
constexpr uint8_t kAnyNumber = kInteger | kFraction;
constexpr uint8_t kAnyType = 127;

struct Instance {
  uint8_t type;
  std::string_view text;  // of a string
  simdjson::dom::element element;

  explicit Instance(const simdjson::dom::element& value) : type(type_of(value)), element(value) {
    if (type == kText) text = value.get_string().value_unsafe();
  }
  explicit Instance(std::string_view name) : type(kText), text(name) {}

  static uint8_t type_of(const simdjson::dom::element& value) {
    switch (value.type()) {
      case simdjson::dom::element_type::NULL_VALUE:
        return kNull;
      case simdjson::dom::element_type::BOOL:
        return kBool;
      case simdjson::dom::element_type::INT64:
      case simdjson::dom::element_type::UINT64:
        return kInteger;
      case simdjson::dom::element_type::DOUBLE:
        return kFraction;  // 1.0, too
      case simdjson::dom::element_type::STRING:
        return kText;
      case simdjson::dom::element_type::ARRAY:
        return kArray;
      case simdjson::dom::element_type::OBJECT:
        return kObject;
    }
    return kNull;
  }

  simdjson::dom::object object() const { return element.get_object().value_unsafe(); }
  simdjson::dom::array array() const { return element.get_array().value_unsafe(); }
  bool boolean() const { return element.get_bool().value_unsafe(); }
  Number number() const {
    if (type == kFraction) return element.get_double().value_unsafe();
    return element.is<int64_t>() ? static_cast<Number>(element.get_int64().value_unsafe())
                                 : static_cast<Number>(element.get_uint64().value_unsafe());
  }
};

}  // namespace millrace::json_schema
