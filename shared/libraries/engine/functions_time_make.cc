// Times and intervals from their parts, and intervals in other parts.
#include <cmath>

#include "engine/functions_time.h"
#include "engine/time_unit.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

constexpr std::string_view kIntervalRange = "MR-SQL-0105";
constexpr int64_t kMinute = 60 * kMicrosPerSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int32_t kDaysOfMonth = 30;

Date make_date(Row& row, int64_t year, int64_t month, int64_t day) {
  const bool valid = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
                     day <= days_in_month(year, static_cast<unsigned>(month));
  if (valid) return {days_of({year, static_cast<unsigned>(month), static_cast<unsigned>(day)})};
  row.fail(kBadArgument, "there is no such date in the years 0001 to 9999");
  return {0};
}

TimeOfDay make_time(Row& row, int64_t hour, int64_t minute, double seconds) {
  const double micros = std::rint(seconds * 1e6);
  const bool valid = hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && micros >= 0 && micros <= 6e7;
  const int64_t time = valid ? hour * kHour + minute * kMinute + static_cast<int64_t>(micros) : INT64_MAX;
  if (time <= kMicrosPerDay) return {time};
  row.fail(kBadArgument, "time field value out of range");
  return {0};
}

LocalTimestamp make_timestamp(Row& row, int64_t year, int64_t month, int64_t day, int64_t hour,
                              int64_t minute, double seconds) {
  const int64_t days = make_date(row, year, month, day).value;
  const int64_t t = days * kMicrosPerDay + make_time(row, hour, minute, seconds).value;
  if (!timestamp_in_range(t)) row.fail(kTimeOutOfRange, "timestamp out of range");
  return {t};
}
Timestamp make_timestamptz(Row& row, int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                           double seconds) {
  return {make_timestamp(row, year, month, day, hour, minute, seconds).value};
}
Timestamp make_timestamptz_in(Row& row, int64_t year, int64_t month, int64_t day, int64_t hour,
                              int64_t minute, double seconds, View zone) {
  const int64_t clock = make_timestamp(row, year, month, day, hour, minute, seconds).value;
  return moment_at(row, zone, {clock});
}

bool narrow(__int128 from, int32_t& to) {
  to = static_cast<int32_t>(from);
  return to == from;
}
Interval out_of_range(Row& row) {
  row.fail(kIntervalRange, "interval out of range");
  return {};
}

Interval make_interval(Row& row, int64_t years, int64_t months, int64_t weeks, int64_t days, int64_t hours,
                       int64_t minutes, double seconds) {
  using Wide = __int128;
  Interval i;
  const double micros = std::rint(seconds * 1e6);
  if (!(micros > -0x1p63 && micros < 0x1p63) || !narrow(Wide{years} * 12 + months, i.months) ||
      !narrow(Wide{weeks} * 7 + days, i.days))
    return out_of_range(row);
  const Wide time = Wide{hours} * kHour + Wide{minutes} * kMinute + static_cast<int64_t>(micros);
  i.micros = static_cast<int64_t>(time);
  return i.micros == time ? i : out_of_range(row);
}
// With the first parts alone.
template <typename... Parts>
Interval make_interval_of(Row& row, Parts... parts) {
  const int64_t given[7] = {parts...};
  return make_interval(row, given[0], given[1], given[2], given[3], given[4], given[5], 0);
}

// The smaller part takes the sign of the larger one.
template <typename Part>
void align(int32_t& large, Part& small, Part size) {
  if (large > 0 && small < 0) {
    small += size;
    --large;
  } else if (large < 0 && small > 0) {
    small -= size;
    ++large;
  }
}
bool days_to_months(Interval& i) {
  const int32_t whole = i.days / kDaysOfMonth;
  i.days -= whole * kDaysOfMonth;
  return narrow(static_cast<__int128>(i.months) + whole, i.months);
}
bool time_to_days(Interval& i) {
  const int64_t whole = i.micros / kMicrosPerDay;
  i.micros -= whole * kMicrosPerDay;
  return narrow(static_cast<__int128>(i.days) + whole, i.days);
}

Interval justify_days(Row& row, Interval i) {
  if (!days_to_months(i)) return out_of_range(row);
  align(i.months, i.days, kDaysOfMonth);
  return i;
}
Interval justify_hours(Row& row, Interval i) {
  if (!time_to_days(i)) return out_of_range(row);
  align(i.days, i.micros, kMicrosPerDay);
  return i;
}
Interval justify_interval(Row& row, Interval i) {
  // Days first where time has their sign, so that their sum is in range.
  if ((i.days > 0) == (i.micros > 0) && !days_to_months(i)) return out_of_range(row);
  if (!time_to_days(i) || !days_to_months(i)) return out_of_range(row);
  const bool days_are_negative = i.days < 0 || (i.days == 0 && i.micros < 0);
  const bool days_are_positive = i.days > 0 || (i.days == 0 && i.micros > 0);
  if (i.months > 0 && days_are_negative) {
    i.days += kDaysOfMonth;
    --i.months;
  } else if (i.months < 0 && days_are_positive) {
    i.days -= kDaysOfMonth;
    ++i.months;
  }
  align(i.days, i.micros, kMicrosPerDay);
  return i;
}

