#include "sql/schema_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "sql/ast.h"

namespace millrace::sql {

Result<std::string> with_schema_version(const Statement& statement, int32_t version,
                                        const Result<std::string>& columns) {
  const auto& tree = std::get<ast::CreateStream>(statement.body);
  const auto end_of = [&](const SourceSpan& span) {
    return span.offset + span.length - statement.span.offset;
  };
  std::string text = statement_text(statement);
  const auto option =
      std::ranges::find_if(tree.options, [](const ast::Option& o) { return o.name.text == "schema"; });
  text.insert(end_of(option->value_span), fmt::format(", schema_version = {}", version));
  if (!tree.columns.empty()) return text;
  if (!columns.ok()) return columns.error();
  if (tree.elements)
    text.insert(end_of(*tree.elements), fmt::format("{}, ", *columns));
  else
    text.insert(end_of(tree.name.span), fmt::format(" ({})", *columns));
  return text;
}

}  // namespace millrace::sql
