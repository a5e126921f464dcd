#include "node/otlp.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "formats/json_text.h"
#include "formats/jsonb.h"

namespace millrace::node {
namespace {

using formats::JsonText;

void append_attribute(JsonText& out, std::string_view name, const TraceSpan::Value& value) {
  out.open('{').name("key").text(name).name("value").open('{');
  if (const auto* number = std::get_if<int64_t>(&value)) {
    out.name("intValue").text(std::to_string(*number));  // 64 bits in JSON of Protobuf
  } else {
    out.name("stringValue").text(std::get<std::string>(value));
  }
  out.close('}').close('}');
}

template <typename Id>
void append_id(JsonText& out, std::string_view name, const Id& id) {
  std::string hex;
  telemetry::append_hex(hex, id.data(), id.size());
  out.name(name).text(hex);
}

void append_span(JsonText& out, const TraceSpan& span) {
  out.open('{');
  append_id(out, "traceId", span.context.trace);
  append_id(out, "spanId", span.context.span);
  if (span.parent != telemetry::SpanId{}) append_id(out, "parentSpanId", span.parent);
  if (!span.context.state.empty()) out.name("traceState").text(span.context.state);
  out.name("name").text(span.name).name("kind").number(static_cast<int>(span.kind));
  out.name("startTimeUnixNano").text(fmt::format("{}000", span.begun_us));
  out.name("endTimeUnixNano").text(fmt::format("{}000", std::max(span.begun_us, span.ended_us)));
  out.name("attributes").open('[');
  for (const auto& [name, value] : span.attributes) append_attribute(out, name, value);
  out.close(']');
  if (!span.failure.empty())
    out.name("status").open('{').name("code").number(2).name("message").text(span.failure).close('}');
  out.close('}');
}

}  // namespace

std::string to_otlp(std::span<const TraceSpan> spans, std::string_view version, std::string_view instance) {
  std::string text;
  JsonText out(text);
  out.open('{').name("resourceSpans").open('[').open('{');
  out.name("resource").open('{').name("attributes").open('[');
  append_attribute(out, "service.name", std::string("millrace"));
  append_attribute(out, "service.version", std::string(version));
  append_attribute(out, "service.instance.id", std::string(instance));
  out.close(']').close('}').name("scopeSpans").open('[').open('{');
  out.name("scope").open('{').name("name").text("millrace").close('}').name("spans").open('[');
  for (const auto& span : spans) append_span(out, span);
  out.close(']').close('}').close(']').close('}').close(']').close('}');
  return text;
}

uint64_t rejected_spans(std::string_view answer) {
  const auto parsed = formats::parse_jsonb(answer);
  if (!parsed.ok()) return 0;
  const auto partial = formats::jsonb_step(*parsed, "partialSuccess");
  const auto rejected = partial ? formats::jsonb_step(*partial, "rejectedSpans") : std::nullopt;
  if (!rejected) return 0;
  std::string digits;  // of a string, too
  formats::append_jsonb_text(digits, *rejected);
  uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace millrace::node
