// /v1/streams, /v1/views, /v1/queries, /v1/tenants: what a tenant has, as JSON. Values are the inventory's, which SHOW
// tells, too; what changes something is a statement of SQL, made of the path.
#include <fmt/format.h>

#include "engine/quoted_name.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "event-gateway/resource_page.h"
#include "event/text.h"
#include "formats/json_text.h"
#include "sql/errors.h"

namespace millrace::gateway {
namespace {

// ----- one of each, as JSON

void append_columns(formats::JsonText& out, const CatalogEntry& entry) {
  out.name("columns").open('[');
  for (const auto& column : columns_of(entry)) {
    out.open('{').name("name").text(column.name).name("type").text(column.type);
    out.name("key").flag(column.key).name("watermark").flag(column.watermark).close('}');
  }
  out.close(']');
}

void append_name_or_null(formats::JsonText& out, const std::string* name) {
  name == nullptr ? out.value("null") : out.text(*name);
}

void append_stream(formats::JsonText& out, const CatalogEntry& entry) {
  const engine::StreamDef& stream = *entry.stream;
  out.name("name").text(stream.name).name("kind").text(kind_of(stream));
  out.name("partitions").number(stream.partitions);
  append_name_or_null(out.name("key"), column_at(stream, stream.key_column));
  append_name_or_null(out.name("watermark"), column_at(stream, stream.watermark_column));
  append_columns(out, entry);
  out.name("definition");
  append_name_or_null(out, entry.definition.sql.empty() ? nullptr : &entry.definition.sql);
}

void append_view(formats::JsonText& out, const CatalogEntry& entry, engine::ViewReads* views) {
  out.name("name").text(entry.definition.name).name("source").text(entry.query->source->name);
  out.name("definition").text(entry.definition.sql);
  append_columns(out, entry);
  out.name("state").text(state_of(entry, views).state);
}

void append_failure(formats::JsonText& out, const std::optional<Error>& failure) {
  if (!failure) {
    out.value("null");
    return;
  }
  std::string text;
  append_problem(text, *failure, status_of(*failure));
  out.value(text);
}

void append_query(formats::JsonText& out, const CatalogEntry& entry, engine::ViewReads* views) {
  const QueryState now = state_of(entry, views);
  out.name("id").number(entry.query->id.value).name("name").text(entry.definition.name);
  out.name("kind").text(entry.stream ? "stream" : "view").name("source").text(entry.query->source->name);
  out.name("definition").text(entry.definition.sql).name("state").text(now.state);
  append_failure(out.name("failure"), now.failure);
  if (!now.known) {
    out.name("lag_seconds").value("null").name("state_bytes").value("null").name("position").value("null");
    return;
  }
  out.name("lag_seconds").number(now.known->lag_seconds).name("state_bytes").number(now.known->state_bytes);
  out.name("position").number(now.known->position.value);
}

void append_tenant(formats::JsonText& out, const TenantCounts& counts) {
  out.name("name").text(counts.name).name("streams").number(counts.streams);
  out.name("views").number(counts.views).name("queries").number(counts.queries);
}

// ----- what a request may see

// What is asked for, by whom.
struct Asked {
  Route route;
  TenantId tenant;
  CallerPtr caller;
  bool all_tenants;
  std::string name;  // the path's; empty: a list
};
Asked asked_by(const HttpRequest& request) {
  const auto& segments = request.target.segments;
  return {request.route, request.tenant, request.caller, request.all_metrics,
          segments.size() > 2 ? segments[2] : std::string()};
}

// Resources of one kind, as they are now.
class Resources {
 public:
  Resources(const HttpBackend& backend, Asked asked)
      : backend_(backend), asked_(std::move(asked)), catalog_(backend.catalog()) {}

  std::vector<NamedEntry> all() {
    switch (asked_.route) {
      case Route::kStreams:
      case Route::kStream:
      case Route::kDropStream:
        return named(streams_of(*catalog_, asked_.tenant));
      case Route::kViews:
      case Route::kView:
      case Route::kDropView:
        return named(views_of(*catalog_, asked_.tenant));
      case Route::kTenants:
      case Route::kTenant:
        return tenants();
      default:
        return named(queries_of(*catalog_, asked_.tenant));
    }
  }

  void append(formats::JsonText& out, const CatalogEntry& entry) {
    out.open('{');
    switch (asked_.route) {
      case Route::kStreams:
      case Route::kStream:
        append_stream(out, entry);
        break;
      case Route::kViews:
      case Route::kView:
        append_view(out, entry, backend_.views);
        break;
      case Route::kTenants:
      case Route::kTenant:
        append_tenant(out, counts_.at(entry.definition.tenant));
        break;
      default:
        append_query(out, entry, backend_.views);
    }
    out.close('}');
  }

