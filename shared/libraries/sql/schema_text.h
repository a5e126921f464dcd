// A CREATE with a schema as it is kept: the version of its schema, which was the latest when it came, and the schema's id stand in
// it, and so do the columns that it has left to the schema. What is kept can be read without a registry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "sql/sql.h"

namespace millrace::sql {

struct KeptText {
  struct Piece {
    size_t offset = 0, length = 0;  // in `text`
  };
  std::string text;
  std::vector<Piece> inserted;  // from the front
};

// `columns` as between CREATE STREAM's parentheses, or why there are none; for a statement that declares some, or makes a query's: not used.
// The statement has an option `schema`; a version or an id that it says is that of `schema`.
Result<KeptText> with_schema(const Statement& statement, const engine::SchemaRef& schema,
                             const Result<std::string>& columns = std::string());

// What is wrong with the kept text, as it is told of the statement that was written: without a place where that is in
// nothing that was.
Error as_written(const Statement& statement, const KeptText& kept, Error failure);

}  // namespace millrace::sql
