// The trace that an ingest request belongs to: where it comes from, and who makes its span.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"
#include "event-gateway/http_message.h"
#include "event-gateway/http_server.h"
#include "telemetry/trace_context.h"

namespace millrace::gateway {

// Of a request that is recorded.
struct RequestTrace {
  telemetry::TraceContext context;  // its own span
  telemetry::SpanId parent{};       // zeros: it begins the trace
  int64_t begun_us = 0;
};
struct RequestEnd {
  std::string_view route;  // of HTTP, "" of a WebSocket's message; in static storage
  TenantId tenant;
  std::string stream;
  int status = 200;  // as HTTP says it
  uint64_t events = 0;
  std::string failure;  // MR-…; empty: none
};

class RequestTraces {
 public:
  virtual ~RequestTraces() = default;
  // Nothing: it is not recorded.
  virtual std::optional<RequestTrace> begin(const std::optional<telemetry::TraceContext>& parent) = 0;
  virtual void end(RequestTrace trace, RequestEnd end) = 0;
};

// The request's end is told to the backend's traces, if it is recorded. `route`: as RequestEnd's.
void ingest_traced(const HttpBackend& backend, IngestRequest request,
                   const std::optional<telemetry::TraceContext>& parent, std::string_view route,
                   Ingest::Done done);

// By the request's header, else by the distributed tracing extension of its one CloudEvent.
std::optional<telemetry::TraceContext> trace_of(const HttpHead& head, std::string_view cloud_event);

// ,"traceparent":"…","tracestate":"…"
std::string trace_members(const telemetry::TraceContext& trace);

}  // namespace millrace::gateway
