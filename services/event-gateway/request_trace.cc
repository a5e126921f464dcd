#include "event-gateway/request_trace.h"

#include "event-gateway/http_status.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kParent = "traceparent", kState = "tracestate";

void fill_end(RequestEnd& end, const Result<IngestAnswer>& result) {
  if (!result.ok()) {
    end.status = status_of(result.error());
    end.failure = result.error().id;
    return;
  }
  end.status = result->is_success() ? 200 : 400;
  end.events = result->events();
}

}  // namespace

void ingest_traced(const HttpBackend& backend, IngestRequest request,
                   const std::optional<telemetry::TraceContext>& parent, std::string_view route,
                   Ingest::Done done) {
  auto trace = backend.traces != nullptr ? backend.traces->begin(parent) : std::nullopt;
  if (!trace) {
    request.trace = parent;
    return backend.ingest(request, std::move(done));
  }
  request.trace = trace->context;
  RequestEnd end{route, request.tenant, request.stream};
  backend.ingest(request, [traces = backend.traces, trace = std::move(*trace), end = std::move(end),
                           done = std::move(done)](Result<IngestAnswer> result) mutable {
    fill_end(end, result);
    traces->end(std::move(trace), std::move(end));
    done(std::move(result));
  });
}

std::optional<telemetry::TraceContext> trace_of(const HttpHead& head, std::string_view cloud_event) {
  if (!head.trace_parent.empty()) return telemetry::read_trace_context(head.trace_parent, head.trace_state);
  // Looked for before it is taken apart: most events have none.
  if (cloud_event.find(kParent) == std::string_view::npos) return std::nullopt;
  const auto members = formats::split_members(cloud_event);
  if (!members) return std::nullopt;
  std::string parent, state;
  for (const auto& member : *members) {
    if (member.name == kParent) parent = formats::read_json_string(member.value).value_or("");
    if (member.name == kState) state = formats::read_json_string(member.value).value_or("");
  }
  return telemetry::read_trace_context(parent, state);
}

std::string trace_members(const telemetry::TraceContext& trace) {
  std::string out = R"(,"traceparent":")" + telemetry::to_traceparent(trace) + '"';
  if (trace.state.empty()) return out;
  out += R"(,"tracestate":)";
  formats::append_json_string(out, trace.state);
  return out;
}

}  // namespace millrace::gateway
