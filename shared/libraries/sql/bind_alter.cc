// ALTER STREAM: the stream's CREATE STREAM with other options, or with more columns.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "sql/binder.h"
#include "sql/errors.h"

namespace millrace::sql {
namespace {

// Of what comes in, and how long it is kept. What else a stream is decides what its events are, and what queries have made
// of them.
const std::vector<std::string> kAlterable{"schema",      "schema_version", "on_invalid",
                                          "deduplicate", "retention",      "retention_bytes"};

bool names(const ast::Alter& tree, std::string_view option) {
  return std::ranges::any_of(tree.options, [&](const auto& one) { return one.name.text == option; });
}

// A version is of a subject, an id of a version.
bool takes_away(const ast::Alter& tree, std::string_view option) {
  return names(tree, option) || (option == "schema_version" && names(tree, "schema")) ||
         (option == "schema_id" && (names(tree, "schema") || names(tree, "schema_version")));
}

bool is_latest(const ast::Option& option) {
  return option.name.text == "schema_version" && option.value == "latest";
}

Status check_option(const ast::Option& option, bool reset) {
  if (std::ranges::find(kAlterable, option.name.text) == kAlterable.end()) {
    const std::string hint = did_you_mean(option.name.text, kAlterable);
    return invalid_at(kBadOption, option.name.span,
                      fmt::format("ALTER STREAM does not change \"{:.60}\"", option.name.text),
                      hint.empty() ? "it changes " + list_names(kAlterable) : hint);
  }
  engine::StreamDef scratch;
  return reset || is_latest(option) ? Status() : bind_stream_option(option, scratch);
}

std::string text_of(const ast::Option& option) {
  if (option.kind == ast::Option::Kind::kNumber)
    return fmt::format("{} = {}", option.name.text, option.value);
  std::string value;
  for (const char c : option.value) value.append(c == '\'' ? 2 : 1, c);
  return fmt::format("{} = '{}'", option.name.text, value);
}

// The columns that are new, as written, and what earlier definitions see.
struct Added {
  struct Piece {
    size_t offset, length;  // in `text`
    SourceSpan place;       // in the statement
  };
  std::string text;  // behind the columns that are there
  std::vector<Piece> pieces;
  std::string history;  // empty: nothing is new
};

Result<Added> new_columns(const ast::Alter& tree, const Catalog::Entry& entry, size_t declared,
                          const BindContext& context) {
  std::unordered_set<std::string> names;
  for (const auto& column : entry.stream->columns) names.insert(column.name);
  Added out;
  for (const auto& added : tree.columns) {
    const ast::Name& name = added.column.name;
    if (!names.insert(name.text).second) {
      if (added.if_not_exists) continue;
      return invalid_at(kDuplicateColumn, name.span,
                        fmt::format("stream \"{}\" has a column \"{}\" already", tree.name.text, name.text),
                        "name it otherwise, with PATH where it stands in the event; or write IF NOT EXISTS");
    }
    if (declared + out.pieces.size() == ast::kMaxColumns) {
      return invalid_at(kTooComplex, name.span,
                        fmt::format("a stream has at most {} columns", ast::kMaxColumns),
                        "a column of type JSONB holds all that an object has");
    }
    out.text += ", ";
    out.pieces.push_back({out.text.size(), added.span.length, name.span});
    out.text += context.text.substr(added.span.offset - context.text_offset, added.span.length);
  }
  if (out.pieces.empty()) return out;
  std::vector<EarlierColumns> earlier = entry.earlier;
  if (earlier.empty() || earlier.back().until != context.catalog.last())
    earlier.push_back({declared, context.catalog.last()});
  out.history = to_text(earlier);
  return out;
}

std::string altered(const Statement& definition, const ast::Alter& tree, const Added& added) {
  const auto& create = std::get<ast::CreateStream>(definition.body);
  const std::string& text = definition.text;
  const auto at = [&](const SourceSpan& span) { return span.offset - definition.span.offset; };
  std::vector<std::string> options;
  for (const auto& option : create.options) {
    if (takes_away(tree, option.name.text)) continue;
    if (option.name.text == kColumnHistory && !added.history.empty()) continue;
    const size_t first = at(option.name.span);
    options.push_back(text.substr(first, at(option.value_span) + option.value_span.length - first));
  }
  for (const auto& option : tree.options) {
    if (!tree.reset && !is_latest(option)) options.push_back(text_of(option));
  }
  if (!added.history.empty()) options.push_back(fmt::format("{} = '{}'", kColumnHistory, added.history));
  std::string out = create.with ? text.substr(0, at(*create.with)) : text + " ";
  out.insert(at(create.elements_end), added.text);
  if (options.empty()) return out.substr(0, out.find_last_not_of(' ') + 1);
  return out + fmt::format("WITH ({})", fmt::join(options, ", "));
}

Result<CreateStream> bind_text(const std::string& text, const Catalog::Entry& entry,
                               const BindContext& context) {
  TRY_ASSIGN(const auto statements, parse(text));
  TRY_ASSIGN(BoundStatement bound,
             bind_definition(*statements.front(), context.catalog, context.tenant, entry.definition.id));
  return std::get<CreateStream>(std::move(bound));
}

// The column of the statement that the place in the definition is in.
std::optional<SourceSpan> place_of(const std::optional<SourceSpan>& failed, const Added& added,
                                   size_t inserted_at) {
  for (const auto& piece : added.pieces) {
    const size_t first = inserted_at + piece.offset;
    if (failed && failed->offset >= first && failed->offset < first + piece.length) return piece.place;
  }
  return std::nullopt;
}

}  // namespace

Result<Alter> bind_alter(const ast::Alter& tree, const BindContext& context) {
  TRY_ASSIGN(const Relation relation, resolve_relation(context, tree.name));
  if (!relation.stream || relation.stream->kind != engine::StreamKind::kDeclared) {
    return invalid_at(kWrongKind, tree.name.span,
                      fmt::format("\"{}\" is no stream that was made with columns", tree.name.text),
                      "ALTER STREAM is for those that take events");
  }
  for (const auto& option : tree.options) TRY(check_option(option, tree.reset));
  const Catalog::Entry& entry = *context.catalog.find(context.tenant, tree.name.text);
  Alter out;
  out.definition = entry.definition.id;
  out.from = entry.definition.sql;
  TRY_ASSIGN(const auto before, parse(out.from));
  const auto& create = std::get<ast::CreateStream>(before.front()->body);
  TRY_ASSIGN(const Added added, new_columns(tree, entry, create.columns.size(), context));
  if (!added.history.empty()) out.last = context.catalog.last();
  out.to = altered(*before.front(), tree, added);
  auto bound = bind_text(out.to, entry, context);
  if (!bound.ok()) {
    // What does not go together: its own places are in the definition.
    Error failure = std::move(bound).error();
    const size_t inserted_at = create.elements_end.offset - before.front()->span.offset;
    failure.span = place_of(failure.span, added, inserted_at).value_or(tree.name.span);
    return failure;
  }
  out.schema = bound->stream.schema;
  return out;
}

}  // namespace millrace::sql
