#include <fmt/format.h>

#include "event/row_type.h"
#include "sql/bind_expression.h"
#include "sql/binder.h"
#include "sql/errors.h"
#include "sql/flatten.h"

namespace millrace::sql {
namespace {

std::string_view kind_word(const Catalog::Entry& entry) {
  return entry.definition.kind == metadata::DefinitionKind::kView ? "view" : "stream";
}

Error unknown_relation(const BindContext& context, const ast::Name& name, std::string_view what) {
  std::vector<std::string> names{std::string(kDeadLetterName)};
  for (const auto* entry : context.catalog.entries(context.tenant)) names.push_back(entry->definition.name);
  std::string hint = did_you_mean(name.text, names);
  if (hint.empty()) hint = "SHOW STREAMS and SHOW VIEWS list what there is";
  return error_at(Code::kNotFound, kUnknownRelation, name.span,
                  fmt::format("{} \"{}\" does not exist", what, name.text), hint);
}

std::string duration(int64_t micros) {
  constexpr int64_t kDay = 86'400'000'000;
  std::string out;
  append_interval(out, Interval{0, static_cast<int32_t>(micros / kDay), micros % kDay});
  return out;
}

std::string explain_stream(const engine::StreamDef& stream) {
  std::string out = fmt::format("Stream {} (partitions {})\n  -> Columns", stream.name, stream.partitions);
  for (size_t i = 0; i < stream.columns.size(); ++i) {
    out +=
        fmt::format("{} {} {}", i > 0 ? "," : "", stream.columns[i].name, to_string(stream.columns[i].type));
  }
  if (stream.columns.front().unit != TimestampUnit::kMilliseconds)
    out += fmt::format("\n  -> Numbers that are timestamps count {}", to_string(stream.columns.front().unit));
  const auto column = [&](int i) { return stream.columns[static_cast<size_t>(i)].name; };
  for (size_t i = 0; i < stream.primary_key.size(); ++i)
    out += (i == 0 ? "\n  -> Primary key " : ", ") + column(stream.primary_key[i]);
  if (stream.updating()) out += ": an event replaces its row, or deletes it";
  if (stream.key_column >= 0) out += "\n  -> Key " + column(stream.key_column);
  if (stream.watermark_column >= 0) {
    out += fmt::format("\n  -> Watermark {}, disorder {}, idle after {}", column(stream.watermark_column),
                       duration(stream.disorder_us),
                       stream.idle_timeout_us > 0 ? duration(stream.idle_timeout_us) : "never");
  }
  if (stream.retention_us > 0) out += "\n  -> Kept for " + duration(stream.retention_us);
  if (stream.retention_bytes > 0) out += fmt::format("\n  -> Kept up to {} bytes", stream.retention_bytes);
  return out;
}

Result<Subscribe> bind_subscribe(const ast::Subscribe& tree, const BindContext& context) {
  TRY_ASSIGN(Relation target, resolve_relation(context, tree.name));
  return Subscribe{target.view, target.stream};
}

Status check_unread(const BindContext& context, const Catalog::Entry& entry, const ast::Name& name) {
  std::vector<std::string> names;
  for (const auto* reader : context.catalog.readers(entry.definition.id))
    names.push_back(reader->definition.name);
  if (names.empty()) return {};
  return error_at(
      Code::kConflict, kStillRead, name.span,
      fmt::format("cannot drop {} \"{}\": it is used by {}", kind_word(entry), name.text, list_names(names)),
      "drop them first");
}

Result<Drop> bind_drop(const ast::Drop& tree, const BindContext& context) {
  Drop out{tree.kind, tree.name.text, DefinitionId()};
  if (tree.name.text == kDeadLetterName) {
    return invalid_at(kReservedName, tree.name.span,
                      "dead_letters belongs to the tenant and cannot be dropped",
                      "it costs nothing while empty");
  }
  const std::string_view wanted = tree.kind == ObjectKind::kView ? "view" : "stream";
  const Catalog::Entry* entry = context.catalog.find(context.tenant, tree.name.text);
  if (entry == nullptr) {
    if (tree.if_exists) return out;
    return unknown_relation(context, tree.name, wanted);
  }
  if (kind_word(*entry) != wanted) {
    return invalid_at(kWrongKind, tree.name.span, fmt::format("\"{}\" is not a {}", tree.name.text, wanted),
                      tree.kind == ObjectKind::kView ? "use DROP STREAM" : "use DROP MATERIALIZED VIEW");
  }
  TRY(check_unread(context, *entry, tree.name));
  out.definition = entry->definition.id;
  return out;
}

Result<Show> bind_show(const ast::Show& tree, const BindContext& context) {
  if (tree.what == Show::What::kColumns) TRY(resolve_relation(context, tree.name));
  return Show{tree.what, tree.name.text};
}

Result<Pause> bind_pause(const ast::Pause& tree, const BindContext& context) {
  TRY(resolve_relation(context, tree.name));
  const Catalog::Entry* entry = context.catalog.find(context.tenant, tree.name.text);
  if (entry->query) return Pause{entry->definition.id, tree.pause};
  return invalid_at(kWrongKind, tree.name.span, fmt::format("stream \"{}\" runs no query", tree.name.text),
                    "PAUSE and RESUME take a view or a derived stream");
}

Result<Explain> bind_explain(const ast::Explain& tree, const BindContext& context);

struct Explainer {
  const BindContext& context;
  Result<std::string> operator()(const ast::CreateStream& tree) const {
    TRY_ASSIGN(CreateStream bound, bind_create_stream(tree, context));
    return explain_stream(bound.stream);
  }
  Result<std::string> operator()(const ast::CreateQuery& tree) const {
    TRY_ASSIGN(CreateQuery bound, bind_create_query(tree, context));
    return bound.plan.explain();
  }
  Result<std::string> operator()(const ast::Select& tree) const {
    TRY_ASSIGN(Select bound, bind_select(tree.query, context));
    return bound.plan.explain();
  }
  Result<std::string> operator()(const ast::Subscribe& tree) const {
    TRY_ASSIGN(Subscribe bound, bind_subscribe(tree, context));
    if (bound.stream)
      return fmt::format("Subscribe\n  -> Follow stream {} (stored events)", bound.stream->name);
    return fmt::format("Subscribe\n  -> Follow view {} (its rows, then the changes)", bound.view->name);
  }
  Result<std::string> operator()(const ast::Drop& tree) const {
    TRY_ASSIGN(Drop bound, bind_drop(tree, context));
    return fmt::format("Drop {}{}", bound.name, bound.definition.value == 0 ? " (there is none)" : "");
  }
  Result<std::string> operator()(const ast::Show& tree) const {
    TRY(bind_show(tree, context));
    return std::string("Show (from the catalog)");
  }
  Result<std::string> operator()(const ast::Pause& tree) const {
    TRY_ASSIGN(const Pause bound, bind_pause(tree, context));
    return fmt::format("{} {}", bound.pause ? "Pause" : "Resume", tree.name.text);
  }
  Result<std::string> operator()(const ast::Alter& tree) const {
    TRY_ASSIGN(const Alter bound, bind_alter(tree, context));
    return fmt::format("Alter stream {}\n  -> {}", tree.name.text, bound.to);
  }
  Result<std::string> operator()(const ast::Insert& tree) const {
    TRY_ASSIGN(const Insert bound, bind_insert(tree, context));
    return fmt::format("Insert into stream {}\n{}", bound.stream->name, bound.rows.explain());
  }
  Result<std::string> operator()(const ast::Explain& tree) const {
    TRY_ASSIGN(Explain bound, bind_explain(tree, context));
    return bound.text;
  }
};

Result<std::string> explain_text(const ast::Body& body, const BindContext& context) {
  return std::visit(Explainer{context}, body);
}

Result<Explain> explain_name(const ast::Explain& tree, const BindContext& context) {
  TRY(resolve_relation(context, tree.target));
  Explain out;
  out.analyze = tree.analyze;
  const Catalog::Entry* entry = context.catalog.find(context.tenant, tree.target.text);
  if (entry->query) {
    out.text = entry->query->explain();
    out.query = entry->query;
    return out;
  }
  if (tree.analyze) {
    return invalid_at(kWrongKind, tree.target.span,
                      fmt::format("stream \"{}\" runs no query", tree.target.text),
                      "EXPLAIN ANALYZE takes a SELECT, a view or a derived stream");
  }
  out.text = explain_stream(*entry->stream);
  return out;
}

Result<Explain> bind_explain(const ast::Explain& tree, const BindContext& context) {
  if (!tree.body) return explain_name(tree, context);
  Explain out;
  out.analyze = tree.analyze;
  if (tree.analyze) {
    const auto* select = std::get_if<ast::Select>(tree.body.get());
    if (select == nullptr) {
      return unsupported_at(tree.analyze_span,
                            "EXPLAIN ANALYZE runs what it explains, and this is not run for it",
                            "it takes a SELECT, a view or a derived stream");
    }
    TRY_ASSIGN(Select bound, bind_select(select->query, context));
    out.runs = std::move(bound.plan);
  }
  TRY_ASSIGN(out.text, explain_text(*tree.body, context));
  return out;
}

struct Dispatcher {
  const BindContext& context;
  template <typename T>
  static Result<BoundStatement> wrap(Result<T> bound) {
    if (!bound.ok()) return std::move(bound).error();
    return BoundStatement(std::move(bound).value());
  }
  Result<BoundStatement> operator()(const ast::CreateStream& tree) const {
    return wrap(bind_create_stream(tree, context));
  }
  Result<BoundStatement> operator()(const ast::CreateQuery& tree) const {
    return wrap(bind_create_query(tree, context));
  }
  Result<BoundStatement> operator()(const ast::Select& tree) const {
    return wrap(bind_select(tree.query, context));
  }
  Result<BoundStatement> operator()(const ast::Subscribe& tree) const {
    return wrap(bind_subscribe(tree, context));
  }
  Result<BoundStatement> operator()(const ast::Drop& tree) const { return wrap(bind_drop(tree, context)); }
  Result<BoundStatement> operator()(const ast::Show& tree) const { return wrap(bind_show(tree, context)); }
  Result<BoundStatement> operator()(const ast::Pause& tree) const { return wrap(bind_pause(tree, context)); }
  Result<BoundStatement> operator()(const ast::Alter& tree) const { return wrap(bind_alter(tree, context)); }
  Result<BoundStatement> operator()(const ast::Insert& tree) const {
    return wrap(bind_insert(tree, context));
  }
  Result<BoundStatement> operator()(const ast::Explain& tree) const {
    BindContext relaxed = context;
    relaxed.check_names = false;
    return wrap(bind_explain(tree, relaxed));
  }
};

}  // namespace

Result<Relation> resolve_relation(const BindContext& context, const ast::Name& name) {
  if (name.text == kDeadLetterName) {
    auto stream = context.catalog.dead_letters(context.tenant);
    if (stream) return Relation{std::move(stream), nullptr};
    return unknown_relation(context, name, "stream");
  }
  const Catalog::Entry* entry = context.catalog.find(context.tenant, name.text);
  if (entry == nullptr) return unknown_relation(context, name, "stream or view");
  if (entry->stream) return Relation{entry->stream_for(context.reader), nullptr};
  return Relation{nullptr, entry->query};
}

Status check_new_name(const BindContext& context, const ast::Name& name, bool if_not_exists) {
  if (name.text == kDeadLetterName) {
    return invalid_at(kReservedName, name.span,
                      "the name dead_letters is taken by the tenant's own dead letters", "use another name");
  }
  for (const char c : name.text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != 0x7F) continue;
    return invalid_at(kReservedName, name.span, "a name cannot hold a slash or a control character",
                      "it is part of a URL");
  }
  if (!context.check_names || if_not_exists) return {};
  const Catalog::Entry* entry = context.catalog.find(context.tenant, name.text);
  if (entry == nullptr) return {};
  return error_at(Code::kConflict, kNameTaken, name.span,
                  fmt::format("{} \"{}\" already exists", kind_word(*entry), name.text),
                  "use another name, or CREATE … IF NOT EXISTS");
}

