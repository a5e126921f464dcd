// ProcessingTime: how far windows over PROCTIME() are closed, by the append times of the frames alone.
//
// Why:     such a window needs no watermark: it closes when the journal's time has passed its end, and no row of it
//          can come any more. On a stream that falls silent a timer closes it.
// Answers: follow from the time of the last batch and that of the frame, and change only with a batch or at
//          next_timer(): so they do not depend on which other frames a task looks at.
// SESSION: the next batch may be of any group, so what is closed follows the time: a batch's own, and between batches by
//          steps, so that sessions are told a little late, but by few timers. A gap behind the last batch all are over.
// Quiet:   windows that have closed already wait, and go together when the last one is kept long enough: one timer,
//          not one a window.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/types.h"
#include "engine/window.h"

namespace millrace::processor {

class ProcessingTime {
 public:
  // `kept_us`: how long a closed window is kept.
  ProcessingTime(const engine::WindowSpec& window, int64_t kept_us) : window_(window), kept_us_(kept_us) {}

  // A batch of the source stands in a frame of this time.
  void saw_batch(AppendTime time) { last_batch_us_ = time.value; }
  // Windows that end up to there are closed in a frame of this time; INT64_MIN: there is none.
  int64_t closed(AppendTime now) const {
    if (last_batch_us_ == INT64_MIN) return INT64_MIN;
    if (now.value >= gone()) return gone();
    return now.value >= last_end() ? last_end() : ended(now.value);
  }
  // The append time that changes what is closed; INT64_MAX: none does.
  int64_t next_timer(int64_t closed) const {
    if (closed == INT64_MIN || closed >= gone()) return INT64_MAX;
    if (closed >= last_end()) return gone();
    return window_.is_session() ? std::min(step_start(closed) + session_step_us(), last_end())
                                : closed + window_.between_ends_us();
  }
  // How late a session may be told.
  int64_t session_step_us() const { return std::max<int64_t>(window_.size_us / 16, 100'000); }

  void save(std::string& out) const { append_le(out, last_batch_us_); }
  void load(ByteReader& in) { last_batch_us_ = in.le<int64_t>(); }

 private:
  int64_t last_end() const {
    return window_.is_session() ? last_batch_us_ + window_.size_us : window_.last_end(last_batch_us_);
  }
  int64_t ended(int64_t now) const {
    return window_.is_session() ? std::max(last_batch_us_, step_start(now)) : window_.ended_by(now);
  }
  int64_t step_start(int64_t time) const { return time - time % session_step_us(); }
  // The first end at which the last window is kept no longer.
  int64_t gone() const {
    if (window_.is_session()) return last_end() + kept_us_;
    return window_.ended_by(window_.last_end(last_batch_us_) + kept_us_ + window_.between_ends_us() - 1);
  }

  engine::WindowSpec window_;
  int64_t kept_us_;
  int64_t last_batch_us_ = INT64_MIN;
};

}  // namespace millrace::processor
