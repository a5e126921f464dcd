// What the parser makes of a request's head, what a handler answers, and how that is written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::gateway {

// A request's head: the fields that anybody here asks for. Reused from request to request, so that it
// allocates rarely.
struct HttpHead {
  std::string method;
  std::string target;
  std::string host, origin, content_type, content_encoding, accept, authorization, idempotency_key,
      last_event_id, expect, request_id;
  std::string trace_parent, trace_state;
  std::string upgrade, connection, ws_key, ws_version, ws_protocols, ws_extensions;
  std::vector<std::pair<std::string, std::string>>
      cloud_event;       // fields ce-…: the rest in lower case, and its value
  std::string repeated;  // a field that may come once and came again
  bool http11 = true;
  bool keep_alive = true;
  bool chunked = false;
  bool accept_unknown = false;  // Confluent-Accept-Unknown-Properties: true
  bool has_host = false, has_origin = false, has_idempotency_key = false;
  std::optional<uint64_t> content_length;

  void clear();
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

struct HttpAnswer {
  int status = 200;
  std::string_view content_type = "application/json";  // static storage
  std::string body;
  std::string fields;  // further header lines, each ending in CRLF
};

// What the connection adds to an answer.
struct HeadForm {
  std::string_view date;  // a whole line
  bool http11 = true;
  bool last = false;         // the connection ends behind it
  bool sized = true;         // by Content-Length; else chunked, or in 1.0 to the connection's end
  std::string_view trailer;  // the line that announces one; may be empty
};
// The answer behind which the connection speaks WebSocket.
void append_upgrade_head(std::string& out, std::string_view date, std::string_view fields);
// Status line and fields, up to the empty line.
void append_head(std::string& out, const HttpAnswer& answer, const HeadForm& form);
void append_chunk(std::string& out, std::string_view piece);         // not empty
void append_last_chunk(std::string& out, std::string_view trailer);  // trailer: lines, each ending in CRLF

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kNdjsonType = "application/x-ndjson";
inline constexpr std::string_view kValueType = "application/octet-stream";  // of a serializer
inline constexpr std::string_view kValuesType = "application/vnd.millrace.values";
inline constexpr std::string_view kEventsType = "text/event-stream";
inline constexpr std::string_view kAvroType = "application/vnd.apache.avro";
inline constexpr std::string_view kComeBack =
    "retry: 2000\n\n";  // of an event stream that ends with the server
inline constexpr std::string_view kProblemType = "application/problem+json";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";

// Field values. Media types compare without case and parameters.
std::string_view trim(std::string_view text);  // without blanks and tabs around it
bool iequals(std::string_view a, std::string_view b);
bool is_media_type(std::string_view content_type, std::string_view wanted);
bool accepts(std::string_view accept, std::string_view type);  // it is in the list
inline bool accepts_events(std::string_view accept) {
  return accepts(accept, kEventsType);
}
std::string in_lower_case(std::string_view text);
bool has_token(std::string_view list, std::string_view token);  // without case

}  // namespace millrace::gateway
