// Spans of a trace, and OTLP's JSON form of them (opentelemetry.io, OTLP 1.x, ExportTraceServiceRequest and …Response).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "telemetry/trace_context.h"

namespace millrace::node {

enum class SpanKind : uint8_t { kInternal = 1, kServer = 2 };  // OTLP's numbers

struct TraceSpan {
  using Value = std::variant<int64_t, std::string>;

  telemetry::TraceContext context;  // its own id in it
  telemetry::SpanId parent{};       // zeros: it begins the trace
  SpanKind kind = SpanKind::kInternal;
  std::string name;
  int64_t begun_us = 0, ended_us = 0;                          // since 1970
  std::vector<std::pair<std::string_view, Value>> attributes;  // names in static storage
  std::string failure;                                         // what failed; empty: nothing did
};

// Of one node, which is a resource of the service `millrace`.
std::string to_otlp(std::span<const TraceSpan> spans, std::string_view version, std::string_view instance);
// Of those in a request that the collector has taken. What is no answer of OTLP's names none.
uint64_t rejected_spans(std::string_view answer);

}  // namespace millrace::node
