// TimeFormat: a format of to_char, ready to be used for many times and intervals, in UTC.
//
// Why:     a format is the same for all rows nearly always, and neighbouring rows often make the same text:
//          those of one day for 'YYYY-MM-DD'. The last text is kept with the unit that it stands for.
// Threads: confined to its evaluator's worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/time_pattern.h"
#include "event/type.h"

namespace millrace::engine {

class TimeFormat {
 public:
  explicit TimeFormat(std::string_view format) : TimeFormat(format, time_pieces(format)) {}
  TimeFormat(std::string_view format, std::vector<TimePiece> pieces);
  const std::string& format() const { return format_; }
  bool is_of_intervals() const { return of_intervals_; }  // has no pattern that makes no sense there
  // Valid until the next call. `zone`: what TZ stands for; empty if the timestamp has none.
  const std::string& text_of(int64_t timestamp, std::string_view zone);
  const std::string& text_of(const Interval& interval);

 private:
  std::string format_;
  std::vector<TimePiece> pieces_;  // neighbouring texts are one
  int64_t unit_;                   // the coarsest that decides a timestamp's text, in microseconds
  bool of_intervals_ = true;

  bool made_ = false;
  int64_t text_unit_ = 0;  // what text_ was made for
  std::string text_zone_;
  std::string text_;
};

}  // namespace millrace::engine
