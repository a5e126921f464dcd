// HttpUpload: a body of NDJSON that is longer than a request's bound, taken in part by part as it arrives.
//
// Parts:   each ends with a line, and is appended for itself. If the request has an Idempotency-Key, each has a place of
//          its own under it: whoever sends the same body again goes on where it ended, as long as the key is known.
// Answer:  one for all: counts are sums, `rejected` is numbered over the whole body, the cursor is the last part's; there
//          are no offsets. A part that is refused ends the upload with its error, once the parts before it are answered:
//          the detail says what was taken. Parts are answered in any order: one that stores nothing is at once.
// Bound:   kMostWaiting parts that are not durable: until then no more is read.
// Threads: the core loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "event-gateway/gateway.h"
#include "event-gateway/http_server.h"

namespace millrace::gateway {

class HttpUpload : public std::enable_shared_from_this<HttpUpload> {
 public:
  static constexpr size_t kPartBytes = 1'900'000;
  static_assert(kPartBytes / 2 < Ingest::Limits().max_events, "an event has two bytes at least");
  static constexpr size_t kMostWaiting = 2;
  static constexpr size_t kMostRejected = 100;  // that are told one by one

  // `parts` is as for a whole body, but for the body. Both callbacks may come before a call returns: `done` once, `room`
  // whenever is_full() ends.
  HttpUpload(const HttpBackend& backend, IngestRequest parts, std::string_view route,
             std::function<void()> room, std::function<void(Result<IngestAnswer>)> done)
      : backend_(backend),
        parts_(std::move(parts)),
        route_(route),
        room_(std::move(room)),
        done_(std::move(done)) {}

  void take(std::string_view lines);   // whole ones, with Buffer::kPadding readable bytes behind them
  void finish(std::string_view rest);  // what is left of the body
  bool is_full() const { return failed_ || waiting_.size() >= kMostWaiting; }
  // Nobody waits for the end any more: `failure` has ended the request. With what was taken, so far as it is known.
  Error cancel(Error failure);

 private:
  using Part = std::optional<Result<IngestAnswer>>;  // nothing: not answered

  void on_part(size_t number, Result<IngestAnswer> answer);
  void fold();
  void add(IngestAnswer answer);
  Error with_taken(Error failure) const;

  const HttpBackend& backend_;
  const IngestRequest parts_;
  const std::string_view route_;
  const std::function<void()> room_;
  std::function<void(Result<IngestAnswer>)> done_;  // null: it was called
  uint32_t begun_ = 0;
  std::deque<Part> waiting_;  // from the first that is not answered on; the last one's number is begun_
  bool whole_ = false, failed_ = false;
  std::optional<Error> failure_;  // of the first part that was refused
  IngestAnswer sum_;              // of the parts before waiting_
};

}  // namespace millrace::gateway
