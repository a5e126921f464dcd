// The one table of what the server answers: methods, paths, parameters, bodies, answers. Requests find their way by it,
// `GET /` lists it, /openapi.json is made of it.
//
// A path has {names} where any segment fits; of two paths that fit, the earlier one counts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event-gateway/token_scopes.h"

namespace millrace::gateway {

enum class Route : uint8_t {
  kNone,
  kAbout,
  kLive,
  kReady,
  kMetrics,
  kMetricsFull,
  kOpenApi,
  kAsyncApi,
  kSql,
  kIngest,
  kRead,
  kSocket,
  kStreams,
  kStream,
  kDropStream,
  kViews,
  kView,
  kDropView,
  kQueries,
  kQuery,
  kPause,
  kResume,
  kLetters,
  kCountLetters,
  kLetter,
  kEditLetter,
  kTryLetter,
  kRedriveLetter,
  kRedriveLetters,
  kDiscardLetter,
  kCheckSchema,
  kTenants,
  kTenant,
  kBeginBackup,
  kCutBackup,
  kCopyRegistry,
  kRenewBackup,
  kEndBackup,
  kQuotas,
  kSetQuotas,
  kTokens,
  kToken,
  kMakeToken,
  kRotateToken,
  kRevokeToken,
  kOptions,         // of any path: no row
  kSchemaRegistry,  // another listener's: likewise
};

struct Parameter {
  enum class In : uint8_t { kPath, kQuery, kHeader } in;
  std::string_view name, what, schema;  // the schema is JSON text
};
// A body of this media type; `schema` names one of api_schemas.h. Empty: text.
struct Content {
  std::string_view type, schema;
};
struct Reply {
  int status;
  std::string_view what;
  std::span<const Content> contents;
  std::string_view field = {};  // a header that comes with it, and what it says
  std::string_view field_what = {};
};

struct Operation {
  // The scopes of which a token needs one; kOpen: no token is asked for. What a path or a statement names is looked at, too.
  enum class Access : ScopeSet {
    kOpen = 0,
    kIngest = 1,
    kRead = 2,
    kAdmin = 8,
    kSee = 2 | 4 | 8,     // what there is, and how it is
    kSocket = 1 | 2 | 4,  // each message by its own
    kSql = 1 | 4 | 8,     // each statement likewise
    kAny = 1 | 2 | 4 | 8,
  };

  Route route;
  std::string_view method, path, id, tag, summary;
  std::span<const Parameter> parameters;
  std::span<const Content> bodies;  // empty: it takes none
  std::span<const Reply> replies;
  std::span<const int> problems;  // statuses of its errors, beside those that any request may have
  Access access = Access::kAdmin;
  bool head = false;        // HEAD does what GET does, without the body
  bool concurrent = false;  // successors on its connection may be begun before it is answered
};

std::span<const Operation> operations();
const Operation& operation_of(Route route);  // one that has a row

// The row of a method and a path's segments. Null: there is none; `allowed` then has the methods that the path has,
// as the header Allow names them, or is empty.
const Operation* find_operation(std::string_view method, const std::vector<std::string>& segments,
                                std::string& allowed);

// What `GET /` answers.
std::string about_text();

}  // namespace millrace::gateway
