#include "sql/schema_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "sql/ast.h"

namespace millrace::sql {
namespace {

void insert(KeptText& kept, size_t offset, const std::string& piece) {
  kept.text.insert(offset, piece);
  kept.inserted.push_back({offset, piece.size()});
}

// Of the statement's byte, in the text that it was sent in.
SourceSpan place_of(const Statement& statement, size_t byte, uint32_t length) {
  SourceSpan span = statement.span;
  span.offset += static_cast<uint32_t>(byte);
  span.length = length;
  for (const char c : std::string_view(statement.text).substr(0, byte)) {
    if (c == '\n') {
      ++span.line;
      span.column = 1;
    } else if ((c & 0xC0) != 0x80) {
      ++span.column;
    }
  }
  return span;
}

}  // namespace

Result<KeptText> with_schema(const Statement& statement, const engine::SchemaRef& schema,
                             const Result<std::string>& columns) {
  const auto* const stream = std::get_if<ast::CreateStream>(&statement.body);
  const auto& options =
      stream != nullptr ? stream->options : std::get<ast::CreateQuery>(statement.body).options;
  const auto end_of = [&](const SourceSpan& span) {
    return span.offset + span.length - statement.span.offset;
  };
  KeptText kept{statement_text(statement), {}};
  if (stream != nullptr && stream->columns.empty()) {
    if (!columns.ok()) return columns.error();
    if (stream->elements)
      insert(kept, end_of(*stream->elements), *columns + ", ");
    else
      insert(kept, end_of(stream->name.span), fmt::format(" ({})", *columns));
  }
  std::string numbers;
  if (ast::find_option(options, "schema_version") == nullptr)
    numbers += fmt::format(", schema_version = {}", schema.version);
  if (ast::find_option(options, "schema_id") == nullptr)
    numbers += fmt::format(", schema_id = {}", schema.id);
  const size_t before =
      kept.inserted.empty() ? 0 : kept.inserted.front().length;  // columns stand before options
  if (!numbers.empty())
    insert(kept, before + end_of(ast::find_option(options, "schema")->value_span), numbers);
  return kept;
}

Error as_written(const Statement& statement, const KeptText& kept, Error failure) {
  if (!failure.span) return failure;
  size_t before = 0;
  uint32_t length = failure.span->length;
  const size_t begin = failure.span->offset, end = begin + length;
  for (const auto& piece : kept.inserted) {
    if (piece.offset >= end) break;
    const bool inside = begin >= piece.offset && begin < piece.offset + piece.length;
    if (inside) {
      failure.span.reset();
      return failure;
    }
    if (begin > piece.offset)
      before += piece.length;
    else
      length -= static_cast<uint32_t>(std::min(piece.length, end - piece.offset));
  }
  failure.span = place_of(statement, begin - before, length);
  return failure;
}

}  // namespace millrace::sql
