// HttpBody: a request's body as it arrives, decoded if it is compressed, and counted in what all connections hold.
//
// Use:    begin(), then take() each piece, or tail() and commit() where takes_directly(); after each problem(). finish() at
//         its end; then view(), with padding behind it, until clear().
// Bound:  a compressed body by options' max_body_bytes, as it comes and decoded; others are the caller's to bound. All bodies
//         together, decoders included, by max_arriving_bytes.
// Errors: those of http_coding.h; MR-API-0020: all bodies are too much.
// Threads: the core loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "event-gateway/body_buffer.h"
#include "event-gateway/http_coding.h"

namespace millrace::gateway {

struct HttpContext;

class HttpBody {
 public:
  explicit HttpBody(HttpContext& context) : context_(context) {}

  void begin(std::optional<Coding> coding, uint64_t announced_bytes);
  bool takes_directly() const { return !decoder_; }  // its bytes may be read to where they stay
  char* tail(size_t room) { return bytes_.tail(room); }
  void commit(size_t bytes);
  void take(std::string_view bytes);
  std::optional<Error> problem() const;
  Status finish();
  std::string_view view() const { return bytes_.view(); }
  std::string_view lines(size_t most);  // the whole ones of its first so many bytes; with padding behind them
  void drop_front(size_t bytes);        // they were taken
  void clear();

 private:
  bool too_much_arrives() const;
  void count();

  HttpContext& context_;
  BodyBuffer bytes_;
  std::unique_ptr<BodyDecoder> decoder_;  // null: the body comes as it is
  std::optional<Error> undecodable_;
  uint64_t encoded_ = 0;  // bytes that came
  size_t counted_ = 0;    // in the context's arriving_bytes
};

}  // namespace millrace::gateway
