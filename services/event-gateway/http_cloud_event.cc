#include "event-gateway/http_cloud_event.h"

#include <fmt/format.h>

#include <algorithm>

#include "event-gateway/http_target.h"
#include "event-gateway/request_trace.h"
#include "formats/cloud_event.h"
#include "formats/json.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kVersion = "specversion";

// Senders of older versions write quoted strings (RFC 9110, 5.6.4).
std::string without_quotes(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  std::string out;
  value = value.substr(1, value.size() - 2);
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

// One round. A '%' without two digits stands for itself: older senders encode none.
std::string percent_decoded(std::string_view value) {
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    const bool encoded = value[i] == '%' && i + 2 < value.size() && hex_value(value[i + 1]) >= 0 &&
                         hex_value(value[i + 2]) >= 0;
    if (!encoded) {
      out += value[i];
      continue;
    }
    out += static_cast<char>(hex_value(value[i + 1]) * 16 + hex_value(value[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace

bool is_binary_cloud_event(const HttpHead& head) {
  return std::ranges::any_of(head.cloud_event, [](const auto& one) { return one.first == kVersion; });
}

Result<std::optional<Buffer>> binary_cloud_event(const HttpBackend& backend, const HttpRequest& request) {
  const auto catalog = backend.catalog();
  const auto* entry = catalog->find(request.tenant, request.target.segments[2]);
  if (entry == nullptr || entry->stream == nullptr || !entry->stream->cloud_events)
    return std::optional<Buffer>();
  formats::CloudEventAttributes attributes;
  for (const auto& [name, value] : request.head.cloud_event)
    attributes.emplace_back(name, percent_decoded(without_quotes(value)));
  TRY_ASSIGN(const std::string envelope, formats::to_cloud_event(attributes, request.head.content_type,
                                                                 request.body, entry->stream->columns));
  return std::optional(Buffer::copy(envelope));
}

void append_cloud_event(std::string& out, const engine::StreamDef& stream, const engine::StoredEvent& event,
                        std::string_view encoded_trace, bool quote_numbers) {
  if (stream.cloud_events) return append_flat(out, event.value, quote_numbers);
  fmt::format_to(std::back_inserter(out), R"({{"specversion":"1.0","id":"{}-{}","source":)",
                 event.partition.value, event.offset.value);
  std::string source = "/v1/streams/";
  append_percent_encoded(source, stream.name);
  formats::append_json_string(out, source);
  out += R"(,"type":"millrace.event","time":")";
  append_timestamp(out, Timestamp{event.time.value});
  out += R"(","datacontenttype":"application/json")";
  if (event.schema_id != 0)
    fmt::format_to(std::back_inserter(out), R"(,"dataschema":"/schemas/ids/{}")", event.schema_id);
  if (const auto trace = telemetry::decode_trace_context(encoded_trace)) out += trace_members(*trace);
  out += R"(,"data":)";
  append_flat(out, event.value, quote_numbers);
  out += '}';
}

}  // namespace millrace::gateway
