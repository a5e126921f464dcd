// ALTER STREAM: the stream's CREATE STREAM with other options.
#include <fmt/format.h>

#include <algorithm>

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

std::string altered(const Statement& definition, const ast::Alter& tree) {
  const auto& create = std::get<ast::CreateStream>(definition.body);
  const std::string& text = definition.text;
  const auto at = [&](const SourceSpan& span) { return span.offset - definition.span.offset; };
  std::vector<std::string> options;
  for (const auto& option : create.options) {
    if (takes_away(tree, option.name.text)) continue;
    const size_t first = at(option.name.span);
    options.push_back(text.substr(first, at(option.value_span) + option.value_span.length - first));
  }
  for (const auto& option : tree.options) {
    if (!tree.reset && !is_latest(option)) options.push_back(text_of(option));
  }
  std::string out = create.with ? text.substr(0, at(*create.with)) : text + " ";
  if (options.empty()) return out.substr(0, out.find_last_not_of(' ') + 1);
  return out + fmt::format("WITH ({})", fmt::join(options, ", "));
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
  const auto& definition = context.catalog.find(context.tenant, tree.name.text)->definition;
  Alter out;
  out.definition = definition.id;
  out.from = definition.sql;
  TRY_ASSIGN(const auto before, parse(out.from));
  out.to = altered(*before.front(), tree);
  TRY_ASSIGN(const auto after, parse(out.to));
  auto bound = bind_definition(*after.front(), context.catalog, context.tenant);
  if (!bound.ok()) {
    Error failure = std::move(bound).error();
    failure.span = tree.name.span;  // what does not go together: its own places are in the definition
    return failure;
  }
  out.schema = std::get<CreateStream>(*bound).stream.schema;
  return out;
}

}  // namespace millrace::sql
