// GET /asyncapi.json: the tenant's streams as channels of AsyncAPI 3.0, each with what its events are made of, and how
// they go in and out: HTTP, server-sent events, WebSocket.
//
// Operations are this server's: it receives what clients send.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"
#include "event-gateway/resource_page.h"
#include "formats/json_text.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kWebSocketChannel = R"({"address":"/v1/ws","title":"WebSocket",
"description":"Publish to streams and subscribe to streams and views over one connection.",
"servers":[{"$ref":"#/servers/websocket"}],"messages":{
"command":{"title":"What a client says","contentType":"application/json","payload":{"oneOf":[
{"type":"object","required":["publish","id","events"],"properties":{"publish":{"type":"string"},
"id":{"type":["string","number"]},"events":{"type":["array","object"]},"key":{"type":"string"}}},
{"type":"object","required":["publish","id","values"],"properties":{"publish":{"type":"string"},
"id":{"type":["string","number"]},"values":{"type":"array","items":{"type":"string","contentEncoding":"base64"}},
"key":{"type":"string"}}},
{"type":"object","required":["subscribe","id"],"properties":{"subscribe":{"type":"string"},
"id":{"type":["string","number"]},"from":{"type":"string"},"limit":{"type":"integer"},
"partition":{"type":"integer"},"numbers":{"enum":["number","string"]},
"encoding":{"enum":["json","binary"]}}},
{"type":"object","required":["unsubscribe"],"properties":{"unsubscribe":{"type":["string","number"]}}},
{"type":"object","required":["ping"],"properties":{"ping":{}}}]}},
"answer":{"title":"What the server says","contentType":"application/json","payload":{"type":"object",
"properties":{"ack":{"type":["string","number"]},"subscribed":{"type":["string","number"]},
"subscription":{"type":["string","number"]},"events":{"type":"array"},"cursor":{"type":"string"},
"encoding":{"enum":["avro","protobuf"]},"schema":{"type":"object"},"ops":{"type":"array"},
"rows":{"type":"integer","description":"So many binary messages follow, a row each, in Confluent's wire format."},
"unsubscribed":{"type":["string","number"]},"error":{"type":"object"},"pong":{}}}}},
"bindings":{"ws":{"method":"GET","bindingVersion":"0.1.0"}}})";

// Where a stream's name may have any character, an id of the document has letters, digits and these.
std::string id_of(std::string_view name) {
  std::string id;
  for (const char c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    id += plain ? std::string(1, c) : fmt::format(".{:02X}", static_cast<unsigned char>(c));
  }
  return id;
}

// The JSON types that a value comes in, NULL aside.
std::string_view json_types(Type type) {
  if (is_array(type)) return R"("array")";
  if (is_row(type)) return R"("object")";
  if (is_integer(type)) return R"("integer")";
  if (type == Type::kBoolean) return R"("boolean")";
  if (is_number(type)) return R"("number","string")";      // NaN and the infinities are strings
  if (is_timestamp(type)) return R"("string","integer")";  // RFC 3339, or a count since 1970
  if (type == Type::kJsonb) return R"("object","array","string","number","boolean")";
  return R"("string")";
}

// Columns from inside an event's objects are left out: its schema tells its own members.
void append_payload(formats::JsonText& out, const CatalogEntry& entry) {
  const engine::StreamDef& stream = *entry.stream;
  out.open('{').name("type").text("object");
  if (stream.cloud_events) {
    out.name("description")
        .text("CloudEvents 1.0")
        .name("required")
        .value(R"(["specversion","id","source","type"])");
    out.close('}');
    return;
  }
  out.name("properties").open('{');
  for (const auto& column : stream.columns) {
    if (!column.path.empty()) continue;
    out.name(column.name)
        .open('{')
        .name("type")
        .open('[')
        .value(json_types(column.type))
        .text("null")
        .close(']');
    out.name("description").text(declared_type(column)).close('}');
  }
  out.close('}').close('}');
}

