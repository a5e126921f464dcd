#include "event-gateway/http_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "event-gateway/request_trace.h"

namespace millrace::gateway {

void HttpUpload::take(std::string_view lines) {
  if (!done_ || failed_) return;
  IngestRequest part = parts_;
  part.body = lines;
  part.part = ++begun_;
  waiting_.emplace_back();
  const auto trace = part.trace;
  ingest_traced(backend_, std::move(part), trace, route_,
                [self = shared_from_this(), number = begun_](Result<IngestAnswer> answer) {
                  self->on_part(number, std::move(answer));
                });
}

void HttpUpload::finish(std::string_view rest) {
  whole_ = true;
  take(rest);
}

Error HttpUpload::cancel(Error failure) {
  done_ = nullptr;
  return with_taken(std::move(failure));
}

void HttpUpload::on_part(size_t number, Result<IngestAnswer> answer) {
  const bool was_full = is_full();
  failed_ |= !answer.ok();
  waiting_[waiting_.size() - 1 - (begun_ - number)] = std::move(answer);
  fold();
  if (!done_) return;
  if (waiting_.empty() && (failure_ || whole_)) {
    const auto done = std::exchange(done_, nullptr);
    return failure_ ? done(with_taken(std::move(*failure_))) : done(std::move(sum_));
  }
  if (was_full && !is_full()) room_();
}

void HttpUpload::fold() {
  for (; !waiting_.empty() && waiting_.front(); waiting_.pop_front()) {
    Result<IngestAnswer>& answer = *waiting_.front();
    if (answer.ok()) {
      add(std::move(*answer));
    } else if (!failure_) {
      failure_ = std::move(answer).error();
    }
  }
}

void HttpUpload::add(IngestAnswer answer) {
  const size_t before = sum_.events();
  sum_.accepted += answer.accepted;
  sum_.duplicates += answer.duplicates;
  sum_.dead_letters += answer.dead_letters;
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
  failure.detail = fmt::format(
      "of this body {}{} events were taken before, {} rejected", waiting_.empty() ? "" : "at least ",
      sum_.accepted + sum_.duplicates + sum_.dead_letters, sum_.rejected.size() + sum_.rejected_more);
  return failure;
}

}  // namespace millrace::gateway
