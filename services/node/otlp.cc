#include "node/otlp.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "formats/json.h"
#include "formats/jsonb.h"

namespace millrace::node {
namespace {

using formats::append_json_string;

void append_attribute(std::string& out, std::string_view name, const TraceSpan::Value& value) {
  if (out.back() != '[') out += ',';
  out += R"({"key":)";
  append_json_string(out, name);
  if (const auto* number = std::get_if<int64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), R"(,"value":{{"intValue":"{}"}}}})", *number);
    return;
  }
  out += R"(,"value":{"stringValue":)";
  append_json_string(out, std::get<std::string>(value));
  out += "}}";
}

template <typename Id>
void append_id(std::string& out, std::string_view name, const Id& id) {
  fmt::format_to(std::back_inserter(out), R"("{}":")", name);
  telemetry::append_hex(out, id.data(), id.size());
  out += "\",";
}

void append_span(std::string& out, const TraceSpan& span) {
  if (out.back() != '[') out += ',';
  out += '{';
  append_id(out, "traceId", span.context.trace);
  append_id(out, "spanId", span.context.span);
  if (span.parent != telemetry::SpanId{}) append_id(out, "parentSpanId", span.parent);
  if (!span.context.state.empty()) {
    out += R"("traceState":)";
    append_json_string(out, span.context.state);
    out += ',';
  }
  out += R"("name":)";
  append_json_string(out, span.name);
  fmt::format_to(std::back_inserter(out),
                 R"(,"kind":{},"startTimeUnixNano":"{}000","endTimeUnixNano":"{}000","attributes":[)",
                 static_cast<int>(span.kind), span.begun_us, std::max(span.begun_us, span.ended_us));
  for (const auto& [name, value] : span.attributes) append_attribute(out, name, value);
  out += ']';
  if (!span.failure.empty()) {
    out += R"(,"status":{"code":2,"message":)";
    append_json_string(out, span.failure);
    out += '}';
  }
  out += '}';
}

}  // namespace

std::string to_otlp(std::span<const TraceSpan> spans, std::string_view version, std::string_view instance) {
  std::string out = R"({"resourceSpans":[{"resource":{"attributes":[)";
  append_attribute(out, "service.name", std::string("millrace"));
  append_attribute(out, "service.version", std::string(version));
  append_attribute(out, "service.instance.id", std::string(instance));
  out += R"(]},"scopeSpans":[{"scope":{"name":"millrace"},"spans":[)";
  for (const auto& span : spans) append_span(out, span);
  out += "]}]}]}";
  return out;
}

uint64_t rejected_spans(std::string_view answer) {
  const auto parsed = formats::parse_jsonb(answer);
  if (!parsed.ok()) return 0;
  const auto partial = formats::jsonb_step(*parsed, "partialSuccess");
  const auto rejected = partial ? formats::jsonb_step(*partial, "rejectedSpans") : std::nullopt;
  if (!rejected) return 0;
  std::string digits;  // a string: so are 64 bits in JSON of Protobuf
  formats::append_jsonb_text(digits, *rejected);
  uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace millrace::node
