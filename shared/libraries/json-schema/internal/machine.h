// Runs a program over one value.
//
// Threads: a program may be run by many at once; each run is its caller's.
// Bound:   kMostSteps and kMostCalls, beyond which a run ends without an answer.
#pragma once

#include <optional>

#include "json-schema/internal/program.h"
#include "json-schema/validator.h"

namespace millrace::json_schema {

constexpr int64_t kMostSteps = 4'000'000;  // about 0.05 s
constexpr int kMostCalls = 1'000;          // of schemas in each other, on the stack

// Nothing: beyond a bound.
std::optional<bool> accepts(const Program& program, const simdjson::dom::element& value);
std::optional<std::vector<Failure>> failures(const Program& program, const simdjson::dom::element& value,
                                             size_t most);

}  // namespace millrace::json_schema