int64_t months_of(Interval i) {
  return i.months;
}
int64_t days_of_interval(Interval i) {
  return i.days;
}
int64_t micros_of(Interval i) {
  return i.micros;
}
Interval interval_of(Row& row, int64_t months, int64_t days, int64_t micros) {
  Interval i{.micros = micros};
  return narrow(months, i.months) && narrow(days, i.days) ? i : out_of_range(row);
}

// Years, months and days as people count them. Days are borrowed from the earlier time's month.
Interval age(Timestamp to, Timestamp from) {
  const bool negative = to.micros < from.micros;
  if (negative) std::swap(to, from);
  const CivilTime late = civil_time(to.micros), early = civil_time(from.micros);
  int64_t days = int64_t{late.date.day} - early.date.day;
  int64_t micros = late.micros - early.micros;
  int64_t months = (late.date.year - early.date.year) * 12 + late.date.month - early.date.month;
  if (micros < 0) {
    micros += kMicrosPerDay;
    --days;
  }
  while (days < 0) {
    days += days_in_month(early.date.year, early.date.month);
    --months;
  }
  const int sign = negative ? -1 : 1;
  return {static_cast<int32_t>(sign * months), static_cast<int32_t>(sign * days), sign * micros};
}
Interval age_local(LocalTimestamp to, LocalTimestamp from) {
  return age({to.value}, {from.value});
}

template <typename Time>
bool is_finite(Time) {
  return true;
}

}  // namespace

FunctionFamily time_making_functions() {
  using I = int64_t;
  return {"Making times",
          {
              {"make_date",
               "The date of a year, a month and a day",
               {call<make_date>()},
               {{"make_date(2001, 2, 28)", "2001-02-28"}, {"make_date(2001, 2, 29)", "MR-SQL-0120"}}},
              {"make_time",
               "The time of day of an hour, a minute and seconds",
               {call<make_time>()},
               {{"make_time(8, 15, 23.5)", "08:15:23.5"}}},
              {"make_timestamp",
               "The timestamp of a year, a month, a day, an hour, a minute and seconds",
               {call<make_timestamp>()},
               {{"make_timestamp(2001, 7, 15, 8, 15, 23.5)", "2001-07-15T08:15:23.5"}}},
              {"make_timestamptz",
               "The same in UTC, or in a time zone",
               {call<make_timestamptz>(), call<make_timestamptz_in>()},
               {{"make_timestamptz(2001, 7, 15, 8, 15, 23.5)", "2001-07-15T08:15:23.5Z"},
                {"make_timestamptz(2001, 7, 15, 8, 15, 23.5, 'Europe/Berlin')", "2001-07-15T06:15:23.5Z"}}},
              {"make_interval",
               "The interval of years, months, weeks, days, hours, minutes and seconds, the last of which "
               "may be left out",
               {call<make_interval_of<>>(), call<make_interval_of<I>>(), call<make_interval_of<I, I>>(),
                call<make_interval_of<I, I, I>>(), call<make_interval_of<I, I, I, I>>(),
                call<make_interval_of<I, I, I, I, I>>(), call<make_interval_of<I, I, I, I, I, I>>(),
                call<make_interval>()},
               {{"make_interval(0, 0, 0, 10)", "10 days"},
                {"make_interval(days => 10, mins => 30)", "10 days 00:30:00"},
                {"make_interval(1, 2, 0, 3, 4, 5, 6.5)", "1 year 2 mons 3 days 04:05:06.5"}},
               "make_interval(years bigint, months bigint, weeks bigint, days bigint, hours bigint, mins "
               "bigint, secs double precision) → interval"},
              {"interval_of",
               "The interval of its three parts: months, days and microseconds",
               {call<interval_of>()},
               {{"interval_of(1, -2, 3500000)", "1 mon -2 days +00:00:03.5"}}},
              {"interval_months",
               "The months of an interval, its years included",
               {call<months_of>()},
               {{"interval_months(INTERVAL '1 year 40 days')", "12"}}},
              {"interval_days",
               "The days of an interval, as it is written",
               {call<days_of_interval>()},
               {{"interval_days(INTERVAL '1 mon 40 days')", "40"}}},
              {"interval_microseconds",
               "The time of an interval",
               {call<micros_of>()},
               {{"interval_microseconds(INTERVAL '1 day 2 seconds')", "2000000"}}},
              {"justify_days",
               "Every 30 days as a month",
               {call<justify_days>()},
               {{"justify_days(INTERVAL '35 days')", "1 mon 5 days"}}},
              {"justify_hours",
               "Every 24 hours as a day",
               {call<justify_hours>()},
               {{"justify_hours(INTERVAL '27 hours')", "1 day 03:00:00"}}},
              {"justify_interval",
               "Both, with one sign for all parts",
               {call<justify_interval>()},
               {{"justify_interval(INTERVAL '1 mon -1 hour')", "29 days 23:00:00"}}},
              {"age",
               "The years, months, days and the time from the second timestamp to the first",
               {call<age>(), call<age_local>()},
               {{"age(TIMESTAMP '2001-04-10', TIMESTAMP '1957-06-13')", "43 years 9 mons 27 days"}}},
              {"isfinite",
               "Always true: no time or interval is infinite here",
               {call<is_finite<Date>>(), call<is_finite<Timestamp>>(), call<is_finite<LocalTimestamp>>(),
                call<is_finite<Interval>>()},
               {{"isfinite(DATE '2001-02-16')", "true"}}},
          }};
}

}  // namespace millrace::engine
