// HttpHandlers: which request means what. Refuses what must not be done, calls the backend for the rest.
//
// admit()  judges a head before its body is read: host, origin, path, method, token, content type. handle()
//          gets the whole request; the answer may come at once or later, in any order among requests.
// Threads: the core loop's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"
#include "event-gateway/http_coding.h"
#include "event-gateway/http_connection.h"
#include "event-gateway/http_message.h"
#include "event-gateway/http_routes.h"
#include "event-gateway/http_server.h"
#include "event-gateway/http_target.h"

namespace millrace::gateway {

// A connection's request, used again for its next one. A client mostly says the same: what was found out
// about a target, a host or a token holds for the next request that brings the same bytes.
struct HttpRequest {
  HttpHead head;
  HttpTarget target;
  Route route = Route::kNone;
  std::string methods;  // of the path, where OPTIONS asks
  bool by_tls = false;  // as all of its connection
  TenantId tenant;
  bool all_metrics = true;       // may see every tenant's series
  std::optional<Coding> coding;  // of the body, as it is sent
  std::string_view body;         // with Buffer::kPadding readable bytes behind
  std::string local;             // the address that the client reached

  std::string known_target, known_method, known_host, known_authorization;
  std::optional<TenantId> known_tenant;
  bool known_all_metrics = false;
};

class HttpHandlers {
 public:
  HttpHandlers(const HttpOptions& options, const HttpBackend& backend)
      : options_(options), backend_(backend) {}

  Status open();  // finds the tenants
  // Refuses one that is open to others without tokens.
  Status check_address(std::string_view address) const;
  std::optional<HttpAnswer> admit(HttpRequest& request);
  void handle(const HttpRequest& request, const HttpReply& reply);
  // Requests whose successors may be begun before they are answered.
  static bool concurrent(Route route) { return route != Route::kOptions && operation_of(route).concurrent; }

 private:
  std::optional<HttpAnswer> check_host(HttpRequest& request) const;
  std::optional<HttpAnswer> check_origin(const HttpRequest& request) const;
  std::optional<HttpAnswer> find_route(HttpRequest& request) const;
  std::optional<HttpAnswer> check_token(HttpRequest& request) const;
  std::optional<HttpAnswer> check_type(const HttpRequest& request) const;
  std::optional<HttpAnswer> check_coding(HttpRequest& request) const;
  std::optional<HttpAnswer> check_key(const HttpRequest& request) const;
  bool is_our_host(std::string_view authority, const std::string& local) const;

  void ingest(const HttpRequest& request, const HttpReply& reply);

  const HttpOptions& options_;
  const HttpBackend& backend_;
  std::map<std::string, TenantId> tenants_;
  TenantId default_tenant_;
};

// http_read.cc: GET /v1/streams/{stream}/events
void read_events(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// websocket_handshake.cc: GET /v1/ws
std::optional<HttpAnswer> check_handshake(const HttpHead& head);
void begin_websocket(const HttpRequest& request, const HttpReply& reply);
// http_sql.cc: POST /v1/sql
void run_sql(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);

// http_resources.cc: /v1/streams, /v1/views, /v1/queries, /v1/tenants
void list_resources(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void show_resource(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void change_resource(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// http_dead_letters.cc: /v1/dead-letters; the second: one of them
void ask_dead_letters(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void ask_dead_letter(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// asyncapi.cc: GET /asyncapi.json
void show_channels(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);

// http_read.cc: JSON on one line: a line break between its tokens becomes a blank; inside a string there is none.
void append_flat(std::string& out, std::string_view json, bool quote_numbers);

bool is_loopback(std::string_view host);

}  // namespace millrace::gateway
