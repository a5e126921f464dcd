// A CREATE STREAM as it is kept: the version of its schema, which was the latest when it came, stands in it, and so do the
// columns that it has left to the schema. What is kept can be read without a registry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sql/sql.h"

namespace millrace::sql {

struct KeptText {
  struct Piece {
    size_t offset = 0, length = 0;  // in `text`
  };
  std::string text;
  std::vector<Piece> inserted;  // from the front
};

// `columns` as between CREATE STREAM's parentheses, or why there are none; for a statement that declares some: not used.
// The statement has an option `schema`; if it says the version, that is `version`.
Result<KeptText> with_schema_version(const Statement& statement, int32_t version,
                                     const Result<std::string>& columns);

// What is wrong with the kept text, as it is told of the statement that was written: without a place where that is in
// nothing that was.
Error as_written(const Statement& statement, const KeptText& kept, Error failure);

}  // namespace millrace::sql
