// Functions of times and intervals. A timestamp with a time zone is taken apart in UTC.
#include "engine/functions_time.h"

#include <cmath>

#include "engine/call_kernel.h"
#include "engine/time_unit.h"
#include "event/decimal.h"
#include "event/small_decimal.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

constexpr int64_t kMinute = 60 * kMicrosPerSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr std::string_view kIntervalRange = "MR-SQL-0105";

void bad_unit(Row& row, View unit, View type) {
  row.fail(kBadArgument,
           "unit \"" + std::string(start_of(unit, 40)) + "\" is not one for " + std::string(type));
}

// A unit's length where it always is the same; 0 elsewhere.
int64_t fixed_micros(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return 1;
    case TimeUnit::kMillisecond:
      return 1'000;
    case TimeUnit::kSecond:
      return kMicrosPerSecond;
    case TimeUnit::kMinute:
      return kMinute;
    case TimeUnit::kHour:
      return kHour;
    case TimeUnit::kDay:
      return kMicrosPerDay;
    default:
      return 0;
  }
}

// The first year of the unit's years that hold `year`; centuries and millennia start with the year 1.
int64_t first_year(TimeUnit unit, int64_t year) {
  if (unit == TimeUnit::kDecade) return year / 10 * 10;
  if (unit == TimeUnit::kCentury) return (year - 1) / 100 * 100 + 1;
  return unit == TimeUnit::kMillennium ? (year - 1) / 1000 * 1000 + 1 : year;
}

Timestamp trunc_timestamp(Row& row, View name, Timestamp t) {
  const auto unit = time_unit(name);
  if (!unit || *unit > TimeUnit::kMillennium) return bad_unit(row, name, "timestamp with time zone"), t;
  if (const int64_t size = fixed_micros(*unit)) return {tumble_start(t.micros, size, 0)};
  const CivilTime time = civil_time(t.micros);
  if (*unit == TimeUnit::kWeek) return {(time.days - (iso_day_of_week(time.days) - 1)) * kMicrosPerDay};
  CivilDate date = time.date;
  date.day = 1;
  if (*unit == TimeUnit::kQuarter) date.month = (date.month - 1) / 3 * 3 + 1;
  if (*unit > TimeUnit::kQuarter) date = {first_year(*unit, date.year), 1, 1};
  const int64_t micros = days_of(date) * kMicrosPerDay;
  if (!timestamp_in_range(micros)) row.fail(kTimeOutOfRange, "timestamp out of range");
  return {micros};
}

// Halves go away from zero.
int64_t to_multiple(int64_t micros, int64_t unit) {
  const int64_t half = unit / 2;
  return (micros < 0 ? micros - half : micros + half) / unit * unit;
}

// How many microseconds so many digits of a second tell apart; 0: the row has failed.
int64_t unit_of_digits(Row& row, int64_t digits) {
  constexpr int64_t kUnits[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  if (digits >= 0 && digits < std::ssize(kUnits)) return kUnits[digits];
  return row.fail(kBadArgument, "a time has 0 to 6 digits of a second"), 0;
}

}  // namespace

// Around the year 2000, as in PostgreSQL, whose timestamps count from there.
Timestamp to_digits(Row& row, Timestamp t, int64_t digits) {
  constexpr int64_t kYear2000 = 946'684'800'000'000;
  const int64_t unit = unit_of_digits(row, digits);
  if (unit == 0) return t;
  const int64_t micros = to_multiple(t.micros - kYear2000, unit) + kYear2000;
  if (!timestamp_in_range(micros)) row.fail(kTimeOutOfRange, "timestamp out of range");
  return {micros};
}
// Rounded to microseconds as PostgreSQL does, which counts from the year 2000.
Timestamp seconds_since_1970(Row& row, double seconds) {
  constexpr int64_t kYear2000 = 946'684'800;
  const double micros = std::rint((seconds - static_cast<double>(kYear2000)) * 1e6);
  const bool is_integer = micros > -0x1p62 && micros < 0x1p62;  // false of NaN
  const int64_t t = is_integer ? static_cast<int64_t>(micros) + kYear2000 * kMicrosPerSecond : INT64_MAX;
  if (!timestamp_in_range(t)) row.fail(kTimeOutOfRange, "timestamp out of range");
  return {t};
}