void append_channel(formats::JsonText& out, const CatalogEntry& entry) {
  const engine::StreamDef& stream = *entry.stream;
  std::string address = "/v1/streams/";
  append_percent_encoded(address, stream.name);
  out.name(id_of(stream.name)).open('{').name("address").text(address + "/events");
  out.name("title").text(stream.name).name("servers").value(R"([{"$ref":"#/servers/http"}])");
  out.name("messages").open('{').name("event").open('{').name("title").text("An event of " + stream.name);
  out.name("contentType").text(stream.cloud_events ? "application/cloudevents+json" : kJsonType);
  append_payload(out.name("payload"), entry);
  out.close('}').close('}').close('}');
}

// What the server does with a channel.
struct Way {
  std::string_view prefix, action, method, summary;
};
constexpr Way kTakesEvents{"send_", "receive", "POST", "Send events: JSON, NDJSON or CloudEvents"};
constexpr Way kGivesEvents{
    "read_", "send", "GET",
    "Events as they become durable: server-sent events, with Accept: text/event-stream"};

void append_operation(formats::JsonText& out, const Way& way, const std::string& id) {
  out.name(fmt::format("{}{}", way.prefix, id)).open('{').name("action").text(way.action);
  out.name("summary")
      .text(way.summary)
      .name("channel")
      .open('{')
      .name("$ref")
      .text("#/channels/" + id)
      .close('}');
  out.name("messages").open('[').open('{').name("$ref").text(fmt::format("#/channels/{}/messages/event", id));
  out.close('}').close(']').name("bindings").open('{').name("http").open('{').name("method").text(way.method);
  out.name("bindingVersion").text("0.3.0").close('}').close('}').close('}');
}

void append_operations(formats::JsonText& out, std::span<const NamedEntry> streams) {
  out.name("operations").open('{');
  for (const auto& stream : streams) {
    const std::string id = id_of(stream.name);
    if (stream.entry->stream->kind == engine::StreamKind::kDeclared) append_operation(out, kTakesEvents, id);
    append_operation(out, kGivesEvents, id);
  }
  out.name("websocket.receive").value(R"({"action":"receive","channel":{"$ref":"#/channels/.websocket"},
"messages":[{"$ref":"#/channels/.websocket/messages/command"}]})");
  out.name("websocket.send").value(R"({"action":"send","channel":{"$ref":"#/channels/.websocket"},
"messages":[{"$ref":"#/channels/.websocket/messages/answer"}]})");
  out.close('}');
}

void append_servers(formats::JsonText& out, const std::string& host, bool by_tls) {
  const auto append = [&](std::string_view name, std::string_view protocol) {
    out.name(name).open('{').name("host").text(host).name("protocol").text(protocol);
    out.name("security").value(R"([{"type":"http","scheme":"bearer"}])").close('}');
  };
  out.name("servers").open('{');
  append("http", by_tls ? "https" : "http");
  append("websocket", by_tls ? "wss" : "ws");
  out.close('}');
}

// `streams` become those that are in it: the document's size is bounded.
std::string document(const std::string& tenant, const std::string& host, bool by_tls,
                     std::span<const NamedEntry>& streams) {
  std::string text;
  formats::JsonText out(text);
  out.open('{').name("asyncapi").text("3.0.0").name("info").open('{').name("title");
  out.text("Millrace: streams of " + tenant).name("version").text(MILLRACE_VERSION).close('}');
  append_servers(out, host, by_tls);
  out.name("defaultContentType").text(kJsonType).name("channels").open('{');
  size_t taken = 0;
  for (; taken < streams.size() && text.size() < kMaxPageBytes; ++taken)
    append_channel(out, *streams[taken].entry);
  streams = streams.first(taken);
  out.name(".websocket").value(kWebSocketChannel).close('}');
  append_operations(out, streams);
  out.close('}');
  text += '\n';
  return text;
}

}  // namespace

void show_channels(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply) {
  const auto page = page_request(request.target, kMaxPageItems);
  if (!page.ok()) return reply.answer(problem(page.error()));
  const auto catalog = backend.catalog();
  std::vector<NamedEntry> all;
  for (const auto* entry : streams_of(*catalog, request.tenant)) {
    if (sees(request.caller, name_of(*entry))) all.push_back({name_of(*entry), entry});
  }
  all = entries_after(std::move(all), *page);
  auto streams = std::span<const NamedEntry>(all).first(std::min(all.size(), page->limit));
  const std::string* tenant = catalog->tenant_name(request.tenant);
  const std::string& authority =
      request.target.authority.empty() ? request.head.host : request.target.authority;
  HttpAnswer answer;
  answer.body = document(tenant == nullptr ? std::string() : *tenant,
                         authority.empty() ? request.local : authority, request.by_tls, streams);
  if (streams.size() < all.size())
    answer.fields = fmt::format("Millrace-Cursor: {}\r\n", page_cursor(streams.back().name));
  reply.answer(std::move(answer));
}

}  // namespace millrace::gateway
