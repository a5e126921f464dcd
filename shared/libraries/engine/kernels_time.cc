// Times and intervals: sums, differences, scaling, and the windows that a time falls into.
#include <cmath>
#include <limits>

#include "engine/kernels.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

constexpr std::string_view kDivisionByZero = "MR-SQL-0101";
constexpr std::string_view kTimestampRange = "MR-SQL-0104";
constexpr std::string_view kIntervalRange = "MR-SQL-0105";

void fail(const Node& node, const Column& out, Context& context, size_t row, std::string_view id) {
  if (out.is_null(row)) return;
  const char* message = id == kTimestampRange  ? "timestamp out of range"
                        : id == kIntervalRange ? "interval out of range"
                                               : "division by zero";
  context.fail(row, node.expr->span, id, message);
}

template <typename To>
bool narrow(__int128 from, To& to) {
  if (from < std::numeric_limits<To>::min() || from > std::numeric_limits<To>::max()) return false;
  to = static_cast<To>(from);
  return true;
}

bool combine(const Interval& a, const Interval& b, int sign, Interval& r) {
  return narrow(static_cast<__int128>(a.months) + sign * static_cast<__int128>(b.months), r.months) &&
         narrow(static_cast<__int128>(a.days) + sign * static_cast<__int128>(b.days), r.days) &&
         narrow(static_cast<__int128>(a.micros) + sign * static_cast<__int128>(b.micros), r.micros);
}

template <int kSign>
void timestamp_and_interval(const Node& node, const Operand& left, const Operand& right,
                            const Selection& selection, Column& out, Context& context) {
  strict_binary<int64_t, Interval, int64_t>(node.expr->type, left, right, selection, context.batch.rows, out,
                                            [&](int64_t t, const Interval& i, size_t row) {
                                              Interval signed_interval = i;
                                              int64_t r = 0;
                                              const bool ok =
                                                  kSign > 0 || combine(Interval{}, i, -1, signed_interval);
                                              if (!ok || !add_interval(t, signed_interval, r))
                                                fail(node, out, context, row, kTimestampRange);
                                              return r;
                                            });
}

// A time of day goes round; an interval's days and months do not count.
template <int kSign>
void time_and_interval(const Node&, const Operand& left, const Operand& right, const Selection& selection,
                       Column& out, Context& context) {
  strict_binary<int64_t, Interval, int64_t>(Type::kTime, left, right, selection, context.batch.rows, out,
                                            [](int64_t t, const Interval& i, size_t) {
                                              const int64_t more = i.micros % kMicrosPerDay;
                                              return day_and_time(t % kMicrosPerDay + kSign * more).micros;
                                            });
}

// Of timestamps days and the rest, never months; of times of day only that.
void timestamp_difference(const Node& node, const Operand& left, const Operand& right,
                          const Selection& selection, Column& out, Context& context) {
  const int64_t day = node.expr->args[0]->type == Type::kTime ? INT64_MAX : kMicrosPerDay;
  strict_binary<int64_t, int64_t, Interval>(Type::kInterval, left, right, selection, context.batch.rows, out,
                                            [&](int64_t a, int64_t b, size_t row) {
                                              Interval r;
                                              int64_t micros = 0;
                                              if (__builtin_sub_overflow(a, b, &micros)) {
                                                fail(node, out, context, row, kIntervalRange);
                                              } else {
                                                r.days = static_cast<int32_t>(micros / day);
                                                r.micros = micros % day;
                                              }
                                              return r;
                                            });
}

template <int kSign>
void interval_sum(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                  Column& out, Context& context) {
  strict_binary<Interval, Interval, Interval>(Type::kInterval, left, right, selection, context.batch.rows,
                                              out, [&](const Interval& a, const Interval& b, size_t row) {
                                                Interval r;
                                                if (!combine(a, b, kSign, r))
                                                  fail(node, out, context, row, kIntervalRange);
                                                return r;
                                              });
}

void interval_negate(const Node& node, const Operand& left, const Operand&, const Selection& selection,
                     Column& out, Context& context) {
  strict_unary<Interval, Interval>(Type::kInterval, left, selection, context.batch.rows, out,
                                   [&](const Interval& a, size_t row) {
                                     Interval r;
                                     if (!combine(Interval{}, a, -1, r))
                                       fail(node, out, context, row, kIntervalRange);
                                     return r;
                                   });
}