  // The one that the path names.
  Result<const CatalogEntry*> named_by_path() {
    const std::string& name = asked_.name;
    std::vector<std::string> names;
    for (const auto& one : all()) {
      if (one.name == name) return one.entry;
      names.emplace_back(one.name);
    }
    return error(Code::kNotFound, "MR-API-0046",
                 fmt::format("there is no {} \"{}\"", noun(), start_of(name, 100)), hint(name, names));
  }

 private:
  std::vector<NamedEntry> named(const std::vector<const CatalogEntry*>& entries) const {
    std::vector<NamedEntry> out;
    for (const auto* entry : entries) {
      if (sees(asked_.caller, name_of(*entry))) out.push_back({name_of(*entry), entry});
    }
    return out;
  }
  // As with the series of /metrics/full: its own, or all of them.
  std::vector<NamedEntry> tenants() {
    counts_ = tenants_of(*catalog_, asked_.all_tenants ? std::nullopt : std::optional(asked_.tenant));
    std::vector<NamedEntry> out;
    for (const auto& [tenant, counts] : counts_)
      out.push_back({counts.name, catalog_->find(metadata::DefinitionId(tenant.value))});
    return out;
  }
  const char* noun() const {
    switch (asked_.route) {
      case Route::kStream:
      case Route::kDropStream:
        return "stream";
      case Route::kView:
      case Route::kDropView:
        return "view";
      case Route::kTenant:
        return "tenant";
      default:
        return "query";
    }
  }
  std::string hint(const std::string& name, const std::vector<std::string>& names) const {
    if (std::string similar = sql::did_you_mean(name, names); !similar.empty()) return similar;
    const std::string_view path = operation_of(asked_.route).path;
    return fmt::format("GET {} lists what there is", path.substr(0, path.find("/{")));
  }

  const HttpBackend& backend_;
  const Asked asked_;
  sql::CatalogPtr catalog_;
  std::map<TenantId, TenantCounts> counts_;  // of tenants()
};

HttpAnswer one_answer(Resources& resources, const CatalogEntry& entry) {
  HttpAnswer answer;
  formats::JsonText out(answer.body);
  resources.append(out, entry);
  answer.body += '\n';
  return answer;
}

// The statement that does what the path asks of `name`.
std::string statement_for(Route route, std::string_view name) {
  std::string out = route == Route::kDropStream ? "DROP STREAM "
                    : route == Route::kDropView ? "DROP MATERIALIZED VIEW "
                    : route == Route::kPause    ? "PAUSE "
                                                : "RESUME ";
  engine::append_quoted_name(out, name);
  return out;
}

}  // namespace

void list_resources(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  const auto page = page_request(request.target);
  if (!page.ok()) return reply.answer(problem(page.error()));
  Resources resources(backend, asked_by(request));
  const auto entries = entries_after(resources.all(), *page);
  HttpAnswer answer;
  formats::JsonText out(answer.body);
  out.open('{').name("items").open('[');
  size_t taken = 0;
  for (; taken < std::min(entries.size(), page->limit) && answer.body.size() < kMaxPageBytes; ++taken)
    resources.append(out, *entries[taken].entry);
  out.close(']').name("next");
  taken < entries.size() ? out.text(page_cursor(entries[taken - 1].name)) : out.value("null");
  out.close('}');
  answer.body += '\n';
  reply.answer(std::move(answer));
}

void show_resource(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (const Status clean = check_no_parameters(request.target); !clean.ok())
    return reply.answer(problem(clean.error()));
  Resources resources(backend, asked_by(request));
  const auto entry = resources.named_by_path();
  reply.answer(entry.ok() ? one_answer(resources, **entry) : problem(entry.error()));
}

void change_resource(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  if (const Status clean = check_no_parameters(request.target); !clean.ok())
    return reply.answer(problem(clean.error()));
  const Asked asked = asked_by(request);
  if (const auto entry = Resources(backend, asked).named_by_path(); !entry.ok())
    return reply.answer(problem(entry.error()));
  const auto done = [&backend, reply, asked](const Status& status) {
    if (!status.ok()) {
      Error failure = status.error();
      failure.span.reset();  // nobody wrote the statement
      return reply.answer(problem(failure));
    }
    if (asked.route == Route::kDropStream || asked.route == Route::kDropView) {
      HttpAnswer dropped;
      dropped.status = 204;
      return reply.answer(std::move(dropped));
    }
    Resources now(backend, asked);
    const auto changed = now.named_by_path();
    reply.answer(changed.ok() ? one_answer(now, **changed) : problem(changed.error()));
  };
  SqlText text(statement_for(asked.route, asked.name));
  text.caller = asked.caller;
  text.acted = statement_audit(backend, request.caller, request.peer);
  backend.sql(
      asked.tenant, text, [](const StatementResult&) {}, done);
}

}  // namespace millrace::gateway
