#include "event-gateway/http_handlers.h"

#include <fmt/format.h>

#include "event-gateway/basic_password.h"
#include "event-gateway/http_cloud_event.h"
#include "event-gateway/http_cors.h"
#include "event-gateway/http_status.h"
#include "event-gateway/openapi.h"
#include "event-gateway/request_trace.h"
#include "event/text.h"
#include "sql/binder.h"

namespace millrace::gateway {
namespace {

constexpr int64_t kKeepUsesEveryUs = 60'000'000;

HttpAnswer text(int status, std::string body) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type = kTextType;
  answer.body = std::move(body);
  return answer;
}

HttpAnswer metrics_page(std::string body) {
  HttpAnswer answer = text(200, std::move(body));
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return answer;
}

HttpAnswer wrong_method(std::string_view method, std::string_view allowed) {
  HttpAnswer answer = problem(405, error(Code::kInvalid, "MR-API-0005",
                                         fmt::format("{} is not a method of this path", start_of(method, 20)),
                                         fmt::format("use {}", allowed)));
  answer.fields = fmt::format("Allow: {}\r\n", allowed);
  return answer;
}

HttpAnswer no_such_path() {
  return problem(404, error(Code::kNotFound, "MR-API-0004", "there is nothing at this path",
                            "GET / lists what there is"));
}

// What the request shows: a bearer, or what clients of a registry send as a password.
std::string token_of(const HttpRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string& given = request.head.authorization;
  if (given.size() > kScheme.size() && iequals(std::string_view(given).substr(0, kScheme.size()), kScheme))
    return given.substr(kScheme.size());
  return request.face == Face::kSchemaRegistry ? basic_password(given) : std::string();
}

HttpAnswer no_token(const char* id, std::string message) {
  return problem(
      401, error(Code::kDenied, id, std::move(message), "send the header  Authorization: Bearer TOKEN"));
}

// A browser asks whether it may send the token without sending it.
bool is_about_server(Route route) {
  if (route == Route::kSchemaRegistry) return false;
  return route == Route::kOptions || operation_of(route).access == Operation::Access::kOpen;
}

bool is_metrics(Route route) {
  return route == Route::kMetrics || route == Route::kMetricsFull;
}

bool is_structured(std::string_view type) {
  return is_media_type(type, kCloudEventType) || is_media_type(type, kCloudEventsType);
}

// Nothing: no body that is taken in.
std::optional<IngestRequest::Format> format_of(const HttpRequest& request) {
  using enum IngestRequest::Format;
  const std::string& type = request.head.content_type;
  const bool binary = is_binary_cloud_event(request.head);
  if (!binary && is_media_type(type, kNdjsonType)) return kNdjson;
  if (!binary && is_media_type(type, kJsonType)) return kJson;
  if (!binary && is_media_type(type, kValueType)) return kValue;
  if (!binary && is_media_type(type, kValuesType)) return kValues;
  if (is_media_type(type, kCloudEventsType)) return kCloudEventBatch;
  if (binary || is_media_type(type, kCloudEventType)) return kCloudEvent;
  return std::nullopt;
}

HttpAnswer ingest_answer(Result<IngestAnswer> result, bool may_be_empty, double retry_after_s) {
  if (!result.ok()) return problem(result.error(), retry_after_s);
  if (result->is_empty() && !may_be_empty) {
    return problem(400,
                   error(Code::kInvalid, "MR-API-0012", "the body holds no events",
                         "send a JSON object, an array of them, one object a line, or a serializer's value"));
  }
  HttpAnswer answer;
  answer.status = result->is_success() ? 200 : 400;
  answer.body = to_json(*result);
  answer.body += '\n';
  if (result->replayed) answer.fields = "Idempotency-Replayed: true\r\n";
  return answer;
}

// A browser's EventSource gives up for good on any status but 200, and comes back with its last id when a stream ends.
HttpAnswer come_back() {
  HttpAnswer answer;
  answer.content_type = kEventsType;
  answer.fields = "Cache-Control: no-store\r\n";
  answer.body = kComeBack;
  return answer;
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (iequals(host, "localhost") || host == "::1") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Status HttpHandlers::check_address(std::string_view address) const {
  std::string_view host = address;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!is_open() || is_loopback(host)) return {};
  return error(
      Code::kInvalid, "MR-API-0030",
      fmt::format("without tokens everybody who reaches {} could read and write", address),
      "listen on 127.0.0.1, or make a token before: millrace tokens create --data DIR --scope admin");
}

HttpHandlers::HttpHandlers(const HttpOptions& options, HttpBackend& backend)
    : options_(options), backend_(backend) {}

bool HttpHandlers::is_good(const CallerPtr& caller) const {
  return caller == nullptr ? is_open() : caller->is_good(backend_.now_us());
}

bool HttpHandlers::is_open() const {
  return backend_.tokens == nullptr && (backend_.token_store == nullptr || backend_.token_store->empty());
}

Status HttpHandlers::open() {
  if (backend_.quotas == nullptr) {
    auto set_rates = backend_.set_quota ? backend_.set_quota : [](TenantId, Quota) {};
    TRY_ASSIGN(own_quotas_, TenantQuotas::open(nullptr, {}, std::move(set_rates)));
    backend_.quotas = own_quotas_.get();
  }
  if (!backend_.tenant) return {};  // there is no node yet
  if (is_open()) {
    TRY_ASSIGN(default_tenant_, backend_.tenant("default"));
  }
  if (backend_.tokens == nullptr) return {};
  for (const auto& [name, quota] : backend_.tokens->tenants()) {
    TRY_ASSIGN(const TenantId tenant, backend_.tenant(name));
    backend_.quotas->set_usual(name, quota);
    backend_.quotas->admit(tenant, name);
  }
  return {};
}

std::optional<HttpAnswer> HttpHandlers::admit(HttpRequest& request) {
  const HttpHead& head = request.head;
  if (!head.repeated.empty()) {
    return problem(400,
                   error(Code::kInvalid, "MR-API-0007", "the header " + head.repeated + " is given twice"));
  }
  if (auto refusal = find_route(request)) return refusal;
  if (auto refusal = check_host(request)) return refusal;
  if (auto refusal = check_origin(request)) return refusal;
  if (request.route == Route::kNone) return no_such_path();
  if (auto refusal = check_open(request)) return refusal;
  if (auto refusal = check_token(request); refusal || request.check) return refusal;
  if (auto refusal = check_type(request)) return refusal;
  if (auto refusal = check_coding(request)) return refusal;
  if (request.route == Route::kSocket) return check_handshake(head);
  return check_key(request);
}

std::optional<HttpAnswer> HttpHandlers::find_route(HttpRequest& request) const {
  const HttpHead& head = request.head;
  if (!request.known_target.empty() && head.target == request.known_target &&
      head.method == request.known_method) {
    return std::nullopt;
  }
  request.known_target.clear();
  request.known_host.clear();
  request.route = Route::kNone;
  if (head.target == "*" && head.method == "OPTIONS") {  // of the server as a whole
    request.target = {};
    request.methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
    request.route = Route::kOptions;
    return std::nullopt;
  }
  const bool of_registry = request.face == Face::kSchemaRegistry;
  auto target = of_registry ? parse_repeating_target(head.target) : parse_target(head.target);
  if (!target.ok()) return problem(target.error());
  request.target = std::move(*target);
  if (of_registry) {
    find_registry_route(request);
    return std::nullopt;
  }
  std::string methods;
  const Operation* operation = find_operation(head.method, request.target.segments, methods);
  if (operation != nullptr) {
    request.route = operation->route;
  } else if (!methods.empty()) {
    methods += ", OPTIONS";
    if (head.method != "OPTIONS") return wrong_method(head.method, methods);
    request.route = Route::kOptions;
    request.methods = std::move(methods);
  }
  if (request.route != Route::kNone && head.target.size() <= 1024) {
    request.known_target = head.target;
    request.known_method = head.method;
  }
  return std::nullopt;
}

// The pages of metrics are this server's own; of the registry's paths it knows the methods alone.
void HttpHandlers::find_registry_route(HttpRequest& request) const {
  const HttpHead& head = request.head;
  std::string unused;
  const Operation* own = find_operation(head.method, request.target.segments, unused);
  request.route = own != nullptr && is_metrics(own->route) ? own->route : Route::kSchemaRegistry;
  if (head.method != "OPTIONS" || !backend_.schema_registry.methods) return;
  request.methods = backend_.schema_registry.methods(request.target.segments);
  if (!request.methods.empty()) request.route = Route::kOptions;
}

bool HttpHandlers::is_our_host(std::string_view authority, const std::string& local) const {
  std::string_view host, port;
  if (!split_authority(authority, host, port)) return false;
  if (is_loopback(host) || iequals(host, options_.address) || iequals(host, local)) return true;
  for (const auto& allowed : options_.allowed_hosts) {
    if (iequals(host, allowed) || iequals(authority, allowed)) return true;
  }
  return false;
}

// A page whose name was made to point here must not be taken for one of ours (DNS rebinding).
std::optional<HttpAnswer> HttpHandlers::check_host(HttpRequest& request) const {
  const HttpHead& head = request.head;
  if (!head.has_host && head.http11) {
    return problem(400, error(Code::kInvalid, "MR-API-0007", "the header Host is missing"));
  }
  const std::string& authority = request.target.authority.empty() ? head.host : request.target.authority;
  if (!head.has_host && request.target.authority.empty()) return std::nullopt;
  if (!request.known_host.empty() && authority == request.known_host) return std::nullopt;
  std::string_view host, port;
  if (!split_authority(authority, host, port) ||
      (head.has_host && !head.host.empty() && !split_authority(head.host, host, port))) {
    return problem(400, error(Code::kInvalid, "MR-API-0007", "the header Host is not a host and port"));
  }
  if (!is_our_host(authority, request.local)) {
    return problem(
        421, error(Code::kInvalid, "MR-API-0008",
                   fmt::format("this server does not answer for the host \"{}\"", start_of(authority, 100)),
                   "use localhost or the server's address, or start the server with --allow-host"));
  }
  request.known_host = authority;
  return std::nullopt;
}

std::optional<HttpAnswer> HttpHandlers::check_origin(const HttpRequest& request) const {
  const HttpHead& head = request.head;
  if (!head.has_origin) return std::nullopt;
  const std::string_view origin = head.origin;
  const size_t scheme = origin.find("://");
  if (scheme != std::string_view::npos && iequals(origin.substr(scheme + 3), head.host)) return std::nullopt;
  if (allows_origin(options_.cors_origins, origin)) return std::nullopt;
  return problem(403, error(Code::kDenied, "MR-API-0009", "requests from other sites' pages are not answered",
                            "call from a program, or allow the page's origin with --cors-origin"));
}

// Before there is a node, and once it ends, only questions about it are answered.
std::optional<HttpAnswer> HttpHandlers::check_open(const HttpRequest& request) const {
  if (!backend_.open || is_about_server(request.route)) return std::nullopt;
  if (request.route == Route::kMetrics && backend_.metrics) return std::nullopt;
  const Status open = backend_.open();
  if (open.ok()) return std::nullopt;
  if (request.route == Route::kRead && accepts_events(request.head.accept)) return come_back();
  return problem(open.error());
}

std::optional<HttpAnswer> HttpHandlers::check_token(HttpRequest& request) {
  request.tenant = default_tenant_;
  request.caller = nullptr;
  request.all_metrics = true;
  request.check.reset();
  if (is_open()) return check_quotas(request);
  if (is_about_server(request.route)) return std::nullopt;
  if (auto refusal = find_caller(request); refusal || request.check) return refusal;
  request.caller = request.known_caller;
  request.tenant = request.known_tenant;
  request.all_metrics = request.caller->all_metrics;
  if (auto refusal = check_scopes(request)) return refusal;
  return check_quotas(request);
}

// By the head alone: what is over a quota costs no more than to say so.
std::optional<HttpAnswer> HttpHandlers::check_quotas(HttpRequest& request) {
  if (is_about_server(request.route)) return std::nullopt;
  TenantQuotas& quotas = *backend_.quotas;
  if (request.connection == nullptr || request.held_tenant != request.tenant) {
    static const std::string kDefault = "default";
    quotas.admit(request.tenant, request.caller == nullptr ? kDefault : request.caller->tenant);
    request.connection = nullptr;
    auto hold = quotas.connect(request.tenant);
    if (!hold.ok()) return problem(hold.error());
    request.connection = std::move(*hold);
    request.held_tenant = request.tenant;
  }
  if (request.route == Route::kRead && accepts_events(request.head.accept)) {
    const Status room = quotas.may_subscribe(request.tenant);
    if (!room.ok()) return problem(room.error());
  }
  if (request.route != Route::kIngest || !backend_.admits) return std::nullopt;
  // A longer body comes in parts, each of which is judged.
  const uint64_t bytes = std::min<uint64_t>(request.head.content_length.value_or(0), options_.max_body_bytes);
  const Status admitted = backend_.admits(request.tenant, bytes);
  if (admitted.ok()) return std::nullopt;
  return problem(admitted.error(), backend_.retry_after_s ? backend_.retry_after_s(request.tenant) : 1);
}

std::optional<HttpAnswer> HttpHandlers::find_caller(HttpRequest& request) {
  const std::string& given = request.head.authorization;
  if (given.empty()) return no_token("MR-API-0014", "this needs an access token");
  const int64_t now = backend_.now_us();
  if (request.known_caller == nullptr || given != request.known_authorization) {
    const std::string token = token_of(request);
    CallerPtr caller = backend_.tokens != nullptr ? backend_.tokens->caller_of(token) : nullptr;
    if (caller == nullptr && backend_.token_store != nullptr && given != request.refused_authorization) {
      auto seen = backend_.token_store->look(token, now);
      caller = std::move(seen.caller);
      request.check = std::move(seen.check);
      if (request.check) return std::nullopt;
    }
    if (caller == nullptr) return no_token("MR-API-0015", "the access token is not one of this server's");
    const auto tenant = backend_.tenant(caller->tenant);
    if (!tenant.ok()) return problem(tenant.error());
    request.known_authorization = given;
    request.known_caller = std::move(caller);
    request.known_tenant = *tenant;
  }
  if (request.known_caller->is_good(now)) {
    request.known_caller->used_us = now;
    return std::nullopt;
  }
  return no_token("MR-AUTH-0001", "the access token has expired, or is no longer good");
}

// Of the route, and of what its path names.
std::optional<HttpAnswer> HttpHandlers::check_scopes(const HttpRequest& request) const {
  if (request.route == Route::kSchemaRegistry) return std::nullopt;  // it asks by itself
  const auto needed = static_cast<ScopeSet>(operation_of(request.route).access);
  const Scopes& scopes = request.caller->scopes;
  if (!scopes.has_any(needed)) return problem(lacks_scope(*request.caller, names_of(needed)));
  const bool of_all = scopes.has_any(static_cast<ScopeSet>(Scope::kAdmin)) ||
                      scopes.allows_all(Scope::kRead) || scopes.allows_all(Scope::kQuery);
  if (request.route == Route::kMetricsFull && !of_all)
    return problem(lacks_scope(*request.caller, "read or query of all names, or admin"));
  Status allowed;
  if (request.route == Route::kIngest || request.route == Route::kRead) {
    const Scope scope = request.route == Route::kIngest ? Scope::kIngest : Scope::kRead;
    allowed = check_scope(request.caller, scope, request.target.segments[2]);
  } else if (operation_of(request.route).access == Operation::Access::kRead) {
    allowed = check_scope(request.caller, Scope::kRead, sql::kDeadLetterName);
  }
  if (allowed.ok()) return std::nullopt;
  return problem(allowed.error());
}

bool HttpHandlers::verify(HttpRequest& request, std::function<void(bool holds)> done) {
  const auto holds = std::make_shared<bool>(false);
  auto work = [holds, check = *request.check] { *holds = check.run(); };
  auto then = [holds, check = *request.check, token = token_of(request), store = backend_.token_store,
               done = std::move(done)] {
    if (*holds) store->prove(check, token);
    done(*holds);
  };
  if (backend_.verifying) return backend_.verifying(std::move(work), std::move(then));
  work();
  then();
  return true;
}

void HttpHandlers::keep_uses(bool all) {
  if (backend_.token_store == nullptr) return;
  const int64_t now = backend_.now_us();
  if (!all && now - uses_kept_us_ < kKeepUsesEveryUs) return;
  uses_kept_us_ = now;
  const Status kept = backend_.token_store->keep_uses(now, all);
  if (!kept.ok() && backend_.log_failure) backend_.log_failure(problem(kept.error()).body);
}

std::optional<HttpAnswer> HttpHandlers::check_type(const HttpRequest& request) const {
  const std::string& type = request.head.content_type;
  if (request.route == Route::kSql && !is_media_type(type, "application/sql") &&
      !is_media_type(type, kJsonType)) {
    return problem(
        415, error(Code::kInvalid, "MR-API-0006", "the body has to be SQL",
                   "send the header  Content-Type: application/sql, or application/json with parameters"));
  }
  const bool takes_json = request.route == Route::kMakeToken || request.route == Route::kSetQuotas ||
                          request.route == Route::kEditLetter || request.route == Route::kCheckSchema;
  if (takes_json && !is_media_type(type, kJsonType)) {
    return problem(415, error(Code::kInvalid, "MR-API-0006", "the body has to be JSON",
                              "send the header  Content-Type: application/json"));
  }
  if (request.route == Route::kIngest && !format_of(request)) {
    return problem(
        415, error(Code::kInvalid, "MR-API-0006", "the body has to be JSON",
                   "send the header  Content-Type: application/x-ndjson  or  application/json; of "
                   "CloudEvents  application/cloudevents+json  or  application/cloudevents-batch+json; of "
                   "serializers' values  application/octet-stream  or  application/vnd.millrace.values"));
  }
  return std::nullopt;
}

std::optional<HttpAnswer> HttpHandlers::check_coding(HttpRequest& request) const {
  request.coding.reset();
  const std::string& name = request.head.content_encoding;
  if (name.empty() || iequals(name, "identity")) return std::nullopt;
  if (request.route != Route::kSql && request.route != Route::kIngest &&
      request.route != Route::kSchemaRegistry)
    return std::nullopt;
  request.coding = coding_named(name);
  if (request.coding) return std::nullopt;
  HttpAnswer refusal = problem(
      415, error(Code::kInvalid, "MR-API-0023",
                 fmt::format("the body's Content-Encoding \"{}\" is not known here", start_of(name, 40)),
                 fmt::format("one of {}; or send the body as it is", kCodings)));
  refusal.fields = fmt::format("Accept-Encoding: {}\r\n", kCodings);
  return refusal;
}

// A client whose key got lost on its way believes to be protected; it is told so instead.
std::optional<HttpAnswer> HttpHandlers::check_key(const HttpRequest& request) const {
  if (request.route != Route::kIngest || !request.head.has_idempotency_key) return std::nullopt;
  if (!request.head.idempotency_key.empty()) return std::nullopt;
  return problem(400, error(Code::kInvalid, "MR-ING-0004", "the Idempotency-Key is empty",
                            "a key has 1 to 255 bytes; without one, leave the header out"));
}

void HttpHandlers::handle(const HttpRequest& request, const HttpReply& reply) {
  switch (request.route) {
    case Route::kAbout:
      return reply.answer(text(200, about_text()));
    case Route::kLive:
      return reply.answer(text(200, "live\n"));
    case Route::kReady: {
      const Status ready = backend_.ready ? backend_.ready() : Status();
      if (ready.ok()) return reply.answer(text(200, "ready\n"));
      HttpAnswer later =
          accepts(request.head.accept, "text/plain")
              ? text(503, fmt::format("not ready: {}: {}\n", ready.error().id, ready.error().message))
              : problem(503, ready.error());
      later.fields = "Retry-After: 1\r\n";
      return reply.answer(std::move(later));
    }
    case Route::kMetrics:
      return reply.answer(metrics_page(backend_.metrics ? backend_.metrics() : ""));
    case Route::kMetricsFull: {
      const auto only = request.all_metrics ? std::nullopt : std::optional(request.tenant);
      return reply.answer(metrics_page(backend_.metrics_full ? backend_.metrics_full(only) : ""));
    }
    case Route::kIngest:
      return ingest(request, reply);
    case Route::kRead:
      return read_events(backend_, request, reply);
    case Route::kSql:
      return run_sql(backend_, request, reply);
    case Route::kSocket:
      return begin_websocket(request, reply);
    case Route::kOpenApi: {
      HttpAnswer document;
      document.body = openapi_document();
      return reply.answer(std::move(document));
    }
    case Route::kAsyncApi:
      return show_channels(backend_, request, reply);
    case Route::kStreams:
    case Route::kViews:
    case Route::kQueries:
    case Route::kTenants:
      return list_resources(backend_, request, reply);
    case Route::kStream:
    case Route::kView:
    case Route::kQuery:
    case Route::kTenant:
      return show_resource(backend_, request, reply);
    case Route::kQuotas:
      return show_quotas(backend_, request, reply);
    case Route::kSetQuotas:
      return set_quotas(backend_, request, reply);
    case Route::kTokens:
      return list_tokens(backend_, request, reply);
    case Route::kToken:
      return show_token(backend_, request, reply);
    case Route::kMakeToken:
      return make_token(backend_, request, reply);
    case Route::kRotateToken:
      return rotate_token(backend_, request, reply);
    case Route::kRevokeToken:
      return revoke_token(backend_, request, reply);
    case Route::kDropStream:
    case Route::kDropView:
    case Route::kPause:
    case Route::kResume:
      return change_resource(backend_, request, reply);
    case Route::kBeginBackup:
    case Route::kCutBackup:
    case Route::kCopyRegistry:
    case Route::kRenewBackup:
    case Route::kEndBackup:
      return hold_backup(backend_, request, reply);
    case Route::kCheckSchema:
      return check_schema(backend_, request, reply);
    case Route::kLetters:
    case Route::kCountLetters:
    case Route::kRedriveLetters:
      return ask_dead_letters(backend_, request, reply);
    case Route::kLetter:
    case Route::kEditLetter:
    case Route::kTryLetter:
    case Route::kRedriveLetter:
    case Route::kDiscardLetter:
      return ask_dead_letter(backend_, request, reply);
    case Route::kSchemaRegistry:
      return backend_.schema_registry.handle(request, reply);
    case Route::kOptions: {
      HttpAnswer methods;
      methods.status = 204;
      methods.fields = fmt::format("Allow: {}\r\n", request.methods);
      if (request.head.has_origin && allows_origin(options_.cors_origins, request.head.origin))
        methods.fields += preflight_fields(request.methods);
      return reply.answer(std::move(methods));
    }
    case Route::kNone:
      return reply.answer(no_such_path());
  }
}

void HttpHandlers::ingest(const HttpRequest& request, const HttpReply& reply) {
  IngestRequest events;
  events.tenant = request.tenant;
  events.stream = request.target.segments[2];
  events.format = *format_of(request);
  events.body = request.body;
  std::optional<Buffer> envelope;
  if (!request.head.cloud_event.empty() && !is_structured(request.head.content_type)) {
    auto made = binary_cloud_event(backend_, request);
    if (!made.ok()) return reply.answer(problem(made.error()));
    envelope = std::move(*made);
  }
  if (envelope) {
    events.format = IngestRequest::Format::kCloudEvent;
    events.body = envelope->view();
  }
  events.idempotency_key = request.head.idempotency_key;
  const bool may_be_empty = events.format == IngestRequest::Format::kCloudEventBatch;
  const bool one = events.format == IngestRequest::Format::kCloudEvent;
  const auto trace = trace_of(request.head, one ? events.body : std::string_view());
  ingest_traced(backend_, std::move(events), trace, operation_of(Route::kIngest).path,
                [this, reply, may_be_empty, tenant = request.tenant](Result<IngestAnswer> result) {
                  reply.answer(answer_ingest(std::move(result), may_be_empty, tenant));
                });
}

HttpAnswer HttpHandlers::answer_ingest(Result<IngestAnswer> result, bool may_be_empty,
                                       TenantId tenant) const {
  const bool refused = !result.ok() && result.error().code == Code::kExhausted;
  return ingest_answer(std::move(result), may_be_empty,
                       refused && backend_.retry_after_s ? backend_.retry_after_s(tenant) : 1);
}

bool HttpHandlers::takes_parts(const HttpRequest& request) {
  return request.route == Route::kIngest && !request.coding &&
         format_of(request) == IngestRequest::Format::kNdjson;
}

std::shared_ptr<HttpUpload> HttpHandlers::begin_upload(const HttpRequest& request, std::function<void()> room,
                                                       std::function<void(HttpAnswer, bool failed)> done) {
  IngestRequest parts;
  parts.tenant = request.tenant;
  parts.stream = request.target.segments[2];
  parts.format = IngestRequest::Format::kNdjson;
  parts.idempotency_key = request.head.idempotency_key;
  parts.trace = trace_of(request.head, {});
  return std::make_shared<HttpUpload>(
      backend_, std::move(parts), operation_of(Route::kIngest).path, std::move(room),
      [this, done = std::move(done), tenant = request.tenant](Result<IngestAnswer> result) {
        const bool failed = !result.ok();
        done(answer_ingest(std::move(result), true, tenant), failed);
      });
}

}  // namespace millrace::gateway
