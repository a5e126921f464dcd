// POST /v1/schemas/check: a schema that is proposed, held against what is stored and what SQL has made of it.
#include <fmt/format.h>

#include "event-gateway/http_handlers.h"
#include "event-gateway/http_sql_request.h"
#include "event-gateway/http_status.h"
#include "event-gateway/read_parameters.h"
#include "event-gateway/schema_checks.h"
#include "event/text.h"
#include "event/type.h"
#include "formats/json_text.h"
#include "formats/jsonb.h"

namespace millrace::gateway {
namespace {

using formats::JsonbKind;

constexpr size_t kMostBodyBytes = 4u << 20;  // a registry takes schemas of 1 MiB, which JSON escapes
constexpr size_t kMostReferences = 1'000;

Error bad_request(std::string message) {
  return error(
      Code::kInvalid, "MR-SCH-0006", std::move(message),
      R"(send {"subject": "…", "schemaType": "JSON", "schema": "…", "references": […], "events": 1000})");
}

std::string text_of(std::string_view value) {
  std::string out;
  formats::append_jsonb_text(out, value);
  return out;
}

Status take_text(std::string_view name, std::string_view value, std::string& out) {
  if (formats::jsonb_kind(value) != JsonbKind::kString)
    return bad_request(fmt::format("\"{}\" has to be a string", name));
  out = text_of(value);
  return {};
}

Status take_number(std::string_view name, std::string_view value, int64_t least, int64_t most, int64_t& out) {
  const auto number = parse_bigint(value);
  if (formats::jsonb_kind(value) != JsonbKind::kNumber || !number.ok() || *number < least || *number > most)
    return bad_request(fmt::format("\"{}\" has to be a whole number from {} to {}", name, least, most));
  out = *number;
  return {};
}

Status take_reference(std::string_view object, ProposedSchema::Reference& out) {
  const auto name = formats::jsonb_member(object, "name"), subject = formats::jsonb_member(object, "subject"),
             version = formats::jsonb_member(object, "version");
  if (!name || !subject || !version)
    return bad_request("a reference has to have a name, a subject and a version");
  TRY(take_text("name", *name, out.name));
  TRY(take_text("subject", *subject, out.subject));
  int64_t number = 0;
  TRY(take_number("version", *version, -1, INT32_MAX, number));
  out.version = static_cast<int32_t>(number);
  return {};
}

Status take_references(std::string_view value, ProposedSchema& out) {
  if (formats::jsonb_kind(value) != JsonbKind::kArray)
    return bad_request("\"references\" has to be an array");
  Status taken;
  formats::visit_jsonb(value, [&](std::string_view, std::string_view one) {
    if (formats::jsonb_kind(one) != JsonbKind::kObject || out.references.size() == kMostReferences)
      taken = bad_request(fmt::format("\"references\" has to hold at most {} objects", kMostReferences));
    else
      taken = take_reference(one, out.references.emplace_back());
    return taken.ok();
  });
  return taken;
}

Status take_member(const std::string& name, std::string_view value, SchemaChecks::Asked& out) {
  if (name == "subject") return take_text(name, value, out.schema.subject);
  if (name == "schema") return take_text(name, value, out.schema.text);
  if (name == "schemaType") return take_text(name, value, out.schema.type);
  if (name == "references") return take_references(value, out.schema);
  if (name != "events")
    return bad_request(
        fmt::format("the request has a member \"{}\", which is not known here", start_of(name, 40)));
  int64_t events = 0;
  TRY(take_number(name, value, 0, SchemaChecks::kMostEvents, events));
  out.events = static_cast<size_t>(events);
  return {};
}

Result<SchemaChecks::Asked> asked_by(const HttpRequest& request) {
  TRY(check_no_parameters(request.target));
  if (request.body.size() > kMostBodyBytes || has_many_exponents(request.body))
    return bad_request(fmt::format("the body is larger than {} bytes, or full of numbers", kMostBodyBytes));
  const auto object = formats::parse_jsonb(request.body);
  if (!object.ok()) return bad_request("the body is not JSON: " + object.error().message);
  if (formats::jsonb_kind(*object) != JsonbKind::kObject) return bad_request("the body is not a JSON object");
  SchemaChecks::Asked asked;
  asked.tenant = request.tenant;
  asked.caller = request.caller;
  Status taken;
  formats::visit_jsonb(*object, [&](std::string_view name, std::string_view value) {
    taken = take_member(text_of(name), value, asked);
    return taken.ok();
  });
  TRY(std::move(taken));
  if (asked.schema.subject.empty() || asked.schema.text.empty())
    return bad_request("\"subject\" and \"schema\" have to be there");
  return asked;
}

// ----- the answer

void append_misfit(formats::JsonText& out, const Misfit& misfit) {
  std::string arrived;
  append_timestamp(arrived, Timestamp{misfit.arrived.value});
  out.open('{').name("partition").number(misfit.partition.value).name("offset").number(misfit.offset.value);
  out.name("arrived_at").text(arrived).name("code").text(misfit.why.id);
  out.name("message").text(misfit.why.message).close('}');
}

void append_events(formats::JsonText& out, const TriedEvents& events) {
  out.open('{').name("tried").number(events.tried).name("misfits").number(events.misfits);
  out.name("complete").flag(events.complete).name("first").open('[');
  for (const auto& misfit : events.first) append_misfit(out, misfit);
  out.close(']').name("failure");
  if (events.failure) {
    std::string failure;
    append_problem(failure, *events.failure, status_of(*events.failure));
    out.value(failure);
  } else {
    out.value("null");
  }
  out.close('}');
}

void append_stream(formats::JsonText& out, const SchemaChecks::Stream& stream) {
  out.open('{').name("name").text(stream.stream->name).name("version").number(stream.stream->schema.version);
  out.name("id").number(stream.stream->schema.id).name("events");
  stream.events ? append_events(out, *stream.events) : static_cast<void>(out.value("null"));
  out.close('}');
}

void append_broken(formats::JsonText& out, const BrokenObject& object) {
  out.open('{').name("name").text(object.name).name("kind").text(object.kind).name("reads");
  object.reads.empty() ? out.value("null") : out.text(object.reads);
  out.name("columns").open('[');
  for (const auto& column : object.columns) {
    out.open('{').name("name").text(column.name).name("was").text(column.was).name("becomes");
    column.becomes.empty() ? out.value("null") : out.text(column.becomes);
    out.close('}');
  }
  out.close(']').close('}');
}

HttpAnswer answer_of(const std::string& subject, const SchemaChecks::Verdict& verdict) {
  HttpAnswer answer;
  formats::JsonText out(answer.body);
  out.open('{').name("subject").text(subject).name("level").text(verdict.level);
  out.name("compatible").flag(verdict.messages.empty()).name("messages").open('[');
  for (const auto& message : verdict.messages) out.text(message);
  out.close(']').name("streams").open('[');
  for (const auto& stream : verdict.streams) append_stream(out, stream);
  out.close(']').name("broken");
  if (verdict.broken.ok()) {
    out.open('[');
    for (const auto& object : *verdict.broken) append_broken(out, object);
    out.close(']');
  } else {
    out.value("null");
  }
  out.close('}');
  answer.body += '\n';
  return answer;
}

}  // namespace

void check_schema(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  auto asked = asked_by(request);
  if (!asked.ok()) return reply.answer(problem(asked.error()));
  if (backend.schema_checks == nullptr) return reply.answer(problem(no_registry()));
  const std::string subject = asked->schema.subject;
  reply.on_gone(backend.schema_checks->check(
      std::move(*asked), [subject, reply](Result<SchemaChecks::Verdict> verdict) {
        reply.answer(verdict.ok() ? answer_of(subject, *verdict) : problem(verdict.error()));
      }));
}

}  // namespace millrace::gateway
