// Arrays as the oracle has them: among Scalars a text that begins with a mark, and then the array as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "event/type.h"

namespace millrace::sim {

bool is_list(const Scalar& value);
Scalar list_scalar(const nlohmann::json& elements);
nlohmann::json list_of(const Scalar& list);
nlohmann::json json_of(
    const Scalar& value);  // of a whole number, a boolean, a text, a numeric that a double holds, an array
Scalar scalar_of(const nlohmann::json& element);  // of a whole number, a boolean, a text

}  // namespace millrace::sim
