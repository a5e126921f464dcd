// From a document to its program.
#pragma once

#include "json-schema/internal/program.h"

namespace millrace::json_schema {

constexpr size_t kMostPatterns = 500;  // different ones; each may take kMostPatternMemory

Result<Program> compile(DocumentPtr document, bool assert_formats);

}  // namespace millrace::json_schema
