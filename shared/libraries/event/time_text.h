// Dates and times in the words that people write: '3 Feb 2001', 'Sat, 03 Feb 2001 16:05:06 +0100', '2/3/2001 4:05 PM',
// '20010203T040506Z'. What PostgreSQL reads with its style ISO, MDY, but for what depends on the clock (today) and what is
// no time (infinity).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "event/text.h"

namespace millrace {

struct TextTime {
  int64_t days = 0;          // since 1970
  int64_t micros = 0;        // of the day, its end included
  int64_t zone_seconds = 0;  // ahead of UTC
};

enum class TextTimeKind : uint8_t {
  kMoment,
  kTimeOfDay
};  // a moment has a date, and midnight if it has no time

// nullopt: it is none, and the hint says more if there is more to say.
std::optional<TextTime> read_time_text(std::string_view text, TextTimeKind kind, std::string_view& hint);

}  // namespace millrace
