// What an ad-hoc query reads: a stream, a view, VALUES, two queries and UNION, or another query, whose expressions stand in
// for its columns where they can, and whose rows are computed first where they cannot.
//
// Bound: kMaxSelectHeight queries one in the other, kMaxReads streams and views in one statement.
#pragma once

#include "sql/flatten.h"

namespace millrace::sql {

inline constexpr uint32_t kMaxSelectHeight = 200;
inline constexpr size_t kMaxReads = 100;
inline constexpr size_t kMaxInlinedNodes = 1'000;  // larger expressions are computed before

struct SelectSource {
  engine::SelectPlan plan;  // what is read, and the filter
  Schema schema;            // of the rows that are read
  Scope scope;              // the columns by name, over such a row
};
Result<SelectSource> bind_source(const ast::Query& tree, const BindContext& context);
Status bind_ctes(const ast::Query& tree, const BindContext& context, CteScope& ctes);

}  // namespace millrace::sql
