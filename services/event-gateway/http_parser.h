// HttpParser: bytes in, a request's head and the pieces of a chunked body out. Boost.Beast's parser
// underneath, made stricter where two readers of the same bytes could disagree about where a request ends.
//
// Use:     begin(), then head() with the unconsumed input (all of it, again and longer, while it wants more)
//          until it answers kDone; then, for a chunked body, body() likewise. A body with a length is the
//          caller's to count.
// Refused: Content-Length with Transfer-Encoding, lengths that differ or are not plain digits, a
//          Transfer-Encoding other than exactly "chunked" in HTTP/1.1, bare CR or LF, folded or spaced-out
//          field names, bad chunk sizes, a repeated Host, Origin, Content-Type, Authorization,
//          Idempotency-Key, Last-Event-ID, Sec-WebSocket-Key or -Version, or CloudEvents attribute (`repeated`).
// Threads: confined.
// Bound:   the head's size; a chunk's line or the trailers by the caller's input buffer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "event-gateway/http_message.h"

namespace millrace::gateway {

class HttpParser {
 public:
  enum class Got : uint8_t { kMore, kDone, kBad, kHeadTooLarge, kBodyTooLarge, kBadVersion };
  using Piece = void (*)(void* owner, std::string_view bytes);

  HttpParser(HttpHead& head, size_t max_head, size_t max_body);
  ~HttpParser();

  void begin();
  Got head(std::string_view input, size_t& used);
  Got body(std::string_view input, size_t& used, Piece piece, void* owner);
  const std::string& complaint() const { return complaint_; }  // after a refusal

 private:
  struct Beast;
  HttpHead& head_;
  const size_t max_head_, max_body_;
  size_t head_bytes_ = 0;  // consumed of this head
  std::unique_ptr<Beast> beast_;
  std::string complaint_;
};

}  // namespace millrace::gateway