namespace {

// An error about a parameter's value shows the value: it says which one, too.
Error named_parameter(Error failure, const Statement& statement) {
  for (const SourceSpan& place : statement.parameters) {
    if (!failure.span || failure.span->offset != place.offset || failure.span->length != place.length)
      continue;
    const size_t at = place.offset - statement.span.offset;
    failure.message =
        fmt::format("parameter {}: {}", statement.text.substr(at, place.length), failure.message);
    break;
  }
  return failure;
}

}  // namespace

Result<BoundStatement> bind(const Statement& statement, const Catalog& catalog, TenantId tenant,
                            std::optional<Timestamp> now) {
  BindWork work;
  const BindContext context{catalog, tenant, statement.text, statement.span.offset, true, &work, nullptr,
                            now,     {}};
  const MakesRowTypesOfDefinition definition(std::holds_alternative<ast::CreateStream>(statement.body) ||
                                             std::holds_alternative<ast::CreateQuery>(statement.body));
  auto bound = std::visit(Dispatcher{context}, statement.body);
  if (!bound.ok()) return named_parameter(std::move(bound).error(), statement);
  return bound;
}

// For the catalog: a definition that was accepted once keeps its name.
Result<BoundStatement> bind_definition(const Statement& statement, const Catalog& catalog, TenantId tenant,
                                       DefinitionId number) {
  BindWork work;
  const BindContext context{catalog, tenant, statement.text, statement.span.offset, false, &work,
                            nullptr, {},     number};
  const MakesRowTypesOfDefinition definition(true);
  return std::visit(Dispatcher{context}, statement.body);
}

}  // namespace millrace::sql
