// TimeFormat: a format of to_char, ready to be used for many timestamps, in UTC. Every format makes a text: what
// is no pattern stands for itself.
//
// Why:     a format is the same for all rows nearly always, and neighbouring rows often make the same text:
//          those of one day for 'YYYY-MM-DD'. The last text is kept with the unit that it stands for.
// Threads: confined to its evaluator's worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::engine {

class TimeFormat {
 public:
  struct Step;

  explicit TimeFormat(std::string_view format);
  ~TimeFormat();
  const std::string& format() const { return format_; }
  // Valid until the next call. `zone`: what TZ stands for; empty if the timestamp has none.
  const std::string& text_of(int64_t timestamp, std::string_view zone);

 private:
  std::string format_;
  std::vector<Step> steps_;
  int64_t unit_;  // the coarsest that decides the text, in microseconds

  bool made_ = false;
  int64_t text_unit_ = 0;  // what text_ was made for
  std::string text_zone_;
  std::string text_;
};

// An evaluation's format: a call's rows come one behind the other, so one is enough.
class TimeFormatCache {
 public:
  TimeFormat& find(std::string_view format);  // valid until the next call

 private:
  std::unique_ptr<TimeFormat> last_;
};

}  // namespace millrace::engine
