// Times by whole units, as Flink has them; and the clock's words and OVERLAPS, which the binder knows.
#include "engine/call_kernel.h"
#include "engine/time_unit.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

// Months, or else microseconds; days are always as long here.
struct Length {
  int32_t months = 0;
  int64_t micros = 0;
};
constexpr Length length_of(TimeUnit unit) {
  constexpr int64_t kSecond = kMicrosPerSecond;
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return {0, 1};
    case TimeUnit::kMillisecond:
      return {0, 1'000};
    case TimeUnit::kSecond:
      return {0, kSecond};
    case TimeUnit::kMinute:
      return {0, 60 * kSecond};
    case TimeUnit::kHour:
      return {0, 3'600 * kSecond};
    case TimeUnit::kDay:
      return {0, kMicrosPerDay};
    case TimeUnit::kWeek:
      return {0, 7 * kMicrosPerDay};
    case TimeUnit::kMonth:
      return {1, 0};
    case TimeUnit::kQuarter:
      return {3, 0};
    case TimeUnit::kYear:
      return {12, 0};
    default:
      return {};
  }
}

// Nothing: the row has failed.
std::optional<Length> length_named(Row& row, View name) {
  const auto unit = time_unit(name);
  const Length length = unit ? length_of(*unit) : Length{};
  if (length.months != 0 || length.micros != 0) return length;
  row.fail(
      kBadArgument,
      "unit \"" + std::string(start_of(name, 40)) +
          "\" is none of microsecond, millisecond, second, minute, hour, day, week, month, quarter, year");
  return std::nullopt;
}

// A day that a month does not have becomes its last one. False: out of range.
bool add_units(int64_t t, const Length& length, int64_t count, int64_t& out) {
  constexpr int64_t kMostMonths = 12 * 20'000;
  if (length.months == 0) {
    int64_t micros = 0;
    return !__builtin_mul_overflow(length.micros, count, &micros) &&
           !__builtin_add_overflow(t, micros, &out) && timestamp_in_range(out);
  }
  if (count > kMostMonths || count < -kMostMonths) return false;
  return add_interval(t, Interval{static_cast<int32_t>(length.months * count), 0, 0}, out) &&
         timestamp_in_range(out);
}

Timestamp add(Row& row, View unit, int64_t count, Timestamp t) {
  const auto length = length_named(row, unit);
  if (!length) return t;
  int64_t out = 0;
  if (!add_units(t.micros, *length, count, out)) row.fail(kTimeOutOfRange, "timestamp out of range");
  return {out};
}
LocalTimestamp add_local(Row& row, View unit, int64_t count, LocalTimestamp t) {
  return {add(row, unit, count, {t.value}).micros};
}
LocalTimestamp add_to_date(Row& row, View unit, int64_t count, Date day) {
  return {add(row, unit, count, {day.value * kMicrosPerDay}).micros};
}

// How many whole months lie between: as many as can be added to the first without going beyond the second.
int64_t months_between(int64_t from, int64_t to) {
  const CivilDate a = civil_time(from).date, b = civil_time(to).date;
  const int64_t months = (b.year - a.year) * 12 + (int64_t{b.month} - a.month);
  int64_t reached = 0;
  const bool there = add_units(from, {1, 0}, months, reached);
  return there && reached <= to ? months : months - 1;
}

int64_t difference(Row& row, View unit, Timestamp from, Timestamp to) {
  const auto length = length_named(row, unit);
  if (!length) return 0;
  if (length->months == 0) return (to.micros - from.micros) / length->micros;
  const int64_t months = to.micros >= from.micros ? months_between(from.micros, to.micros)
                                                  : -months_between(to.micros, from.micros);
  return months / length->months;
}
int64_t difference_local(Row& row, View unit, LocalTimestamp from, LocalTimestamp to) {
  return difference(row, unit, {from.value}, {to.value});
}

int64_t unix_seconds(Timestamp t) {
  return (t.micros - (t.micros % kMicrosPerSecond + kMicrosPerSecond) % kMicrosPerSecond) / kMicrosPerSecond;
}
int64_t unix_seconds_local(LocalTimestamp t) {
  return unix_seconds({t.value});
}
int64_t unix_seconds_of_text(Row& row, View text) {
  const auto t = parse_timestamp(text);
  if (t.ok()) return unix_seconds(*t);
  row.fail(t.error().id, t.error().message);
  return 0;
}

}  // namespace

