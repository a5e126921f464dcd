// HttpHandlers: which request means what. Refuses what must not be done, calls the backend for the rest.
//
// admit()  judges a head before its body is read: host, origin, path, method, token, content type. handle()
//          gets the whole request; the answer may come at once or later, in any order among requests.
// Threads: the core loop's.
#pragma once

#include <functional>
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
#include "event-gateway/http_upload.h"

namespace millrace::gateway {

struct AuditAct;

// A connection's request, used again for its next one. A client mostly says the same: what was found out
// about a target, a host or a token holds for the next request that brings the same bytes.
struct HttpRequest {
  HttpHead head;
  HttpTarget target;
  Route route = Route::kNone;
  std::string methods;          // of the path, where OPTIONS asks
  bool by_tls = false;          // as all of its connection
  Face face = Face::kPlatform;  // likewise
  TenantId tenant;
  CallerPtr caller;                  // null: the server is open, or the path is
  bool all_metrics = true;           // may see every tenant's series
  std::optional<SecretCheck> check;  // admit() waits for it; see HttpHandlers::verify()
  std::optional<Coding> coding;      // of the body, as it is sent
  std::string_view body;             // with Buffer::kPadding readable bytes behind
  std::string local;                 // the address that the client reached
  std::string peer;                  // and its own

  std::string known_target, known_method, known_host, known_authorization;
  CallerPtr known_caller;
  TenantId known_tenant;          // its
  TenantQuotas::Hold connection;  // counts it for held_tenant
  TenantId held_tenant;
  std::string refused_authorization;  // what was verified, and does not hold
};

class HttpHandlers {
 public:
  HttpHandlers(const HttpOptions& options, HttpBackend& backend);

  Status open();  // finds the tenants
  // Refuses one that is open to others without tokens.
  Status check_address(std::string_view address) const;
  // With request.check set it cannot say yet: verify(), then admit() anew.
  std::optional<HttpAnswer> admit(HttpRequest& request);
  // Runs the request's check off the loop; `done` comes on it, maybe before this returns. False: too many wait.
  bool verify(HttpRequest& request, std::function<void(bool holds)> done);
  void keep_uses(bool all);  // of tokens; now and then, and at the end
  void handle(const HttpRequest& request, const HttpReply& reply);
  // Whether a body beyond the bound is taken part by part (http_upload.h): NDJSON that is not compressed.
  static bool takes_parts(const HttpRequest& request);
  std::shared_ptr<HttpUpload> begin_upload(const HttpRequest& request, std::function<void()> room,
                                           std::function<void(HttpAnswer, bool failed)> done);
  // Requests whose successors may be begun before they are answered.
  static bool concurrent(Route route) {
    return route == Route::kSchemaRegistry || (route != Route::kOptions && operation_of(route).concurrent);
  }
  // Whether it may go on: a token that has not ended, or none while there are none.
  bool is_good(const CallerPtr& caller) const;

 private:
  bool is_open() const;  // there are no tokens
  std::optional<HttpAnswer> check_host(HttpRequest& request) const;
  std::optional<HttpAnswer> check_origin(const HttpRequest& request) const;
  std::optional<HttpAnswer> find_route(HttpRequest& request) const;
  void find_registry_route(HttpRequest& request) const;
  std::optional<HttpAnswer> check_open(const HttpRequest& request) const;
  std::optional<HttpAnswer> check_token(HttpRequest& request);
  std::optional<HttpAnswer> find_caller(HttpRequest& request);
  std::optional<HttpAnswer> check_scopes(const HttpRequest& request) const;
  std::optional<HttpAnswer> check_quotas(HttpRequest& request);
  std::optional<HttpAnswer> check_type(const HttpRequest& request) const;
  std::optional<HttpAnswer> check_coding(HttpRequest& request) const;
  std::optional<HttpAnswer> check_key(const HttpRequest& request) const;
  bool is_our_host(std::string_view authority, const std::string& local) const;

  void ingest(const HttpRequest& request, const HttpReply& reply);
  HttpAnswer answer_ingest(Result<IngestAnswer> result, bool may_be_empty, TenantId tenant) const;

  const HttpOptions& options_;
  HttpBackend& backend_;
  std::unique_ptr<TenantQuotas> own_quotas_;  // where the backend has none
  TenantId default_tenant_;
  int64_t uses_kept_us_ = 0;
};

// http_read.cc: GET /v1/streams/{stream}/events
void read_events(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// websocket_handshake.cc: GET /v1/ws
std::optional<HttpAnswer> check_handshake(const HttpHead& head);
void begin_websocket(const HttpRequest& request, const HttpReply& reply);
// http_backups.cc: /v1/backups
void hold_backup(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// http_sql.cc: POST /v1/sql
void run_sql(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);

// http_resources.cc: /v1/streams, /v1/views, /v1/queries, /v1/tenants
void list_resources(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void show_resource(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void change_resource(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// http_tokens.cc: /v1/tokens
void list_tokens(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void show_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void make_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void rotate_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void revoke_token(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// http_quotas.cc: /v1/tenants/{tenant}/quotas
void show_quotas(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void set_quotas(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// http_dead_letters.cc: /v1/dead-letters; the second: one of them
void ask_dead_letters(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
void ask_dead_letter(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// http_schemas.cc: POST /v1/schemas/check
void check_schema(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);
// asyncapi.cc: GET /asyncapi.json
void show_channels(const HttpBackend& backend, const HttpRequest& request, const HttpReply& reply);

// http_read.cc: JSON as it is, or its numbers as strings
void append_json(std::string& out, std::string_view json, bool quote_numbers);
// … and on one line: a line break between its tokens becomes a blank; inside a string there is none.
void append_flat(std::string& out, std::string_view json, bool quote_numbers);

// http_audit.cc: a line of the audit log that says who, and from where; what was done is to be added.
AuditAct sent_by(const CallerPtr& caller, const std::string& peer, int64_t at_us);
// Writes down that the request's sender did `act` to `what` of `tenant`; `act` and `what` hold no secret.
void audit(const HttpBackend& backend, const HttpRequest& request, std::string_view act,
           std::string_view what, const Status& outcome);
// The same, for an act that is done later.
using LaterAudit = std::function<void(std::string_view act, std::string_view what, const Status& outcome)>;
LaterAudit later_audit(const HttpBackend& backend, const HttpRequest& request);
// The same for the statements that a text has: who, and from where, is kept until they are done.
std::function<void(const std::string&, const Status&)> statement_audit(const HttpBackend& backend,
                                                                       CallerPtr caller, std::string peer);

bool is_loopback(std::string_view host);

}  // namespace millrace::gateway
