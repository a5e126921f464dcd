// TimeReader: a format of to_timestamp and to_date, ready to read many texts. As lenient as PostgreSQL: a text may end
// early, spaces may stand anywhere, and characters between the patterns need not be the format's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/time_pattern.h"

namespace millrace::engine {

// What a text said, checked: days since 1970, of whatever year, and the microseconds of the day.
struct ReadTime {
  int64_t days = 0;
  int64_t micros = 0;
  int64_t zone_seconds = 0;  // ahead of UTC
  int digits = 6;            // of a second, that the format wants
};

class TimeReader {
 public:
  explicit TimeReader(std::string_view format) : format_(format), pieces_(time_pieces(format)) {}
  const std::string& format() const { return format_; }
  // nullopt: `problem` says why.
  std::optional<ReadTime> read(std::string_view text, std::string& problem) const;

 private:
  std::string format_;
  std::vector<TimePiece> pieces_;
};

}  // namespace millrace::engine
