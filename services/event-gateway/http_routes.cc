#include "event-gateway/http_routes.h"

#include <fmt/format.h>

#include "base/result.h"
#include "event-gateway/http_message.h"

namespace millrace::gateway {
namespace {

using enum Parameter::In;
using Access = Operation::Access;

// ----- parameters

constexpr std::string_view kNameSchema = R"({"type":"string","pattern":"^[^/\\x00-\\x1F\\x7F]+$"})";
constexpr std::string_view kCursorSchema = R"({"type":"string","minLength":2})";
constexpr std::string_view kTextSchema = R"({"type":"string"})";

constexpr Parameter kStreamName{kPath, "stream", "The stream's name, percent-encoded UTF-8.", kNameSchema};
constexpr Parameter kViewName{kPath, "view", "The view's name, percent-encoded UTF-8.", kNameSchema};
constexpr Parameter kQueryName{kPath, "query",
                               "The name of the view or derived stream, percent-encoded UTF-8.", kNameSchema};
constexpr Parameter kTenantName{kPath, "tenant", "The tenant's name, percent-encoded UTF-8.", kNameSchema};
constexpr Parameter kTokenId{kPath, "token", "The token's id: its part between `mrt_` and the secret.",
                             kNameSchema};
constexpr Parameter kLimit{kQuery, "limit", "How many at most; a page may end earlier, `next` says whether.",
                           R"({"type":"integer","minimum":1,"maximum":1000,"default":100})"};
constexpr Parameter kAfter{kQuery, "after", "The `next` of the page before.", kCursorSchema};
constexpr Parameter kNumbers{kQuery, "numbers",
                             "`string`: every number comes as a string, so that none is rounded.",
                             R"({"type":"string","enum":["number","string"],"default":"number"})"};

constexpr Parameter kBackupId{kPath, "backup", "The `id` that it began with.", kNameSchema};

constexpr Parameter kOnlyBackup[] = {kBackupId};
constexpr Parameter kLetterNumber{kPath, "letter", "The letter's number.",
                                  R"({"type":"integer","minimum":0})"};
constexpr Parameter kOfQuery{kQuery, "query", "Only what this query could not use.", kTextSchema};
constexpr Parameter kOfStream{kQuery, "stream", "Only events of this stream.", kTextSchema};
constexpr Parameter kOfCode{kQuery, "code", "Only those with this code.", kTextSchema};
constexpr Parameter kOfCause{kQuery, "cause", "Only those with this cause.", kTextSchema};
constexpr Parameter kInState{kQuery, "state", "Only those in this state.",
                             R"({"type":"string","enum":["open","edited","discarded","redriven"]})"};
constexpr Parameter kFiledFrom{kQuery, "from", "Only those written at this RFC 3339 time or later.",
                               kTextSchema};
constexpr Parameter kFiledTo{kQuery, "to", "Only those written before this RFC 3339 time.", kTextSchema};
constexpr Parameter kAfterLetter{kQuery, "after", "The `next` of the answer before.",
                                 R"({"type":"string","pattern":"^[0-9]+$"})"};

constexpr Parameter kOnlyLetter[] = {kLetterNumber};
constexpr Parameter kOfLetters[] = {kOfQuery,
                                    kOfStream,
                                    kOfCode,
                                    kOfCause,
                                    kInState,
                                    kFiledFrom,
                                    kFiledTo,
                                    {kQuery, "order", "Which come first.",
                                     R"({"type":"string","enum":["newest","oldest"],"default":"newest"})"},
                                    kLimit,
                                    kAfterLetter};
constexpr Parameter kOfLetterCounts[] = {kOfQuery, kOfStream,  kOfCode,  kOfCause,
                                         kInState, kFiledFrom, kFiledTo, kAfterLetter};
constexpr Parameter kOfRedrive[] = {kOfQuery,
                                    kOfStream,
                                    kOfCode,
                                    kOfCause,
                                    kInState,
                                    kFiledFrom,
                                    kFiledTo,
                                    {kQuery, "limit", "How many at most, oldest first.",
                                     R"({"type":"integer","minimum":1,"maximum":1000,"default":100})"},
                                    kAfterLetter};
constexpr Parameter kOnlyStream[] = {kStreamName};
constexpr Parameter kOnlyView[] = {kViewName};
constexpr Parameter kOnlyQuery[] = {kQueryName};
constexpr Parameter kOnlyTenant[] = {kTenantName};
constexpr Parameter kOnlyToken[] = {kTokenId};
constexpr Parameter kOfRotate[] = {
    kTokenId,
    {kQuery, "overlap_seconds", "How long the old secret is good beside the new one.",
     R"({"type":"integer","minimum":0,"maximum":2592000,"default":86400})"}};
constexpr Parameter kPaging[] = {kLimit, kAfter};
constexpr Parameter kOfChannels[] = {
    {kQuery, "limit", "How many streams at most.",
     R"({"type":"integer","minimum":1,"maximum":1000,"default":1000})"},
    {kQuery, "after", "The `Millrace-Cursor` of the document before.", kCursorSchema}};
constexpr Parameter kOfSql[] = {
    kNumbers,
    {kQuery, "timeout_ms",
     "A statement that reads ends after so many milliseconds; the server's bound holds, too.",
     R"({"type":"integer","minimum":1,"maximum":86400000})"}};
constexpr Parameter kOfIngest[] = {
    kStreamName,
    {kHeader, "Idempotency-Key", "The events count once, however often the request is sent.",
     R"({"type":"string","minLength":1,"maxLength":255})"},
    {kHeader, "Content-Encoding", "How the body is compressed.",
     R"({"type":"string","enum":["identity","gzip","deflate","zstd"]})"},
    {kHeader, "traceparent", "The trace that the request belongs to; what is malformed is ignored.",
     kTextSchema},
    {kHeader, "tracestate", "Its state, kept with it.", kTextSchema},
};
constexpr Parameter kOfRead[] = {
    kStreamName,
    {kQuery, "from", "`start`, `end`, a cursor, an RFC 3339 time of arrival, or with `partition` an offset.",
     kTextSchema},
    {kQuery, "limit", "How many events; up to 10,000 are one page.", R"({"type":"integer","minimum":1})"},
    {kQuery, "partition", "Only this partition's events.", R"({"type":"integer","minimum":0})"},
    kNumbers,
    {kHeader, "Last-Event-ID", "Live: the last `id` that came; it wins over `from`.", kTextSchema},
};

// ----- bodies

constexpr Content kSqlBodies[] = {{"application/sql", {}}, {kJsonType, "SqlRequest"}};
constexpr Content kEventBodies[] = {{kJsonType, "Events"},
                                    {kNdjsonType, {}},
                                    {"application/cloudevents+json", "CloudEvent"},
                                    {"application/cloudevents-batch+json", "CloudEvents"},
                                    {kValueType, {}},
                                    {kValuesType, {}}};
constexpr Content kQuotaBodies[] = {{kJsonType, "Quotas"}};
constexpr Content kSchemaBodies[] = {{kJsonType, "SchemaCheck"}};
constexpr Content kTokenBodies[] = {{kJsonType, "TokenRequest"}};

constexpr Content kOneEvent[] = {{kJsonType, "Event"}};

// ----- answers

constexpr Content kText[] = {{"text/plain", {}}};
constexpr Content kDocument[] = {{kJsonType, "Document"}};
constexpr Content kRows[] = {{kNdjsonType, {}}, {kEventsType, {}}, {kAvroType, {}}};
constexpr Content kEventPages[] = {{kNdjsonType, {}},
                                   {kEventsType, {}},
                                   {"application/cloudevents+json", "CloudEvent"},
                                   {"application/cloudevents-batch+json", "CloudEvents"}};
constexpr Content kIngested[] = {{kJsonType, "IngestAnswer"}};
constexpr Content kNoneIngested[] = {{kJsonType, "IngestAnswer"}, {kProblemType, "Problem"}};
constexpr Content kStreamPage[] = {{kJsonType, "StreamPage"}};
constexpr Content kOneStream[] = {{kJsonType, "Stream"}};
constexpr Content kViewPage[] = {{kJsonType, "ViewPage"}};
constexpr Content kOneView[] = {{kJsonType, "View"}};
constexpr Content kQueryPage[] = {{kJsonType, "QueryPage"}};
constexpr Content kOneQuery[] = {{kJsonType, "Query"}};
constexpr Content kTenantPage[] = {{kJsonType, "TenantPage"}};
constexpr Content kOneTenant[] = {{kJsonType, "Tenant"}};
constexpr Content kOneBackup[] = {{kJsonType, "Backup"}};
constexpr Content kRegistryStore[] = {{kJsonType, "RegistryStore"}};
constexpr Content kSchemaVerdict[] = {{kJsonType, "SchemaVerdict"}};
constexpr Content kBytes[] = {{"application/octet-stream", {}}};
constexpr Content kQuotas[] = {{kJsonType, "Quotas"}};
constexpr Content kTokenPage[] = {{kJsonType, "TokenPage"}};
constexpr Content kOneToken[] = {{kJsonType, "Token"}};
constexpr Content kShownToken[] = {{kJsonType, "ShownToken"}};

constexpr Content kLetterPage[] = {{kJsonType, "DeadLetterPage"}};
constexpr Content kLetterCounts[] = {{kJsonType, "DeadLetterCounts"}};
constexpr Content kOneLetter[] = {{kJsonType, "DeadLetter"}};
constexpr Content kTrial[] = {{kJsonType, "DeadLetterTrial"}};
constexpr Content kRedriven[] = {{kJsonType, "RedriveReport"}};

constexpr Reply kSaysText[] = {{200, "Text", kText}};
constexpr Reply kSaysDocument[] = {{200, "The document", kDocument}};
constexpr Reply kSaysChannels[] = {{200, "The document", kDocument, "Millrace-Cursor",
                                    "There are more streams: the `after` of the next document."}};
constexpr Reply kSaysRows[] = {{200, "Rows, one JSON object a line", kRows}};
constexpr Reply kSaysIngested[] = {
    {200, "At least one event was accepted or is a dead letter, or all were duplicates", kIngested},
    {400, "No event was accepted", kNoneIngested}};
constexpr Reply kSaysEvents[] = {{200, "Events, one JSON object a line", kEventPages, "Millrace-Cursor",
                                  "The place behind the last event."},
                                 {204,
                                  "There is no further event (a single CloudEvent was asked for)",
                                  {},
                                  "Millrace-Cursor",
                                  "That place."}};
constexpr Reply kSaysSocket[] = {{101, "The connection speaks WebSocket", {}}};
constexpr Reply kSaysDropped[] = {{204, "It is dropped, durably", {}}};
constexpr Reply kSaysStreams[] = {{200, "A page of streams, by name", kStreamPage}};
constexpr Reply kSaysStream[] = {{200, "The stream", kOneStream}};
constexpr Reply kSaysViews[] = {{200, "A page of views, by name", kViewPage}};
constexpr Reply kSaysView[] = {{200, "The view", kOneView}};
constexpr Reply kSaysQueries[] = {{200, "A page of queries, by name", kQueryPage}};
constexpr Reply kSaysQuery[] = {{200, "The query as it is now", kOneQuery}};
constexpr Reply kSaysTenants[] = {{200, "A page of tenants, by name", kTenantPage}};
constexpr Reply kSaysTenant[] = {{200, "The tenant", kOneTenant}};
constexpr Reply kSaysQuotas[] = {{200, "The quotas", kQuotas}};
constexpr Reply kSaysTokens[] = {{200, "A page of tokens, by id", kTokenPage}};
constexpr Reply kSaysToken[] = {{200, "The token", kOneToken}};
constexpr Reply kSaysMade[] = {{201, "The token, and what to send as it", kShownToken}};
constexpr Reply kSaysRotated[] = {{200, "The token, and what to send as it from now on", kShownToken}};
constexpr Reply kSaysRevoked[] = {{204, "It is good for nothing any more, durably", {}}};

constexpr Reply kSaysBackup[] = {{200, "It is held", kOneBackup}};
constexpr Reply kSaysCut[] = {{200, "The definitions, a file of SQLite", kBytes, "Millrace-Frames",
                               "The first and the last frame of the journal that belong to it."}};
constexpr Reply kSaysRegistry[] = {{200, "Where they are; a copy of a file is there", kRegistryStore}};
constexpr Reply kSaysVerdict[] = {{200, "What would become of the subject's streams", kSchemaVerdict}};
constexpr Reply kSaysHeld[] = {{204, "It is held for another lease", {}}};
constexpr Reply kSaysEnded[] = {{204, "It was held all the time; now it is not", {}}};
constexpr Reply kSaysLetters[] = {{200, "A page of dead letters", kLetterPage}};
constexpr Reply kSaysLetterCounts[] = {{200, "How many there are of each kind", kLetterCounts}};
constexpr Reply kSaysLetter[] = {{200, "The letter as it is now", kOneLetter}};
constexpr Reply kSaysTrial[] = {{200, "What its query, or its stream, would make of it", kTrial}};
constexpr Reply kSaysRedriven[] = {{200, "How many were redriven, and which were not", kRedriven}};

constexpr int kGone[] = {410};
constexpr int kMissing[] = {404};
constexpr int kOfChange[] = {404, 409, 429};
constexpr int kOfSchemaErrors[] = {415, 429};
constexpr int kOfQuotas[] = {404, 415, 429};
constexpr int kOfTokens[] = {404, 409, 415, 429};
constexpr int kOfLetterErrors[] = {404, 409, 410, 429};
constexpr int kOfEditErrors[] = {404, 409, 410, 413, 415, 429};
constexpr int kOfLetterScans[] = {410, 429};
constexpr int kOfSqlErrors[] = {404, 409, 410, 413, 415, 422, 429, 501, 504};
constexpr int kOfIngestErrors[] = {404, 413, 415, 422, 429};
constexpr int kOfReadErrors[] = {404, 410, 429};
constexpr int kOfSocket[] = {426};

// ----- the table

constexpr Operation kOperations[] = {
    {Route::kRead,
     "GET",
     "/v1/streams/{stream}/events",
     "readEvents",
     "events",
     "Read events: a page, many, or live (Accept: text/event-stream)",
     kOfRead,
     {},
     kSaysEvents,
     kOfReadErrors,
     Access::kRead,
     true},
    {Route::kIngest, "POST", "/v1/streams/{stream}/events", "sendEvents", "events",
     "Send events: JSON, NDJSON or CloudEvents", kOfIngest, kEventBodies, kSaysIngested, kOfIngestErrors,
     Access::kIngest, false, true},
    {Route::kSocket,
     "GET",
     "/v1/ws",
     "openWebSocket",
     "events",
     "Both over one WebSocket",
     {},
     {},
     kSaysSocket,
     kOfSocket,
     Access::kSocket},
    {Route::kSql, "POST", "/v1/sql", "runSql", "sql", "Run SQL; rows come as NDJSON", kOfSql, kSqlBodies,
     kSaysRows, kOfSqlErrors, Access::kSql},
    {Route::kStreams,
     "GET",
     "/v1/streams",
     "listStreams",
     "streams",
     "List streams",
     kPaging,
     {},
     kSaysStreams,
     {},
     Access::kAny,
     true,
     true},
    {Route::kStream,
     "GET",
     "/v1/streams/{stream}",
     "getStream",
     "streams",
     "Show a stream",
     kOnlyStream,
     {},
     kSaysStream,
     kMissing,
     Access::kAny,
     true,
     true},
    {Route::kDropStream,
     "DELETE",
     "/v1/streams/{stream}",
     "dropStream",
     "streams",
     "Drop a stream",
     kOnlyStream,
     {},
     kSaysDropped,
     kOfChange},
    {Route::kViews,
     "GET",
     "/v1/views",
     "listViews",
     "views",
     "List views",
     kPaging,
     {},
     kSaysViews,
     {},
     Access::kSee,
     true,
     true},
    {Route::kView,
     "GET",
     "/v1/views/{view}",
     "getView",
     "views",
     "Show a view",
     kOnlyView,
     {},
     kSaysView,
     kMissing,
     Access::kSee,
     true,
     true},
    {Route::kDropView,
     "DELETE",
     "/v1/views/{view}",
     "dropView",
     "views",
     "Drop a view",
     kOnlyView,
     {},
     kSaysDropped,
     kOfChange},
    {Route::kQueries,
     "GET",
     "/v1/queries",
     "listQueries",
     "queries",
     "List queries and how they are",
     kPaging,
     {},
     kSaysQueries,
     {},
     Access::kSee,
     true,
     true},
    {Route::kQuery,
     "GET",
     "/v1/queries/{query}",
     "getQuery",
     "queries",
     "Show a query",
     kOnlyQuery,
     {},
     kSaysQuery,
     kMissing,
     Access::kSee,
     true,
     true},
    {Route::kPause,
     "POST",
     "/v1/queries/{query}/pause",
     "pauseQuery",
     "queries",
     "Pause a query",
     kOnlyQuery,
     {},
     kSaysQuery,
     kOfChange},
    {Route::kResume,
     "POST",
     "/v1/queries/{query}/resume",
     "resumeQuery",
     "queries",
     "Resume a query",
     kOnlyQuery,
     {},
     kSaysQuery,
     kOfChange},
    {Route::kLetters,
     "GET",
     "/v1/dead-letters",
     "listDeadLetters",
     "dead letters",
     "List dead letters",
     kOfLetters,
     {},
     kSaysLetters,
     kOfLetterScans,
     Access::kRead,
     true},
    {Route::kCountLetters,
     "GET",
     "/v1/dead-letters/counts",
     "countDeadLetters",
     "dead letters",
     "Count them by query, stream, cause, code and state",
     kOfLetterCounts,
     {},
     kSaysLetterCounts,
     kOfLetterScans,
     Access::kRead,
     true},
    {Route::kRedriveLetters,
     "POST",
     "/v1/dead-letters/redrive",
     "redriveDeadLetters",
     "dead letters",
     "Redrive those that pass a filter",
     kOfRedrive,
     {},
     kSaysRedriven,
     kOfLetterScans},
    {Route::kLetter,
     "GET",
     "/v1/dead-letters/{letter}",
     "getDeadLetter",
     "dead letters",
     "Show a dead letter",
     kOnlyLetter,
     {},
     kSaysLetter,
     kOfLetterErrors,
     Access::kRead,
     true},
    {Route::kEditLetter, "PUT", "/v1/dead-letters/{letter}/payload", "editDeadLetter", "dead letters",
     "Correct its event", kOnlyLetter, kOneEvent, kSaysLetter, kOfEditErrors},
    {Route::kTryLetter,
     "POST",
     "/v1/dead-letters/{letter}/dry-run",
     "tryDeadLetter",
     "dead letters",
     "Try what its query, or its stream, would make of it",
     kOnlyLetter,
     {},
     kSaysTrial,
     kOfLetterErrors},
    {Route::kRedriveLetter,
     "POST",
     "/v1/dead-letters/{letter}/redrive",
     "redriveDeadLetter",
     "dead letters",
     "Give it to its query, or its stream, again",
     kOnlyLetter,
     {},
     kSaysLetter,
     kOfLetterErrors},
    {Route::kDiscardLetter,
     "POST",
     "/v1/dead-letters/{letter}/discard",
     "discardDeadLetter",
     "dead letters",
     "Mark it as done with",
     kOnlyLetter,
     {},
     kSaysLetter,
     kOfLetterErrors},
    {Route::kCheckSchema,
     "POST",
     "/v1/schemas/check",
     "checkSchema",
     "schemas",
     "Try a subject's next schema on stored events",
     {},
     kSchemaBodies,
     kSaysVerdict,
     kOfSchemaErrors,
     Access::kSee,
     false,
     true},
    {Route::kTenants,
     "GET",
     "/v1/tenants",
     "listTenants",
     "tenants",
     "List the tenants that the token may see",
     kPaging,
     {},
     kSaysTenants,
     {},
     Access::kSee,
     true,
     true},
    {Route::kTenant,
     "GET",
     "/v1/tenants/{tenant}",
     "getTenant",
     "tenants",
     "Show a tenant",
     kOnlyTenant,
     {},
     kSaysTenant,
     kMissing,
     Access::kSee,
     true,
     true},
    {Route::kBeginBackup,
     "POST",
     "/v1/backups",
     "beginBackup",
     "backups",
     "Hold what a backup copies",
     {},
     {},
     kSaysBackup,
     {}},
    {Route::kCutBackup,
     "POST",
     "/v1/backups/{backup}/cut",
     "cutBackup",
     "backups",
     "Where a backup ends",
     kOnlyBackup,
     {},
     kSaysCut,
     kGone},
    {Route::kCopyRegistry,
     "POST",
     "/v1/backups/{backup}/registry",
     "copyRegistry",
     "backups",
     "Copy the schema registry's file",
     kOnlyBackup,
     {},
     kSaysRegistry,
     kGone},
    {Route::kRenewBackup,
     "POST",
     "/v1/backups/{backup}/renew",
     "renewBackup",
     "backups",
     "Hold it longer",
     kOnlyBackup,
     {},
     kSaysHeld,
     kGone},
    {Route::kEndBackup,
     "DELETE",
     "/v1/backups/{backup}",
     "endBackup",
     "backups",
     "Hold it no longer",
     kOnlyBackup,
     {},
     kSaysEnded,
     kGone},
    {Route::kQuotas,
     "GET",
     "/v1/tenants/{tenant}/quotas",
     "getQuotas",
     "tenants",
     "Show a tenant's quotas",
     kOnlyTenant,
     {},
     kSaysQuotas,
     kMissing,
     Access::kAdmin,
     true,
     true},
    {Route::kSetQuotas, "PUT", "/v1/tenants/{tenant}/quotas", "setQuotas", "tenants",
     "Set a tenant's quotas, with a token of all tenants", kOnlyTenant, kQuotaBodies, kSaysQuotas, kOfQuotas},
    {Route::kTokens,
     "GET",
     "/v1/tokens",
     "listTokens",
     "tokens",
     "List access tokens, without their secrets",
     kPaging,
     {},
     kSaysTokens,
     {},
     Access::kAdmin,
     true,
     true},
    {Route::kMakeToken,
     "POST",
     "/v1/tokens",
     "createToken",
     "tokens",
     "Create an access token; only this answer shows it",
     {},
     kTokenBodies,
     kSaysMade,
     kOfTokens},
    {Route::kToken,
     "GET",
     "/v1/tokens/{token}",
     "getToken",
     "tokens",
     "Show an access token, without its secret",
     kOnlyToken,
     {},
     kSaysToken,
     kMissing,
     Access::kAdmin,
     true,
     true},
    {Route::kRotateToken,
     "POST",
     "/v1/tokens/{token}/rotate",
     "rotateToken",
     "tokens",
     "Give a token a new secret; the old one is good for a while",
     kOfRotate,
     {},
     kSaysRotated,
     kOfTokens},
    {Route::kRevokeToken,
     "DELETE",
     "/v1/tokens/{token}",
     "revokeToken",
     "tokens",
     "Revoke an access token",
     kOnlyToken,
     {},
     kSaysRevoked,
     kOfTokens},
    {Route::kOpenApi,
     "GET",
     "/openapi.json",
     "getOpenApi",
     "server",
     "This API as OpenAPI 3.1",
     {},
     {},
     kSaysDocument,
     {},
     Access::kOpen,
     true,
     true},
    {Route::kAsyncApi,
     "GET",
     "/asyncapi.json",
     "getAsyncApi",
     "server",
     "The tenant's streams as AsyncAPI 3.0",
     kOfChannels,
     {},
     kSaysChannels,
     {},
     Access::kAny,
     true,
     true},
    {Route::kLive,
     "GET",
     "/livez",
     "getLive",
     "server",
     "Whether the process answers",
     {},
     {},
     kSaysText,
     {},
     Access::kOpen,
     true,
     true},
    {Route::kReady,
     "GET",
     "/readyz",
     "getReady",
     "server",
     "Whether queries have caught up",
     {},
     {},
     kSaysText,
     {},
     Access::kOpen,
     true,
     true},
    {Route::kMetrics,
     "GET",
     "/metrics",
     "getMetrics",
     "server",
     "Metrics of the node, as Prometheus text",
     {},
     {},
     kSaysText,
     {},
     Access::kSee,
     true,
     true},
    {Route::kMetricsFull,
     "GET",
     "/metrics/full",
     "getMetricsFull",
     "server",
     "Metrics by stream, query and tenant",
     {},
     {},
     kSaysText,
     {},
     Access::kSee,
     true,
     true},
    {Route::kAbout,
     "GET",
     "/",
     "getAbout",
     "server",
     "This list",
     {},
     {},
     kSaysText,
     {},
     Access::kOpen,
     true,
     true},
};

bool fits(std::string_view path, const std::vector<std::string>& segments) {
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!path.starts_with('/')) return false;
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.starts_with('{') ? segments[i].empty() : part != segments[i]) return false;
    path.remove_prefix(end);
  }
  return path.empty();
}

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

const Operation& operation_of(Route route) {
  for (const auto& operation : kOperations) {
    if (operation.route == route) return operation;
  }
  CHECK(false, "every route has its row");
}

const Operation* find_operation(std::string_view method, const std::vector<std::string>& segments,
                                std::string& allowed) {
  std::string_view path;
  for (const auto& operation : kOperations) {
    if (!fits(operation.path, segments) || (!path.empty() && operation.path != path)) continue;
    path = operation.path;
    if (operation.method == method || (operation.head && method == "HEAD")) {
      allowed.clear();
      return &operation;
    }
    if (!allowed.empty()) allowed += ", ";
    allowed += operation.method;
    if (operation.head) allowed += ", HEAD";
  }
  return nullptr;
}

std::string about_text() {
  std::string out = "Millrace: events in, SQL over them, answers out.\n\n";
  for (const auto& operation : kOperations) {
    fmt::format_to(std::back_inserter(out), "  {:<6} {:<33}  {}\n", operation.method, operation.path,
                   operation.summary);
  }
  out += "\n  curl -H 'Content-Type: application/sql' --data 'SHOW STREAMS' http://HOST:PORT/v1/sql\n";
  return out;
}

}  // namespace millrace::gateway