namespace {

LocalTimestamp precise_local(Row& row, LocalTimestamp t, int64_t digits) {
  return {to_digits(row, {t.value}, digits).micros};
}
TimeOfDay precise_time(Row& row, TimeOfDay t, int64_t digits) {
  const int64_t unit = unit_of_digits(row, digits);
  return unit == 0 ? t : TimeOfDay{to_multiple(t.value, unit)};
}

LocalTimestamp trunc_local(Row& row, View name, LocalTimestamp t) {
  return {trunc_timestamp(row, name, {t.value}).micros};
}

Interval trunc_interval(Row& row, View name, Interval i) {
  const auto unit = time_unit(name);
  if (!unit || *unit > TimeUnit::kMillennium || *unit == TimeUnit::kWeek)
    return bad_unit(row, name, "interval"), i;
  const auto months = [&](int32_t size) { return Interval{i.months / size * size, 0, 0}; };
  switch (*unit) {
    case TimeUnit::kMonth:
      return months(1);
    case TimeUnit::kQuarter:
      return months(3);
    case TimeUnit::kYear:
      return months(12);
    case TimeUnit::kDecade:
      return months(120);
    case TimeUnit::kCentury:
      return months(1'200);
    case TimeUnit::kMillennium:
      return months(12'000);
    case TimeUnit::kDay:
      return {i.months, i.days, 0};
    default: {
      const int64_t size = fixed_micros(*unit);
      return {i.months, i.days, i.micros / size * size};
    }
  }
}

// A part of a time: a whole number of units of so many digits behind the point.
struct Part {
  __int128 units = 0;
  int scale = 0;
};
Part whole(int64_t value) {
  return {value, 0};
}

// The part of a time of day, or of an interval's microseconds.
Part clock_part(TimeUnit unit, int64_t micros) {
  const int64_t in_minute = micros % kMinute;
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return whole(in_minute);
    case TimeUnit::kMillisecond:
      return {in_minute, 3};
    case TimeUnit::kSecond:
      return {in_minute, 6};
    case TimeUnit::kMinute:
      return whole(micros % kHour / kMinute);
    default:
      return whole(micros / kHour);
  }
}

int64_t date_part_of(TimeUnit unit, const CivilTime& time) {
  const int64_t year = time.date.year;
  switch (unit) {
    case TimeUnit::kDay:
      return time.date.day;
    case TimeUnit::kWeek:
      return iso_week(time);
    case TimeUnit::kMonth:
      return time.date.month;
    case TimeUnit::kQuarter:
      return (time.date.month - 1) / 3 + 1;
    case TimeUnit::kYear:
      return year;
    case TimeUnit::kDecade:
      return year / 10;
    case TimeUnit::kCentury:
      return (year + 99) / 100;
    case TimeUnit::kMillennium:
      return (year + 999) / 1'000;
    case TimeUnit::kDayOfWeek:
      return iso_day_of_week(time.days) % 7;
    case TimeUnit::kIsoDayOfWeek:
      return iso_day_of_week(time.days);
    case TimeUnit::kDayOfYear:
      return day_of_year(time);
    case TimeUnit::kIsoYear: {
      // The days before the year 1's first week would be in a year 0, which is 1 BC.
      const int64_t iso = iso_year(time);
      return iso > 0 ? iso : iso - 1;
    }
    default:
      return 0;  // kZone
  }
}

std::optional<Part> part_of(Row& row, View name, Timestamp t) {
  const auto unit = time_unit(name);
  if (!unit) return bad_unit(row, name, "timestamp with time zone"), std::nullopt;
  if (*unit == TimeUnit::kEpoch) return Part{t.micros, 6};
  const CivilTime time = civil_time(t.micros);
  return *unit <= TimeUnit::kHour ? clock_part(*unit, time.micros) : whole(date_part_of(*unit, time));
}

std::optional<Part> part_of(Row& row, View name, LocalTimestamp t) {
  if (time_unit(name) != TimeUnit::kZone) return part_of(row, name, Timestamp{t.value});
  return bad_unit(row, name, "timestamp without time zone"), std::nullopt;
}

std::optional<Part> part_of(Row& row, View name, TimeOfDay t) {
  const auto unit = time_unit(name);
  if (unit == TimeUnit::kEpoch) return Part{t.value, 6};
  if (!unit || *unit > TimeUnit::kHour) return bad_unit(row, name, "time without time zone"), std::nullopt;
  return clock_part(*unit, t.value);
}

std::optional<Part> part_of(Row& row, View name, Interval i) {
  const auto unit = time_unit(name);
  if (!unit) return bad_unit(row, name, "interval"), std::nullopt;
  if (*unit <= TimeUnit::kHour) return clock_part(*unit, i.micros);
  const int32_t years = i.months / 12;
  switch (*unit) {
    case TimeUnit::kEpoch: {  // years of 365.25 days, months of 30
      const __int128 quarters_of_days =
          __int128{1'461} * years + __int128{120} * (i.months % 12) + __int128{4} * i.days;
      return Part{quarters_of_days * (kMicrosPerDay / 4) + i.micros, 6};
    }
    case TimeUnit::kDay:
      return whole(i.days);
    case TimeUnit::kMonth:
      return whole(i.months % 12);
    case TimeUnit::kQuarter:
      return whole(i.months % 12 / 3 + 1);
    case TimeUnit::kYear:
      return whole(years);
    case TimeUnit::kDecade:
      return whole(years / 10);
    case TimeUnit::kCentury:
      return whole(years / 100);
    case TimeUnit::kMillennium:
      return whole(years / 1'000);
    default:
      return bad_unit(row, name, "interval"), std::nullopt;
  }
}

constexpr int64_t kJulianOfEpoch = 2'440'588;

template <typename T>
double as_double(Row& row, View name, T t) {
  const auto part = part_of(row, name, t);
  if (!part) return 0;
  constexpr double kUnits[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
  return static_cast<double>(part->units) / kUnits[part->scale];
}
double timestamp_part(Row& row, View name, Timestamp t) {
  if (time_unit(name) != TimeUnit::kJulian) return as_double(row, name, t);
  const CivilTime time = civil_time(t.micros);
  return static_cast<double>(time.days + kJulianOfEpoch) +
         static_cast<double>(time.micros) / static_cast<double>(kMicrosPerDay);
}
double local_part(Row& row, View name, LocalTimestamp t) {
  return time_unit(name) == TimeUnit::kZone ? as_double(row, name, t) : timestamp_part(row, name, {t.value});
}
double interval_part(Row& row, View name, Interval i) {
  if (time_unit(name) != TimeUnit::kEpoch) return as_double(row, name, i);
  const int32_t years = i.months / 12;
  return static_cast<double>(i.micros) / 1'000'000.0 + 365.25 * 86'400 * years +
         30.0 * 86'400 * (i.months % 12) + 86'400.0 * i.days;
}

template <typename T>
Numeric as_numeric(Row& row, View name, T t) {
  const auto part = part_of(row, name, t);
  if (!part) return {};
  DecimalBuffer buffer;
  return {row.keep(write_decimal(part->units, part->scale, buffer))};
}
Numeric extract_timestamp(Row& row, View name, Timestamp t) {
  if (time_unit(name) != TimeUnit::kJulian) return as_numeric(row, name, t);
  const CivilTime time = civil_time(t.micros);
  const auto of_day = divide(decimal_of(time.micros), decimal_of(kMicrosPerDay));
  const auto day =
      add(decimal_of(time.days + kJulianOfEpoch), *of_day);  // far within a numeric's bound, both
  return {row.keep(decimal_bytes(*day))};
}
Numeric extract_local(Row& row, View name, LocalTimestamp t) {
  return time_unit(name) == TimeUnit::kZone ? as_numeric(row, name, t)
                                            : extract_timestamp(row, name, {t.value});
}

// The start of the stride that holds t, counted from the origin.
Timestamp date_bin(Row& row, Interval stride, Timestamp t, Timestamp origin) {
  const __int128 wide = total_micros(stride);
  if (stride.months != 0)
    row.fail(kBadArgument, "timestamps cannot be binned into intervals containing months or years");
  if (wide <= 0) row.fail(kBadArgument, "stride must be greater than zero");
  if (wide > INT64_MAX) row.fail(kIntervalRange, "interval out of range");
  if (stride.months != 0 || wide <= 0 || wide > INT64_MAX) return t;
  const auto size = static_cast<int64_t>(wide);
  const int64_t since = t.micros - origin.micros;  // both lie in ten thousand years
  const int64_t into = since % size;
  const __int128 start = static_cast<__int128>(t.micros) - into - (into < 0 ? wide : 0);
  const bool in_range = start >= kMinTimestamp && start <= kMaxTimestamp;
  if (!in_range) row.fail(kTimeOutOfRange, "timestamp out of range");
  return {in_range ? static_cast<int64_t>(start) : 0};
}

LocalTimestamp date_bin_local(Row& row, Interval stride, LocalTimestamp t, LocalTimestamp origin) {
  return {date_bin(row, stride, {t.value}, {origin.value}).micros};
}

}  // namespace

std::vector<Signature> time_precision() {
  return {call<to_digits>(), call<precise_local>(), call<precise_time>()};
}

FunctionFamily time_functions() {
  return {
      "Times",
      {
          {"date_trunc",
           "The start of the `microseconds`, `milliseconds`, `second`, `minute`, `hour`, `day`, `week` (not "
           "of an interval), `month`, `quarter`, `year`, `decade`, `century` or `millennium` that holds the "
           "time",
           {call<trunc_timestamp>(), call<trunc_local>(), call<trunc_interval>()},
           {{"date_trunc('hour', TIMESTAMPTZ '2001-02-16T20:38:40Z')", "2001-02-16T20:00:00Z"},
            {"date_trunc('hour', INTERVAL '3 days 02:47:33')", "3 days 02:00:00"},
            {"date_trunc('fortnight', TIMESTAMPTZ '2001-02-16')", "MR-SQL-0120"}}},
          {"date_part",
           "A part of a time, as a number: the units of date_trunc, and `epoch`, of a timestamp also `dow`, "
           "`isodow`, `doy`, `isoyear`, `julian`, `timezone`",
           {call<timestamp_part>(), call<local_part>(), call<as_double<TimeOfDay>>(), call<interval_part>()},
           {{"date_part('hour', TIMESTAMPTZ '2001-02-16T20:38:40Z')", "20"},
            {"date_part('epoch', INTERVAL '1 day 1 second')", "86401"}}},
          {"extract",
           "The same as a numeric, written `EXTRACT(field FROM time)`",
           {call<extract_timestamp>(), call<extract_local>(), call<as_numeric<TimeOfDay>>(),
            call<as_numeric<Interval>>()},
           {{"EXTRACT(DOW FROM TIMESTAMPTZ '2001-02-16T20:38:40Z')", "5"},
            {"EXTRACT(second FROM INTERVAL '1.5 s')", "1.5"},
            {"EXTRACT(doy FROM DATE '2001-03-01')", "60"}}},
          {"date_bin",
           "The start of the stride that holds the time, where strides are counted from an origin",
           {call<date_bin>(), call<date_bin_local>()},
           {{"date_bin(INTERVAL '15 minutes', TIMESTAMPTZ '2001-02-16T20:38:40Z', TIMESTAMPTZ '2001-01-01')",
             "2001-02-16T20:30:00Z"}}},
      }};
}

}  // namespace millrace::engine
