// A dead letter: what a query could not use, as an event of its tenant's dead-letter stream.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "event/batch.h"

namespace millrace::processor {

struct DeadLetter {
  AppendTime at;
  std::string_view cause;
  std::string_view code;
  std::string_view message;
  std::string_view stream;
  std::optional<RowOrigin> origin;  // none: a group's row, of many events
  std::string_view query;
  int64_t lateness_us = 0;  // 0: not late
  std::string_view payload;
};
std::string to_json(const DeadLetter& letter);

}  // namespace millrace::processor