bool whole_part(double value, int32_t& whole) {
  if (!(value >= INT32_MIN && value <= INT32_MAX)) return false;
  whole = static_cast<int32_t>(value);
  return true;
}
double to_micros(double value) {
  return std::rint(value * 1e6) / 1e6;
}

// An interval from parts that are not whole: what is left of the months becomes days (30 a month), what is left
// of the days becomes time.
bool from_parts(double months, double days, double micros, Interval& r) {
  if (!whole_part(months, r.months) || !whole_part(days, r.days)) return false;
  const double month_days = to_micros((months - r.months) * 30);
  const double whole_month_days = std::trunc(month_days);
  double seconds = to_micros((days - r.days + month_days - whole_month_days) * 86400);
  const double spilled_days = std::trunc(seconds / 86400);
  seconds -= spilled_days * 86400;
  micros = std::rint(micros + seconds * 1e6);
  if (!(micros >= -0x1p63 && micros < 0x1p63)) return false;
  r.micros = static_cast<int64_t>(micros);
  return narrow(static_cast<__int128>(r.days) + static_cast<int64_t>(whole_month_days + spilled_days),
                r.days);
}

void interval_times(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                    Column& out, Context& context) {
  strict_binary<Interval, double, Interval>(
      Type::kInterval, left, right, selection, context.batch.rows, out,
      [&](const Interval& a, double b, size_t row) {
        Interval r;
        if (!from_parts(a.months * b, a.days * b, static_cast<double>(a.micros) * b, r))
          fail(node, out, context, row, kIntervalRange);
        return r;
      });
}

void interval_divide(const Node& node, const Operand& left, const Operand& right, const Selection& selection,
                     Column& out, Context& context) {
  strict_binary<Interval, double, Interval>(
      Type::kInterval, left, right, selection, context.batch.rows, out,
      [&](const Interval& a, double b, size_t row) {
        Interval r;
        if (b == 0)
          fail(node, out, context, row, kDivisionByZero);
        else if (!from_parts(a.months / b, a.days / b, static_cast<double>(a.micros) / b, r))
          fail(node, out, context, row, kIntervalRange);
        return r;
      });
}

// Neighbouring rows fall into the same window most of the time: then no division. A window that does not end
// in the range of timestamps is none, whichever end was asked for: a group's end is computed when it is read.
template <bool kEnd>
void tumble(const Node& node, const Operand& left, const Operand&, const Selection& selection, Column& out,
            Context& context) {
  const int64_t size = node.expr->window_us;
  const int64_t offset = node.expr->window_offset_us;
  int64_t start = 0;
  int64_t end = 0;  // start == end: none yet
  strict_unary<int64_t, int64_t>(node.expr->type, left, selection, context.batch.rows, out,
                                 [&](int64_t t, size_t row) {
                                   if (t < start || t >= end) {
                                     start = tumble_start(t, size, offset);
                                     if (__builtin_add_overflow(start, size, &end) ||
                                         !timestamp_in_range(start) || !timestamp_in_range(end)) {
                                       end = start;
                                       fail(node, out, context, row, kTimestampRange);
                                     }
                                   }
                                   return kEnd ? end : start;
                                 });
}

}  // namespace

Kernel time_kernel(const Expr& expr) {
  switch (expr.op) {
    case Op::kTimestampPlusInterval:
      return expr.type == Type::kTime ? time_and_interval<1> : timestamp_and_interval<1>;
    case Op::kTimestampMinusInterval:
      return expr.type == Type::kTime ? time_and_interval<-1> : timestamp_and_interval<-1>;
    case Op::kTimestampMinusTimestamp:
      return timestamp_difference;
    case Op::kIntervalPlus:
      return interval_sum<1>;
    case Op::kIntervalMinus:
      return interval_sum<-1>;
    case Op::kIntervalNegate:
      return interval_negate;
    case Op::kIntervalTimes:
      return interval_times;
    case Op::kIntervalDivide:
      return interval_divide;
    case Op::kTumbleStart:
      return tumble<false>;
    case Op::kTumbleEnd:
      return tumble<true>;
    default:
      return nullptr;
  }
}

}  // namespace millrace::engine