FunctionFamily time_unit_functions() {
  return {"Times by units, and the clock",
          {
              {"timestampadd",
               "As in Flink: the time so many units later; the unit is `microsecond`, `millisecond`, "
               "`second`, `minute`, "
               "`hour`, `day`, `week`, `month`, `quarter` or `year`, as a word or a text",
               {call<add>(), call<add_local>(), call<add_to_date>()},
               {{"TIMESTAMPADD(DAY, 3, TIMESTAMP '2001-02-27 10:00:00')", "2001-03-02T10:00:00"},
                {"timestampadd('month', 1, DATE '2001-01-31')", "2001-02-28T00:00:00"}}},
              {"timestampdiff",
               "As in Flink: how many whole units lie between the first time and the second",
               {call<difference>(), call<difference_local>()},
               {{"TIMESTAMPDIFF(HOUR, TIMESTAMP '2001-02-27 10:00', TIMESTAMP '2001-02-27 12:59')", "2"},
                {"TIMESTAMPDIFF(MONTH, DATE '2001-03-31', DATE '2001-01-31')", "-2"}}},
              {"unix_timestamp",
               "As in Flink: the seconds since 1970, without a fraction, of a time; without an argument, "
               "where `now()` is "
               "allowed, of that",
               {call<unix_seconds>(), call<unix_seconds_local>(), call<unix_seconds_of_text>()},
               {{"UNIX_TIMESTAMP('2001-01-01 00:00:01')", "978307201"},
                {"unix_timestamp(TIMESTAMPTZ '1969-12-31T23:59:59.5Z')", "-1"}}},
              {"overlaps",
               "Whether two spans of time share a moment: each is a start and an end, or a start and an "
               "interval; a start "
               "belongs to its span, an end does not",
               {},
               {{"(DATE '2001-02-16', DATE '2001-12-21') OVERLAPS (DATE '2001-10-30', INTERVAL '1 year')",
                 "true"},
                {"(TIME '10:00', TIME '11:00') OVERLAPS (TIME '11:00', TIME '12:00')", "false"}},
               "(time, time or interval) OVERLAPS (time, time or interval) → boolean"},
              {"now",
               "When the statement began; in SELECT and INSERT alone",
               {},
               {{"pg_typeof(now())", "timestamp with time zone"}},
               "now() → timestamp with time zone"},
              {"current_timestamp",
               "The same, also with so many digits of a second",
               {},
               {{"CURRENT_TIMESTAMP = now()", "true"},
                {"pg_typeof(CURRENT_TIMESTAMP(3))", "timestamp with time zone"}},
               "CURRENT_TIMESTAMP, CURRENT_TIMESTAMP(bigint) → timestamp with time zone"},
              {"localtimestamp",
               "The same on a clock in UTC",
               {},
               {{"LOCALTIMESTAMP = now()::timestamp", "true"}},
               "LOCALTIMESTAMP, LOCALTIMESTAMP(bigint) → timestamp without time zone"},
              {"current_date",
               "The day of now(), in UTC",
               {},
               {{"CURRENT_DATE = now()::date", "true"}},
               "CURRENT_DATE → date"},
              {"localtime",
               "The time of day of now(), in UTC",
               {},
               {{"LOCALTIME = now()::time", "true"}},
               "LOCALTIME, LOCALTIME(bigint) → time without time zone"},
          }};
}

}  // namespace millrace::engine
