#include "event-gateway/sql_show.h"

#include <fmt/format.h>

#include "engine/aggregates.h"
#include "event-gateway/inventory.h"
#include "event-gateway/row_builder.h"
#include "sql/errors.h"

namespace millrace::gateway {
namespace {

StatementResult finish(const char* tag, RowBuilder& rows) {
  StatementResult result;
  result.tag = tag;
  result.columns = rows.schema();
  result.rows = rows.take();
  return result;
}

void add_column_name(RowBuilder& rows, const std::string* name) {
  name == nullptr ? rows.null() : rows.text(*name);
}

void add_stream(RowBuilder& rows, const engine::StreamDef& stream) {
  rows.text(stream.name).text(kind_of(stream)).number(stream.partitions);
  add_column_name(rows, column_at(stream, stream.key_column));
  add_column_name(rows, column_at(stream, stream.watermark_column));
  rows.number(static_cast<int64_t>(stream.columns.size())).end_row();
}

// state, lag_seconds, state_bytes, position: NULL where no processor runs.
void add_status(RowBuilder& rows, const CatalogEntry& entry, engine::ViewReads* views) {
  const QueryState now = state_of(entry, views);
  rows.text(now.state);
  if (!now.known) {
    rows.null().null().null();
    return;
  }
  rows.real(now.known->lag_seconds)
      .number(static_cast<int64_t>(now.known->state_bytes))
      .number(static_cast<int64_t>(now.known->position.value));
}

const Schema& status_columns() {
  static const Schema columns = {{"state", Type::kText},
                                 {"lag_seconds", Type::kDouble},
                                 {"state_bytes", Type::kBigint},
                                 {"position", Type::kBigint}};
  return columns;
}

Schema with_status(Schema schema) {
  schema.insert(schema.end(), status_columns().begin(), status_columns().end());
  return schema;
}

}  // namespace

StatementResult show_streams(const sql::Catalog& catalog, TenantId tenant) {
  RowBuilder rows({{"name", Type::kText},
                   {"kind", Type::kText},
                   {"partitions", Type::kBigint},
                   {"key", Type::kText},
                   {"watermark", Type::kText},
                   {"columns", Type::kBigint}});
  for (const auto* entry : streams_of(catalog, tenant)) add_stream(rows, *entry->stream);
  return finish("SHOW STREAMS", rows);
}

StatementResult show_views(const sql::Catalog& catalog, TenantId tenant, engine::ViewReads* views) {
  RowBuilder rows(with_status({{"name", Type::kText}, {"source", Type::kText}, {"definition", Type::kText}}));
  for (const auto* entry : views_of(catalog, tenant)) {
    rows.text(entry->definition.name).text(entry->query->source->name).text(entry->definition.sql);
    add_status(rows, *entry, views);
    rows.end_row();
  }
  return finish("SHOW VIEWS", rows);
}

StatementResult show_queries(const sql::Catalog& catalog, TenantId tenant, engine::ViewReads* views) {
  RowBuilder rows(with_status(
      {{"id", Type::kBigint}, {"name", Type::kText}, {"kind", Type::kText}, {"source", Type::kText}}));
  for (const auto* entry : queries_of(catalog, tenant)) {
    rows.number(entry->query->id.value)
        .text(entry->definition.name)
        .text(entry->stream ? "stream" : "view")
        .text(entry->query->source->name);
    add_status(rows, *entry, views);
    rows.end_row();
  }
  return finish("SHOW QUERIES", rows);
}

Result<StatementResult> show_columns(const sql::Catalog& catalog, TenantId tenant, const std::string& name) {
  const auto* entry = catalog.find(tenant, name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const auto* other : catalog.entries(tenant)) names.push_back(other->definition.name);
    return error(Code::kNotFound, sql::kUnknownRelation,
                 fmt::format("there is no stream or view \"{}\"", name), sql::did_you_mean(name, names));
  }
  RowBuilder rows({{"column", Type::kText},
                   {"type", Type::kText},
                   {"key", Type::kBoolean},
                   {"watermark", Type::kBoolean}});
  for (const auto& column : columns_of(*entry)) {
    rows.text(column.name).text(column.type).boolean(column.key).boolean(column.watermark).end_row();
  }
  return finish("SHOW COLUMNS", rows);
}

StatementResult show_functions() {
  RowBuilder rows({{"name", Type::kText},
                   {"form", Type::kText},
                   {"kind", Type::kText},
                   {"meaning", Type::kText},
                   {"example", Type::kText},
                   {"value", Type::kText}});
  const auto add = [&](const auto& function, std::string_view form, std::string_view kind) {
    const engine::Example& example = function.examples.front();
    rows.text(function.name).text(form).text(kind).text(function.meaning);
    rows.text(example.sql).text(example.value).end_row();
  };
  for (const auto& family : engine::function_table()) {
    for (const engine::Function& function : family.functions) {
      if (!function.form.empty()) {
        add(function, function.form, "function");
        continue;
      }
      for (const auto& signature : function.signatures)
        add(function, engine::to_string(signature), "function");
    }
  }
  for (const auto& aggregate : engine::aggregate_table()) add(aggregate, aggregate.form, "aggregate");
  return finish("SHOW FUNCTIONS", rows);
}

StatementResult explain_rows(std::string_view text) {
  RowBuilder rows({{"plan", Type::kText}});
  while (!text.empty()) {
    const size_t end = text.find('\n');
    rows.text(text.substr(0, end)).end_row();
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return finish("EXPLAIN", rows);
}

}  // namespace millrace::gateway
