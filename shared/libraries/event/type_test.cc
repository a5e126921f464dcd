#include "event/type.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "event/text.h"

namespace millrace {
namespace {

std::string print(Timestamp t) {
  std::string out;
  append_timestamp(out, t);
  return out;
}
std::string print(Interval i) {
  std::string out;
  append_interval(out, i);
  return out;
}
std::string print(double d) {
  std::string out;
  append_double(out, d);
  return out;
}
std::string reprint(std::string_view text) {
  auto t = parse_timestamp(text);
  return t.ok() ? print(*t) : t.error().id;
}
std::string reprint_interval(std::string_view text) {
  auto i = parse_interval(text);
  return i.ok() ? print(*i) : i.error().id;
}

TEST(Timestamp, TextForms) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00Z")->micros, 0);
  EXPECT_EQ(parse_timestamp("2001-01-01T00:47:00Z")->micros, 978'310'020'000'000);
  EXPECT_EQ(reprint("2001-01-01 00:47:00+00"), "2001-01-01T00:47:00Z");
  EXPECT_EQ(reprint("2001-01-01T00:47:00.5+02:30"), "2000-12-31T22:17:00.5Z");
  EXPECT_EQ(reprint("2001-01-01t00:47z"), "2001-01-01T00:47:00Z");
  EXPECT_EQ(reprint(" 2001-01-01 "), "2001-01-01T00:00:00Z");
  EXPECT_EQ(reprint("2001-01-01T00:00:00.1234567Z"), "2001-01-01T00:00:00.123457Z");
  EXPECT_EQ(reprint("2001-01-01T00:00:00.9999999Z"), "2001-01-01T00:00:01Z");
  EXPECT_EQ(reprint("2001-01-01T00:00:00.0000005Z"), "2001-01-01T00:00:00Z");
  EXPECT_EQ(reprint("2001-01-01T00:00:00.0000015Z"), "2001-01-01T00:00:00.000002Z");
  EXPECT_EQ(reprint("2001-01-01T00:00:00.00000050001Z"), "2001-01-01T00:00:00.000001Z");
  EXPECT_EQ(reprint("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
  EXPECT_EQ(reprint("2000-02-29T00:00:00-0800"), "2000-02-29T08:00:00Z");
  EXPECT_EQ(reprint("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(reprint("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z");
}

// postgres_inputs.py compares many more with PostgreSQL.
TEST(Timestamp, IsReadInTheWordsThatPeopleWrite) {
  EXPECT_EQ(reprint("3 Feb 2001 04:05 PM"), "2001-02-03T16:05:00Z");
  EXPECT_EQ(reprint("Sat, 03 Feb 2001 16:05:06 +0100"), "2001-02-03T15:05:06Z");
  EXPECT_EQ(reprint("20010203T040506.5-05"), "2001-02-03T09:05:06.5Z");
  EXPECT_EQ(reprint("2/3/2001"), "2001-02-03T00:00:00Z");
  EXPECT_EQ(reprint("2001.034"), "2001-02-03T00:00:00Z");
  EXPECT_EQ(reprint("2001-02-03 24:00"), "2001-02-04T00:00:00Z");
  EXPECT_EQ(reprint("epoch"), "1970-01-01T00:00:00Z");
}

// Whatever the words: a time or an error.
TEST(Timestamp, RandomTextsAreSurvived) {
  Random random(13);
  const char* const parts[] = {"2001-02-03", "20010203", "99",  "3",   "Feb",  "10:20",
                               "102030",     "T",        "Z",   "+02", "PM",   "Sat",
                               "-",          ".",        ":",   "/",   "BC",   "12345678901234567890",
                               "epoch",      "P1Y",      "1-2", "ago", "\xC3", "feb-3-01",
                               "24:00",      ".5",       "+",   " "};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (uint64_t n = random.below(7); n > 0; --n) text += parts[random.below(std::size(parts))];
    for (const Type type : {Type::kTimestamptz, Type::kTimestamp, Type::kDate, Type::kTime}) {
      const auto value = parse_integer_text(type, text);
      EXPECT_TRUE(!value.ok() || range_of(type).holds(*value)) << text;
    }
    (void)parse_interval(text);
  }
}

TEST(Timestamp, Refuses) {
  for (const char* text :
       {"", "2001", "2001-13-01T00:00:00Z", "2001-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2001-01-01T24:00:01Z", "2001-01-01T00:60:00Z", "2001-01-01T00:00:00.5.Z", "2001-01-01T00:00:00Zx",
        "2001-01-01T", "2001-01-01T00:00:00+", "2001-01-00T00:00:00Z", "0000-01-01T00:00:00Z",
        "2001-01-01T00:00:00+16:00", "20010101T0000001Z", "yesterday", "infinity", "J2451187"}) {
    EXPECT_EQ(reprint(text), "MR-EVT-0101") << text;
  }
  EXPECT_EQ(reprint("0001-01-01T00:00:00+01:00"), "MR-EVT-0102");
  EXPECT_EQ(reprint("9999-12-31T23:59:59-01:00"), "MR-EVT-0102");
}

TEST(Timestamp, EveryDayRoundTrips) {
  for (int64_t day = kMinTimestamp / kMicrosPerDay; day <= kMaxTimestamp / kMicrosPerDay; day += 13) {
    const CivilDate date = civil_of(day);
    ASSERT_EQ(days_of(date), day);
    ASSERT_LE(date.day, days_in_month(date.year, date.month));
    ASSERT_EQ(parse_timestamp(print(Timestamp{day * kMicrosPerDay + 1}))->micros, day * kMicrosPerDay + 1);
  }
}

// A day that is known from the text before may not change what a text means.
TEST(Timestamp, AKnownDayDoesNotShow) {
  const std::vector<std::string> texts = {"2024-02-29T00:00:00Z",
                                          "2024-02-29T23:59:60.999999Z",
                                          "2024-02-29T24:00:00Z",
                                          "2024-02-29T12:60:00Z",
                                          "2024-02-29T12:00:61Z",
                                          "2024-02-29T12:00:00.1Z",
                                          "2024-02-29T12:00:00.Z",
                                          "2024-02-29T12:00:00.1234567Z",
                                          "2024-02-29T12:00:00.12x4Z",
                                          "2024-02-29T12-00:00Z",
                                          "2024-02-29T12:00:00+",
                                          "2023-02-29T12:00:00Z",
                                          "2024-02-29 12:00:00Z",
                                          "9999-12-31T23:59:59.999999Z",
                                          "9999-12-31T23:59:60Z",
                                          "0001-01-01T00:00:00Z",
                                          "0000-01-01T00:00:00Z",
                                          "2024-02-29T12:00Z",
                                          "2024-02-29",
                                          ""};
  for (const auto& first : texts) {
    for (const auto& second : texts) {
      KnownDay shared;
      KnownDay none;
      int64_t micros = 0;
      int64_t expected = 0;
      (void)parse_rfc3339_utc(first.data(), first.size(), shared, micros);
      const bool ok = parse_rfc3339_utc(second.data(), second.size(), none, expected);
      ASSERT_EQ(parse_rfc3339_utc(second.data(), second.size(), shared, micros), ok) << first << second;
      if (!ok) continue;
      ASSERT_EQ(micros, expected) << first << second;
      ASSERT_EQ(parse_timestamp(second)->micros, expected);
    }
  }
  KnownDay day;
  int64_t micros = 0;
  ASSERT_TRUE(parse_rfc3339_utc("2024-02-29T00:00:01.5Z", 22, day, micros));
  EXPECT_EQ(micros, 1'709'164'801'500'000);
  ASSERT_TRUE(parse_rfc3339_utc("2024-02-29T23:59:60.25Z", 23, day, micros));
  EXPECT_EQ(micros, 1'709'251'200'250'000);
}

TEST(Timestamp, MonthsClampTheDay) {
  int64_t t = 0;
  const int64_t january = parse_timestamp("2024-01-31T12:00:00Z")->micros;
  ASSERT_TRUE(add_interval(january, Interval{1, 0, 0}, t));
  EXPECT_EQ(print(Timestamp{t}), "2024-02-29T12:00:00Z");
  ASSERT_TRUE(add_interval(january, Interval{-11, 1, -1}, t));
  EXPECT_EQ(print(Timestamp{t}), "2023-03-01T11:59:59.999999Z");
  EXPECT_FALSE(add_interval(january, Interval{INT32_MAX, 0, 0}, t));
  EXPECT_FALSE(add_interval(kMaxTimestamp, Interval{0, 0, INT64_MAX}, t));
}

TEST(Interval, TextForms) {
  EXPECT_EQ(*parse_interval("1 hour"), (Interval{0, 0, 3'600'000'000}));
  EXPECT_EQ(*parse_interval("10 minutes 30 seconds"), (Interval{0, 0, 630'000'000}));
  EXPECT_EQ(*parse_interval("01:30:00"), (Interval{0, 0, 5'400'000'000}));
  EXPECT_EQ(*parse_interval("1 day"), (Interval{0, 1, 0}));
  EXPECT_EQ(*parse_interval("1.5 months"), (Interval{1, 15, 0}));
  EXPECT_EQ(*parse_interval("250ms"), (Interval{0, 0, 250'000}));
  EXPECT_EQ(*parse_interval("-1 day +02:00"), (Interval{0, -1, 7'200'000'000}));
  EXPECT_EQ(*parse_interval("3 days ago"), (Interval{0, -3, 0}));
  EXPECT_EQ(*parse_interval("10"), (Interval{0, 0, 10'000'000}));
  EXPECT_EQ(reprint_interval("1 day 2 hours"), "1 day 02:00:00");
  EXPECT_EQ(reprint_interval("14 mons -3 days 0.5 s"), "1 year 2 mons -3 days +00:00:00.5");
  EXPECT_EQ(reprint_interval("-1 year"), "-1 years");
  EXPECT_EQ(reprint_interval("0"), "00:00:00");
  EXPECT_EQ(reprint_interval("100:00:00"), "100:00:00");
  EXPECT_EQ(reprint_interval("1 week"), "7 days");
}

// Compared with PostgreSQL 15.
TEST(Interval, FractionsRoundAsInPostgres) {
  EXPECT_EQ(reprint_interval("1.0000006 seconds"), "00:00:01.000001");
  EXPECT_EQ(reprint_interval("-1.0000006 seconds"), "-00:00:01.000001");
  EXPECT_EQ(reprint_interval("1.0000005 seconds"), "00:00:01");
  EXPECT_EQ(reprint_interval("00:00:01.9999999"), "00:00:02");
  EXPECT_EQ(reprint_interval("0.1234567891 hours"), "00:07:24.444441");
  EXPECT_EQ(reprint_interval("1.3333333 weeks"), "9 days 07:59:59.97984");
  EXPECT_EQ(reprint_interval("1.7 months"), "1 mon 21 days");
  EXPECT_EQ(reprint_interval("1.23 years"), "1 year 3 mons");
  EXPECT_EQ(reprint_interval("-1.99 years"), "-2 years");
  EXPECT_EQ(reprint_interval("0.125 years"), "2 mons");
  EXPECT_EQ(reprint_interval("0.375 years"), "4 mons");
}

TEST(Interval, DaysBeforeAClockTime) {
  EXPECT_EQ(reprint_interval("1 2:03:04"), "1 day 02:03:04");
  EXPECT_EQ(reprint_interval("-1 02:00"), "-1 days +02:00:00");
  EXPECT_EQ(reprint_interval("1 day 5"), "1 day 00:00:05");
}

TEST(Interval, TheLimits) {
  EXPECT_EQ(reprint_interval("9223372036854775807 us"), "2562047788:00:54.775807");
  EXPECT_EQ(reprint_interval("-9223372036854775808 us"), "-2562047788:00:54.775808");
  EXPECT_EQ(reprint_interval("-2147483648 days"), "-2147483648 days");
  for (const char* text : {"900000000 years", "9223372036854775808 us", "2147483648 days", "178956971 years",
                           "292277026596 millennia", "99999999999999999999999999999999999999999 s"}) {
    EXPECT_EQ(reprint_interval(text), "MR-EVT-0102") << text;
  }
}

TEST(Interval, Refuses) {
  for (const char* text :
       {"", "x", "1 lightyear", "1 hour hour", "1:2:3:4", "1:60", "ago", "- hour", "1 :30", "1 hour 1 hour",
        "1 hour 01:00", "5 1 day", "1 2", "1 x", ":", "1:", "1.5:00", "1 day 1 2:00", "1.1.1 s"}) {
    EXPECT_EQ(reprint_interval(text), "MR-EVT-0101") << text;
  }
}

TEST(Interval, PrintsWhatReadsBack) {
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    const Interval value{static_cast<int32_t>(random.below(1000)) - 500,
                         static_cast<int32_t>(random.below(100)) - 50,
                         static_cast<int64_t>(random.next() >> 24) - (int64_t{1} << 38)};
    ASSERT_EQ(*parse_interval(print(value)), value) << print(value);
  }
}

TEST(Double, PrintsAsPostgres) {
  EXPECT_EQ(print(0.0), "0");
  EXPECT_EQ(print(-0.0), "-0");
  EXPECT_EQ(print(4.5), "4.5");
  EXPECT_EQ(print(0.0001), "0.0001");
  EXPECT_EQ(print(0.00001), "1e-05");
  EXPECT_EQ(print(123456789012345.0), "123456789012345");
  EXPECT_EQ(print(1e15), "1e+15");
  EXPECT_EQ(print(-1.5e300), "-1.5e+300");
  EXPECT_EQ(print(100.0), "100");
  EXPECT_EQ(print(NAN), "NaN");
  EXPECT_EQ(print(-INFINITY), "-Infinity");
  EXPECT_EQ(print(0.1 + 0.2), "0.30000000000000004");
}

TEST(Double, RoundTrips) {
  Random random(3);
  for (int i = 0; i < 50'000; ++i) {
    const double value = std::bit_cast<double>(random.next());
    if (std::isnan(value)) continue;
    ASSERT_EQ(*parse_double(print(value)), value);
  }
}

TEST(Numbers, Refuse) {
  EXPECT_EQ(*parse_bigint(" +12 "), 12);
  EXPECT_EQ(*parse_bigint("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_bigint("9223372036854775808").error().id, "MR-EVT-0102");
  for (const char* text : {"", "+", "1.5", "1 2", "+-1", "0x10"}) {
    EXPECT_FALSE(parse_bigint(text).ok()) << text;
  }
  for (const char* text : {"", "e", "1e", "0x1p3", "nan(1)", "1,5", "-nan", "--1"}) {
    EXPECT_FALSE(parse_double(text).ok()) << text;
  }
  EXPECT_EQ(parse_double("1e999").error().id, "MR-EVT-0102");
  EXPECT_TRUE(std::isnan(*parse_double("NaN")));
  EXPECT_EQ(*parse_double("-Infinity"), -INFINITY);
}

TEST(Boolean, Spellings) {
  for (const char* text : {"t", "TRUE", "yes", "y", "on", "1", " true "})
    EXPECT_TRUE(*parse_boolean(text)) << text;
  for (const char* text : {"f", "False", "no", "n", "off", "0"}) EXPECT_FALSE(*parse_boolean(text)) << text;
  for (const char* text : {"", "o", "truex", "2", "yeah"}) EXPECT_FALSE(parse_boolean(text).ok()) << text;
}

TEST(Errors, QuoteTheInputShortened) {
  const auto failed = parse_bigint(std::string(1000, 'x'));
  EXPECT_LT(failed.error().message.size(), 120u);
}

std::string text(Type type, std::string_view from) {
  std::string out;
  if (physical(type) == Physical::kDouble) {
    const auto value = parse_double_text(type, from);
    if (!value.ok()) return std::string(value.error().id);
    append_double_text(out, type, *value);
  } else {
    const auto value = parse_integer_text(type, from);
    if (!value.ok()) return std::string(value.error().id);
    append_integer_text(out, type, *value);
  }
  return out;
}

TEST(TypeTexts, NarrowNumbersHaveTheirBounds) {
  EXPECT_EQ(text(Type::kSmallint, " -32768 "), "-32768");
  EXPECT_EQ(text(Type::kSmallint, "32768"), "MR-EVT-0102");
  EXPECT_EQ(text(Type::kInteger, "2147483647"), "2147483647");
  EXPECT_EQ(text(Type::kInteger, "-2147483649"), "MR-EVT-0102");
  EXPECT_EQ(text(Type::kInteger, "1.0"), "MR-EVT-0101");
  EXPECT_EQ(text(Type::kReal, "16777217"), "1.6777216e+07");
  EXPECT_EQ(text(Type::kReal, "0.1"), "0.1");
  EXPECT_EQ(text(Type::kReal, "123456"), "123456");
  EXPECT_EQ(text(Type::kReal, "1e39"), "MR-EVT-0102");
  EXPECT_EQ(text(Type::kReal, "-inf"), "-Infinity");
}

TEST(TypeTexts, DatesAndTimesOfDay) {
  EXPECT_EQ(text(Type::kDate, "2000-02-29"), "2000-02-29");
  EXPECT_EQ(text(Type::kDate, " 0001-01-01 "), "0001-01-01");
  EXPECT_EQ(text(Type::kDate, "1969-12-31 23:59:59+05"), "1969-12-31");
  for (const char* bad : {"2001-02-29", "2001-13-01", "0000-01-01", "2001-1", "x", ""})
    EXPECT_EQ(text(Type::kDate, bad), "MR-EVT-0101") << bad;
  EXPECT_EQ(text(Type::kTime, "10:20"), "10:20:00");
  EXPECT_EQ(text(Type::kTime, "24:00:00"), "24:00:00");
  EXPECT_EQ(text(Type::kTime, "10:20:60"), "10:21:00");
  EXPECT_EQ(text(Type::kTime, "2001-01-01 10:20:30.500"), "10:20:30.5");
  EXPECT_EQ(text(Type::kTime, "10:20:30+02"), "10:20:30");
  for (const char* bad : {"24:00:01", "10:60", "10", "x", ""})
    EXPECT_NE(text(Type::kTime, bad).find("MR-EVT"), std::string::npos) << bad;
  EXPECT_EQ(text(Type::kTimestamp, "2001-01-01 10:20:30Z"), "2001-01-01T10:20:30");
  EXPECT_EQ(text(Type::kTimestamp, "2001-01-01"), "2001-01-01T00:00:00");
}

}  // namespace
}  // namespace millrace
