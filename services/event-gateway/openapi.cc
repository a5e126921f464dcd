#include "event-gateway/openapi.h"

#include <map>
#include <set>

#include "event-gateway/api_schemas.h"
#include "event-gateway/http_routes.h"
#include "event-gateway/http_status.h"
#include "formats/json_text.h"

namespace millrace::gateway {
namespace {

// Of any request: what it is made of, where it comes from, what the server can take at the moment.
constexpr int kProblemsOfAll[] = {400, 403, 408, 413, 417, 421, 429, 431, 500, 503, 505};

constexpr std::string_view kDescription =
    "Events in, SQL over them, answers out. HEAD does what GET does, except on /v1/ws; OPTIONS is 204 with "
    "Allow, any "
    "other method of a path 405. Every answer has X-Request-Id: the request's own, or a new one. Streams and "
    "views are "
    "made with SQL: POST /v1/sql.";

std::string component_of(int status) {
  std::string name;
  for (const char c : reason_of(status)) {
    if (c != ' ' && c != '-') name += c;
  }
  return name;
}

void append_content(formats::JsonText& out, std::span<const Content> contents) {
  out.name("content").open('{');
  for (const auto& content : contents) {
    out.name(content.type).open('{').name("schema").open('{');
    if (content.schema.empty()) {
      out.name("type").text("string");
    } else {
      out.name("$ref").text(fmt::format("#/components/schemas/{}", content.schema));
    }
    out.close('}').close('}');
  }
  out.close('}');
}

void append_parameters(formats::JsonText& out, std::span<const Parameter> parameters) {
  if (parameters.empty()) return;
  static constexpr std::string_view kPlaces[] = {"path", "query", "header"};
  out.name("parameters").open('[');
  for (const auto& parameter : parameters) {
    out.open('{').name("name").text(parameter.name);
    out.name("in").text(kPlaces[static_cast<size_t>(parameter.in)]);
    if (parameter.in == Parameter::In::kPath) out.name("required").flag(true);
    out.name("description").text(parameter.what).name("schema").value(parameter.schema).close('}');
  }
  out.close(']');
}

void append_reply(formats::JsonText& out, const Reply& reply) {
  out.name(std::to_string(reply.status)).open('{').name("description").text(reply.what);
  if (!reply.field.empty()) {
    out.name("headers").open('{').name(reply.field).open('{').name("description").text(reply.field_what);
    out.name("schema").value(R"({"type":"string"})").close('}').close('}');
  }
  if (!reply.contents.empty()) append_content(out, reply.contents);
  out.close('}');
}

std::set<int> problems_of(const Operation& operation) {
  std::set<int> out(std::begin(kProblemsOfAll), std::end(kProblemsOfAll));
  out.insert(operation.problems.begin(), operation.problems.end());
  if (operation.access != Operation::Access::kOpen) out.insert(401);
  for (const auto& reply : operation.replies) out.erase(reply.status);
  return out;
}

void append_operation(formats::JsonText& out, const Operation& operation) {
  out.name(in_lower_case(operation.method)).open('{').name("operationId").text(operation.id);
  out.name("tags").open('[').text(operation.tag).close(']').name("summary").text(operation.summary);
  if (operation.access == Operation::Access::kOpen) {
    out.name("security").value("[]");
  } else {
    out.name("description")
        .text("Needs a token with the scope " + names_of(static_cast<ScopeSet>(operation.access)) + ".");
  }
  append_parameters(out, operation.parameters);
  if (!operation.bodies.empty()) {
    out.name("requestBody").open('{').name("required").flag(true);
    append_content(out, operation.bodies);
    out.close('}');
  }
  out.name("responses").open('{');
  for (const auto& reply : operation.replies) append_reply(out, reply);
  for (const int status : problems_of(operation)) {
    out.name(std::to_string(status)).open('{').name("$ref");
    out.text("#/components/responses/" + component_of(status)).close('}');
  }
  out.close('}').close('}');
}

void append_paths(formats::JsonText& out) {
  std::map<std::string_view, std::vector<const Operation*>> paths;
  for (const auto& operation : operations()) paths[operation.path].push_back(&operation);
  out.name("paths").open('{');
  for (const auto& [path, methods] : paths) {
    out.name(path).open('{');
    for (const auto* operation : methods) append_operation(out, *operation);
    out.close('}');
  }
  out.close('}');
}

void append_components(formats::JsonText& out) {
  out.name("components").open('{').name("securitySchemes");
  out.value(R"({"token":{"type":"http","scheme":"bearer"}})").name("schemas").open('{');
  for (const auto& schema : api_schemas()) out.name(schema.name).value(schema.json);
  out.close('}').name("responses").open('{');
  std::set<int> statuses;
  for (const auto& operation : operations()) statuses.merge(problems_of(operation));
  static constexpr Content kProblem[] = {{kProblemType, "Problem"}};
  for (const int status : statuses) {
    out.name(component_of(status)).open('{').name("description").text(reason_of(status));
    append_content(out, kProblem);
    out.close('}');
  }
  out.close('}').close('}');
}

// In the order of the page `GET /`.
constexpr std::string_view kTags = R"([
{"name":"events","description":"Sending and reading events."},
{"name":"sql","description":"Statements, queries and subscriptions."},
{"name":"streams","description":"The streams there are. They are made with SQL."},
{"name":"views","description":"The materialized views there are. They are made with SQL; their rows are read with SQL."},
{"name":"queries","description":"What keeps views and derived streams: how it is, and pausing it."},
{"name":"dead letters","description":"What queries could not use: shown, corrected, redriven, discarded."},
{"name":"schemas","description":"Schemas of events, as the node's schema registry has them."},
{"name":"tenants","description":"Whose data the server holds."},
{"name":"backups","description":"The hold that `millrace backup` works under."},
{"name":"tokens","description":"Who may do what."},
{"name":"server","description":"The server itself."}])";

std::string make_document() {
  std::string text;
  formats::JsonText out(text);
  out.open('{').name("openapi").text("3.1.0").name("info").open('{').name("title").text("Millrace");
  out.name("version").text(MILLRACE_VERSION).name("description").text(kDescription);
  out.name("license").value(R"({"name":"MIT","identifier":"MIT"})").close('}');
  out.name("servers").value(R"([{"url":"/"}])").name("security").value(R"([{"token":[]}])");
  out.name("tags").value(kTags);
  append_paths(out);
  append_components(out);
  out.close('}');
  text += '\n';
  return text;
}

}  // namespace

const std::string& openapi_document() {
  static const std::string document = make_document();
  return document;
}

}  // namespace millrace::gateway
