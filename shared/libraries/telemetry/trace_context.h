// TraceContext: which trace a request belongs to, as W3C's Trace Context says it: `traceparent`, and `tracestate`, which
// is the senders' own and only kept.
//
// What is malformed is no context; a malformed tracestate is left out. Nothing of it refuses a request.
// Bound:   kMostState bytes of tracestate: entries of more than 128 go first, then the last ones.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::telemetry {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

struct TraceContext {
  static constexpr size_t kMostState = 512;

  TraceId trace{};
  SpanId span{};  // the sender's; what comes next in the trace is below it
  uint8_t flags = 0;
  std::string state;  // may be empty

  bool sampled() const { return (flags & 1) != 0; }
  bool operator==(const TraceContext&) const = default;
};

// `state`: the values of all tracestate fields, joined by commas.
std::optional<TraceContext> read_trace_context(std::string_view parent, std::string_view state);
std::string to_traceparent(const TraceContext& context);

// In a frame of the log: docs/formats/journal.md.
std::string encode_trace_context(const TraceContext& context);
std::optional<TraceContext> decode_trace_context(std::string_view bytes);

void append_hex(std::string& out, const uint8_t* bytes, size_t count);

}  // namespace millrace::telemetry
