// Between moments and clocks: AT TIME ZONE. The range of a result is that of timestamps.
#include "engine/functions_time.h"
#include "engine/time_zone.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

int64_t checked(Row& row, int64_t micros) {
  if (!timestamp_in_range(micros)) row.fail(kTimeOutOfRange, "timestamp out of range");
  return micros;
}
int64_t of_zone(Row& row, View zone, std::optional<int64_t> micros) {
  if (micros) return checked(row, *micros);
  row.fail(kBadArgument, "time zone \"" + std::string(start_of(zone, 40)) + "\" not recognized");
  return 0;
}

LocalTimestamp clock_there(Row& row, View zone, Timestamp t) {
  return {of_zone(row, zone, clock_in_zone(zone, t.micros))};
}

}  // namespace

Timestamp moment_at(Row& row, View zone, LocalTimestamp clock) {
  return {of_zone(row, zone, moment_in_zone(zone, clock.value))};
}

namespace {

// A zone that is so far ahead of UTC.
int64_t offset_of(Row& row, const Interval& ahead) {
  if (ahead.months == 0 && ahead.days == 0) return ahead.micros / kMicrosPerSecond * kMicrosPerSecond;
  row.fail(kBadArgument, "an interval as a time zone must not have months or days");
  return 0;
}
// The sum is in range as long as both are: an interval may be longer than all timestamps.
int64_t shifted(Row& row, int64_t timestamp, int64_t offset, int sign) {
  const __int128 sum = static_cast<__int128>(timestamp) + sign * static_cast<__int128>(offset);
  return checked(row, sum > kMaxTimestamp || sum < kMinTimestamp ? INT64_MAX : static_cast<int64_t>(sum));
}
LocalTimestamp clock_ahead(Row& row, Interval ahead, Timestamp t) {
  return {shifted(row, t.micros, offset_of(row, ahead), 1)};
}
Timestamp moment_ahead(Row& row, Interval ahead, LocalTimestamp t) {
  return {shifted(row, t.value, offset_of(row, ahead), -1)};
}

}  // namespace

FunctionFamily zone_functions() {
  return {
      "Time zones",
      {
          {"timezone",
           "What a clock there shows at a moment, or the moment at which it shows a timestamp; also `time "
           "AT TIME ZONE zone`. A zone is a name of tzdata, or how far it is ahead of UTC",
           {call<clock_there>(), call<moment_at>(), call<clock_ahead>(), call<moment_ahead>()},
           {{"TIMESTAMPTZ '2001-07-01T12:00:00Z' AT TIME ZONE 'Europe/Berlin'", "2001-07-01T14:00:00"},
            {"TIMESTAMP '2001-07-01 14:00' AT TIME ZONE 'Europe/Berlin'", "2001-07-01T12:00:00Z"},
            {"TIMESTAMPTZ '2001-07-01T12:00:00Z' AT TIME ZONE INTERVAL '-3 hours'", "2001-07-01T09:00:00"}}},
      }};
}

}  // namespace millrace::engine
