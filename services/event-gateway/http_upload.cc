#include "event-gateway/http_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "event-gateway/request_trace.h"

namespace millrace::gateway {

void HttpUpload::take(std::string_view lines) {
  if (!done_) return;
  IngestRequest part = parts_;
  part.body = lines;
  ++begun_;
  if (!part.idempotency_key.empty()) part.idempotency_key += fmt::format("#{}", begun_);
  ++waiting_;
  const auto trace = part.trace;
  ingest_traced(
      backend_, std::move(part), trace, route_,
      [self = shared_from_this()](Result<IngestAnswer> answer) { self->on_part(std::move(answer)); });
}

void HttpUpload::finish(std::string_view rest) {
  whole_ = true;
  take(rest);
}

Error HttpUpload::cancel(Error failure) {
  done_ = nullptr;
  return with_taken(std::move(failure));
}

void HttpUpload::on_part(Result<IngestAnswer> answer) {
  const bool was_full = is_full();
  --waiting_;
  if (!done_) return;
  if (!answer.ok()) {
    const auto done = std::exchange(done_, nullptr);
    return done(with_taken(std::move(answer).error()));
  }
  add(std::move(*answer));
  if (whole_ && waiting_ == 0) {
    const auto done = std::exchange(done_, nullptr);
    return done(std::move(sum_));
  }
  if (was_full) room_();
}

// Parts become durable in their order.
void HttpUpload::add(IngestAnswer answer) {
  const size_t before = sum_.events();
  sum_.accepted += answer.accepted;
  sum_.duplicates += answer.duplicates;
  sum_.rejected_more += answer.rejected_more;
  for (auto& rejected : answer.rejected) {
    if (sum_.rejected.size() < kMostRejected) {
      sum_.rejected.push_back({before + rejected.index, std::move(rejected.error)});
    } else {
      ++sum_.rejected_more;
    }
  }
  sum_.cursor = std::max(sum_.cursor, answer.cursor, [](const auto& a, const auto& b) {
    return std::pair(a.cut, a.index) < std::pair(b.cut, b.index);
  });
}

Error HttpUpload::with_taken(Error failure) const {
  failure.detail = fmt::format("of this body {} events were taken before, {} rejected",
                               sum_.accepted + sum_.duplicates, sum_.rejected.size() + sum_.rejected_more);
  return failure;
}

}  // namespace millrace::gateway
