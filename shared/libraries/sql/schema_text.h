// A CREATE STREAM as it is kept: the version of its schema, which was the latest when it came, stands in it, and so do the
// columns that it has left to the schema. What is kept can be read without a registry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/sql.h"

namespace millrace::sql {

// `columns` as between CREATE STREAM's parentheses, or why there are none; for a statement that declares some: not used.
// The statement has an option `schema`, and none `schema_version`.
Result<std::string> with_schema_version(const Statement& statement, int32_t version,
                                        const Result<std::string>& columns);

}  // namespace millrace::sql
