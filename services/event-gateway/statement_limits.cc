#include "event-gateway/statement_limits.h"

#include <fmt/format.h>

namespace millrace::gateway {

void StatementLimits::expire(int64_t now_ns) {
  while (next_deadline_ns() <= now_ns) {
    Timed* const statement = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    statement->expire();
  }
}

Error statement_timed_out(int64_t after_ns) {
  return error(Code::kDeadline, "MR-QRY-0010",
               fmt::format("the statement took longer than {} s, and was stopped",
                           static_cast<double>(after_ns) / 1e9),
               "read less: bound the read by _partition, _offset or _time, or SELECT from a MATERIALIZED "
               "VIEW; or allow "
               "more time (timeout_ms, at most the server's --statement-timeout)");
}

}  // namespace millrace::gateway
