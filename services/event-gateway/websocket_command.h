// A WebSocket client's message, taken apart:
//
//   {"publish":STREAM,"id":ID,"events":[…],"key":KEY?,"traceparent":…?,"tracestate":…?}
//   {"publish":STREAM,"id":ID,"values":["BASE64",…],…}
//   {"subscribe":NAME,"id":ID,"from":…?,"limit":…?,"partition":…?,"numbers":…?,"encoding":…?}
//   {"unsubscribe":ID}
//   {"ping":ID}
//
// An ID is a JSON string or number of at most kMaxId bytes, kept and given back as it was written.
// Errors: MR-API-0026. What is unknown or given twice is refused: a client that misspells a member is told so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace millrace::gateway {

struct WebSocketCommand {
  static constexpr size_t kMaxId = 64;
  enum class Kind : uint8_t { kPublish, kSubscribe, kUnsubscribe, kPing };

  Kind kind = Kind::kPublish;
  std::string_view id;  // JSON text
  std::string name;     // of the stream or view
  std::string_view events;
  std::optional<std::string> values;  // instead of them: as event_values.h has several
  std::optional<std::string> key;
  std::string trace_parent, trace_state;  // not checked
  std::string encoding;                   // empty: not said
  std::vector<std::pair<std::string, std::string>> parameters;
};

// `message` needs Buffer::kPadding readable bytes behind it; the command views it. `id` is set as soon as one was seen, so
// that an error can name it.
Result<WebSocketCommand> parse_command(std::string_view message, std::string_view& id);

}  // namespace millrace::gateway
