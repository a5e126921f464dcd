// A dead letter: what a query could not use, or what a stream did not take, as an event of its tenant's dead-letter stream.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "event/batch.h"

namespace millrace::engine {

inline constexpr std::string_view kDoesNotFit =
    "invalid";  // the cause, of an event that its stream did not take

struct DeadLetter {
  AppendTime at;
  std::string_view cause;
  std::string_view code;
  std::string_view message;
  std::string_view stream;
  std::optional<RowOrigin> origin;  // none: a group's row, of many events, or an event that is in no stream
  std::string_view query;           // empty: it did not come so far
  int64_t lateness_us = 0;          // 0: not late
  std::string_view payload;
};
std::string to_json(const DeadLetter& letter);

}  // namespace millrace::engine
