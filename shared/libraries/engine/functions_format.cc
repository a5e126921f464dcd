// to_char and what reads its texts. A format that is the same for all rows is taken apart once.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "engine/call_kernel.h"
#include "engine/format_cache.h"
#include "engine/functions_time.h"
#include "event/decimal.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

constexpr size_t kMaxFormatBytes = 10'000;

// Then the row has failed.
bool is_too_long(Row& row, View format) {
  if (format.size() <= kMaxFormatBytes) return false;
  row.fail(kBadArgument, fmt::format("a format has at most {} bytes", kMaxFormatBytes));
  return true;
}
// False: the row is NULL, as in PostgreSQL, or has failed.
bool has_format(Row& row, View format) {
  if (is_too_long(row, format)) return false;
  if (format.empty()) row.null();
  return !format.empty();
}

View text_of_time(Row& row, int64_t timestamp, View zone, View format) {
  if (!has_format(row, format)) return {};
  return row.keep(row.context.formats.times.find(format).text_of(timestamp, zone));
}
View timestamp_text(Row& row, Timestamp t, View format) {
  return text_of_time(row, t.micros, "UTC", format);
}
View local_text(Row& row, LocalTimestamp t, View format) {
  return text_of_time(row, t.value, "", format);
}
View interval_text(Row& row, Interval i, View format) {
  if (!has_format(row, format)) return {};
  TimeFormat& made = row.context.formats.times.find(format);
  if (made.is_of_intervals()) return row.keep(made.text_of(i));
  row.fail(kBadArgument, "invalid format specification for an interval value");
  return {};
}

// Flink's.
View date_format_local(Row& row, LocalTimestamp t, View format) {
  if (is_too_long(row, format)) return {};
  JavaTimeFormat& made = row.context.formats.java_times.find(format);
  if (made.error().empty()) return row.keep(made.text_of(t.value));
  row.fail(kBadArgument, made.error());
  return {};
}
View date_format(Row& row, Timestamp t, View format) {
  return date_format_local(row, {t.micros}, format);
}
Timestamp to_timestamp_ltz(Row& row, int64_t number, int64_t digits) {
  if (digits != 0 && digits != 3) {
    row.fail(kBadArgument, "to_timestamp_ltz takes seconds, of 0 digits, or milliseconds, of 3");
    return {};
  }
  int64_t micros = 0;
  if (__builtin_mul_overflow(number, digits == 0 ? 1'000'000 : 1'000, &micros) || !timestamp_in_range(micros))
    row.fail(kTimeOutOfRange, "timestamp out of range");
  return {micros};
}

// nullptr: the row has an answer already.
const NumberFormat* number_format(Row& row, View format) {
  if (is_too_long(row, format)) return nullptr;
  const NumberFormat& made = row.context.formats.numbers.find(format);
  if (made.error().empty()) return &made;
  row.fail(kBadArgument, made.error());
  return nullptr;
}

View number_text(Row& row, const NumberFormat& format, const NumberText& number) {
  std::string text;
  if (format.append(number, text)) return row.keep(text);
  row.fail(kBadArgument, "\"" + number.digits + "\" is not a number");
  return {};
}
View roman_text(Row& row, const NumberFormat& format, int64_t value) {
  std::string text;
  format.append_roman(value, text);
  return row.keep(text);
}
// With a place for the sign.
View scientific_text(Row& row, double value, int digits) {
  std::string text = fmt::format("{:+.{}e}", value, digits);
  if (text[0] == '+') text[0] = ' ';
  return row.keep(text);
}

// With zeros up to the last of so many digits behind the point.
std::string fixed_text(const Decimal& a, int digits) {
  std::string text;
  append_decimal(text, a);
  if (digits == 0) return text;
  const size_t point = text.find('.');
  if (point == std::string::npos) text += '.';
  const size_t there = point == std::string::npos ? 0 : text.size() - point - 1;
  return text.append(static_cast<size_t>(digits) - there, '0');
}
View scientific_text(Row& row, Decimal a, int digits) {
  const bool negative = a.negative;
  const int exponent = a.digits.empty() ? 0 : a.point - 1;
  a.negative = false;
  a.point = a.digits.empty() ? 0 : 1;
  return row.keep(
      fmt::format("{}{}e{:+03}", negative ? '-' : ' ', fixed_text(rounded(a, digits), digits), exponent));
}

View text_of_decimal(Row& row, const NumberFormat& format, Decimal a) {
  if (!a.digits.empty()) a.point += format.shift();
  a = rounded(a, format.fraction_digits());
  NumberText number{.negative = a.negative, .fraction_digits = format.fraction_digits()};
  a.negative = false;
  number.digits = fixed_text(a, number.fraction_digits);
  return number_text(row, format, number);
}

View numeric_text(Row& row, Numeric x, View f) {
  const NumberFormat* format = number_format(row, f);
  if (format == nullptr) return {};
  const Decimal a = decimal_from(x.value);
  if (format->is_scientific()) return scientific_text(row, a, format->fraction_digits());
  if (!format->is_roman()) return text_of_decimal(row, *format, a);
  const auto whole = bigint_of(a);
  if (whole && range_of(Type::kInteger).holds(*whole)) return roman_text(row, *format, *whole);
  row.fail(kIntegerOutOfRange, "integer out of range");
  return {};
}

template <Type kType>
View whole_text(Row& row, Tagged<kType, int64_t> x, View f) {
  const NumberFormat* format = number_format(row, f);
  if (format == nullptr) return {};
  if (format->is_scientific()) {
    // PostgreSQL rounds a half to the even digit in the one and away from zero in the other.
    if constexpr (kType == Type::kInteger)
      return scientific_text(row, static_cast<double>(x.value), format->fraction_digits());
    else
      return scientific_text(row, decimal_of(x.value), format->fraction_digits());
  }
  const bool is_integer = range_of(Type::kInteger).holds(x.value);
  if (format->is_roman() && is_integer) return roman_text(row, *format, x.value);
  __int128 shifted = x.value;
  for (int i = 0; i < format->shift() && shifted == static_cast<int64_t>(shifted); ++i) shifted *= 10;
  const bool fits =
      shifted == static_cast<int64_t>(shifted) && range_of(kType).holds(static_cast<int64_t>(shifted));
  if (fits && !format->is_roman()) return text_of_decimal(row, *format, decimal_of(x.value));
  row.fail(kIntegerOutOfRange,
           std::string(to_string(format->is_roman() ? Type::kInteger : kType)) + " out of range");
  return {};
}
View bigint_text(Row& row, int64_t x, View format) {
  return whole_text<Type::kBigint>(row, {x}, format);
}

std::string fixed_text(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return fmt::format("{:.{}f}", value, digits);
}

// As many digits as the type tells apart.
template <typename Float>
View floating_text(Row& row, Float value, View f) {
  constexpr int kDigits = std::numeric_limits<Float>::digits10;
  const NumberFormat* format = number_format(row, f);
  if (format == nullptr) return {};
  if (format->is_roman()) {
    const double whole = std::rint(static_cast<double>(value));
    return roman_text(row, *format, whole > 0 && whole < 4'000 ? static_cast<int64_t>(whole) : 0);
  }
  if (format->is_scientific()) {
    if (std::isfinite(value))
      return scientific_text(row, static_cast<double>(value), format->fraction_digits());
    std::string nothing;
    format->append_scientific_nothing(nothing);
    return row.keep(nothing);
  }
  if (format->shift() > 0) value *= static_cast<Float>(std::pow(10.0, format->shift()));
  const int whole_digits = static_cast<int>(fixed_text(std::fabs(static_cast<double>(value)), 0).size());
  NumberText number;
  number.fraction_digits = std::clamp(kDigits - whole_digits, 0, format->fraction_digits());
  number.digits = fixed_text(static_cast<double>(value), number.fraction_digits);
  number.negative = number.digits[0] == '-';
  if (number.negative) number.digits.erase(0, 1);
  return number_text(row, *format, number);
}
View double_text(Row& row, double x, View format) {
  return floating_text(row, x, format);
}
View real_text(Row& row, Real x, View format) {
  return floating_text(row, static_cast<float>(x.value), format);
}
// PostgreSQL has none of smallint, and takes that of double precision.
View smallint_text(Row& row, Smallint x, View format) {
  return floating_text(row, static_cast<double>(x.value), format);
}

Numeric to_number(Row& row, View text, View f) {
  if (!has_format(row, f)) return {};
  const NumberFormat* format = number_format(row, f);
  if (format == nullptr) return {};
  const auto fail = [&](std::string_view id, std::string why) {
    return row.fail(id, std::move(why)), Numeric{};
  };
  if (format->is_roman()) return fail(kBadArgument, "\"RN\" not supported for input");
  if (format->is_scientific()) return fail(kBadArgument, "\"EEEE\" not supported for input");
  int fraction_digits = 0;
  auto number = read_decimal(format->read(text, fraction_digits));
  if (!number) return fail(kBadArgument, quoted_start(text) + " has no number in that format");
  if (!number->digits.empty() && number->point > format->whole_digits())
    return fail(kIntegerOutOfRange, "numeric field overflow");
  if (!number->digits.empty()) number->point -= format->shift();
  return {row.keep(decimal_bytes(*number))};
}

std::optional<ReadTime> read_time(Row& row, View text, View format) {
  if (is_too_long(row, format)) return std::nullopt;
  std::string problem;
  const auto read = row.context.formats.readers.find(format).read(text, problem);
  if (!read) row.fail(kBadArgument, problem);
  return read;
}
Date to_date(Row& row, View text, View format) {
  const auto read = read_time(row, text, format);
  if (read && !range_of(Type::kDate).holds(read->days)) row.fail(kTimeOutOfRange, "date out of range");
  return {read ? read->days : 0};
}
Timestamp to_timestamp(Row& row, View text, View format) {
  const auto read = read_time(row, text, format);
  if (!read) return {};
  if (!range_of(Type::kDate).holds(read->days))
    return row.fail(kTimeOutOfRange, "timestamp out of range"), Timestamp{};
  const int64_t clock = read->days * kMicrosPerDay + read->micros;
  return to_digits(row, {clock - read->zone_seconds * kMicrosPerSecond}, read->digits);
}

}  // namespace

FunctionFamily format_functions() {
  return {"Texts in a format",
          {
              {"to_char",
               "The time, interval or number in a format: [the patterns](reference.md#formats)",
               {call<timestamp_text>(), call<local_text>(), call<interval_text>(), call<smallint_text>(),
                call<whole_text<Type::kInteger>>(), call<bigint_text>(), call<numeric_text>(),
                call<real_text>(), call<double_text>()},
               {{"to_char(TIMESTAMPTZ '2001-02-06T20:08:40.012Z', 'Dy, DD Mon YYYY HH24:MI:SS.MS')",
                 "Tue, 06 Feb 2001 20:08:40.012"},
                {"to_char(TIMESTAMPTZ '2001-02-06', 'FMDay \"the\" FMDDth')", "Tuesday the 6th"},
                {"to_char(INTERVAL '15h 2m 12s', 'HH24:MI:SS')", "15:02:12"},
                {"to_char(1234.5, 'FM9,999.00')", "1,234.50"},
                {"to_char(-7, '0000S')", "0007-"},
                {"to_char(2001, 'FMRN')", "MMI"}}},
              {"date_format",
               "As in Flink: the time in a format of Java, with `yyyy yy y MM M MMM MMMM dd d D DDD E EEEE Q "
               "HH H hh h mm m ss s S`…`SSSSSSSSS a`; other letters stand in single quotes",
               {call<date_format>(), call<date_format_local>()},
               {{"date_format(TIMESTAMP '2001-02-06 20:08:40.012', 'E, d MMM yyyy HH:mm:ss.SSS')",
                 "Tue, 6 Feb 2001 20:08:40.012"},
                {"date_format(DATE '2001-02-06', 'yyyyMMdd''T''')", "20010206T"}}},
              {"to_timestamp_ltz",
               "As in Flink: a count of seconds (0) or milliseconds (3) since 1970 as a time",
               {call<to_timestamp_ltz>()},
               {{"to_timestamp_ltz(1284352323500, 3)", "2010-09-13T04:32:03.5Z"}}},
              {"to_number",
               "The number in a text that is in a format of to_char",
               {call<to_number>()},
               {{"to_number('$1,234.50-', 'L9,999.99S')", "-1234.5"},
                {"to_number('abc', '999')", "MR-SQL-0120"}}},
              {"to_date",
               "The date in a text that is in a format of to_char",
               {call<to_date>()},
               {{"to_date('6 Feb 2001', 'DD Mon YYYY')", "2001-02-06"},
                {"to_date('2001-02-30', 'YYYY-MM-DD')", "MR-SQL-0120"}}},
              {"to_timestamp",
               "The time, in UTC if it names no zone, in a text that is in a format of to_char; or seconds "
               "since 1970 as a time",
               {call<to_timestamp>(), call<seconds_since_1970>()},
               {{"to_timestamp('06.02.2001 20:08+02', 'DD.MM.YYYY HH24:MITZH')", "2001-02-06T18:08:00Z"},
                {"to_timestamp(1284352323.5)", "2010-09-13T04:32:03.5Z"}}},
          }};
}

}  // namespace millrace::engine
