// Formats of times and numbers: corners of PostgreSQL's rules, with its answers; postgres_functions.py compares more.
#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/number_format.h"
#include "engine/time_format.h"
#include "engine/time_reader.h"
#include "event/text.h"

namespace millrace::engine {
namespace {

std::string text_of(std::string_view time, std::string_view format) {
  return TimeFormat(format).text_of(parse_timestamp(time)->micros, "UTC");
}
std::string text_of_interval(std::string_view interval, std::string_view format) {
  return TimeFormat(format).text_of(*parse_interval(interval));
}
std::string text_of_number(std::string digits, bool negative, std::string_view format) {
  std::string text;
  const NumberFormat made(format);
  if (!made.error().empty()) return made.error();
  EXPECT_TRUE(made.append({negative, std::move(digits), made.fraction_digits()}, text));
  return text;
}
std::string read(std::string_view text, std::string_view format) {
  std::string problem;
  const auto time = TimeReader(format).read(text, problem);
  if (!time) return problem;
  std::string out;
  append_local_timestamp(out, {time->days * kMicrosPerDay + time->micros});
  return out;
}

TEST(TimeFormat, PrefixesAndEndingsAreThoseOfPostgres) {
  constexpr std::string_view kTime = "2001-02-03T04:05:06.000789Z";
  const std::pair<const char*, const char*> cases[] = {
      {"TMMonth", "February"},
      {"TMmon tmDAY", "feb SATURDAY"},
      {"TMDD TMMM", "03 02"},
      {"FMDDth FMMMTH", "3rd 2ND"},
      {"Monthth", "February "},
      {"DDSP.", "03."},
      {"Y,YYY FMY,YYYth", "2,001 2,001st"},
      {"FM\"x\"", "x"},
      {"TM9", "9"},
      {"FMFF3 FMUS", "000 000789"},
      {"FMOF TZHTZM tz", "+0 +0000 utc"},
      {"mOnth mmonth", "mOnth 02onth"},
      {"\\\"a\\\" \"b\\\"c\" \\x", "\"a\" b\"c \\x"},
  };
  for (const auto& [format, text] : cases) EXPECT_EQ(text_of(kTime, format), text) << format;
}

TEST(TimeFormat, IntervalsHaveSignsAndManyHours) {
  EXPECT_EQ(text_of_interval("-12 hours", "HH24:MI HH12"), "-12:00 012");
  EXPECT_EQ(text_of_interval("1000:00:00", "HH24:MI:SS"), "1000:00:00");
  EXPECT_EQ(text_of_interval("-1 year -1 month", "YYYY RM Q"), "-0001 XII  1");
  EXPECT_TRUE(TimeFormat("HH AM RM DDD").is_of_intervals());
  EXPECT_FALSE(TimeFormat("HH Month").is_of_intervals());
}

TEST(TimeFormat, TheTextThatIsKeptIsThatOfItsUnit) {
  TimeFormat format("HH24:MI");
  EXPECT_EQ(format.text_of(59'999'999, ""), "00:00");
  EXPECT_EQ(format.text_of(60'000'000, ""), "00:01");
  EXPECT_EQ(format.text_of(Interval{0, 0, 0}), "00:00");
  EXPECT_EQ(format.text_of(60'000'000, ""), "00:01");
}

TEST(NumberFormat, CornersAreThoseOfPostgres) {
  struct Case {
    const char* digits;
    bool negative;
    const char* format;
    const char* text;
  };
  const Case cases[] = {
      {"0.10", false, "9.99", "  .10"},
      {"0.00", false, "FM9.99", "0."},
      {"12.00", true, "FM99.00", "-12.00"},
      {"1234", false, "999", " ###"},
      {"12", true, "999PR", " <12>"},
      {"12", false, "999PR", "  12 "},
      {"12", true, "S0999", "-0012"},
      {"12", true, "999S", " 12-"},
      {"1234567", false, "9,999,999", " 1,234,567"},
      {"12", false, "9,999", "    12"},
      {"11", false, "FM99th", "11th"},
      {"5", false, "\"5-\"9\"x", "5- 5x"},
      {"5", false, "9.9.9", "multiple decimal points"},
      {"5", false, "S9MI", "cannot use \"S\" and \"MI\" together"},
  };
  for (const Case& c : cases) EXPECT_EQ(text_of_number(c.digits, c.negative, c.format), c.text) << c.format;
}

TEST(NumberFormat, RomanNumbersEndAt3999) {
  const auto roman = [](int64_t value, std::string_view format) {
    std::string text;
    NumberFormat(format).append_roman(value, text);
    return text;
  };
  EXPECT_EQ(roman(1999, "FMRN"), "MCMXCIX");
  EXPECT_EQ(roman(3888, "rn"), "mmmdccclxxxviii");
  EXPECT_EQ(roman(4, "RN!"), "             IV!");
  EXPECT_EQ(roman(4000, "FMRN"), "###############");
  EXPECT_EQ(roman(INT64_MIN, "FMRN"), "###############");
}

TEST(TimeReader, IsAsLenientAsPostgres) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"2001-02-03 04:05:06", "YYYY-MM-DD HH24:MI:SS"}, "2001-02-03T04:05:06"},
      {{" 2001 / 2 / 3", "YYYY-MM-DD"}, "2001-02-03T00:00:00"},
      {{"20010203040506", "YYYYMMDDHH24MISS"}, "2001-02-03T04:05:06"},
      {{"12 AM 2001", "HH12 AM YYYY"}, "2001-01-01T00:00:00"},
      {{"2001-05-3", "IYYY-IW-ID"}, "2001-01-31T00:00:00"},
      {{"366 2000", "DDD YYYY"}, "2000-12-31T00:00:00"},
      {{"366 2001", "DDD YYYY"}, "date/time field value out of range: \"366 2001\""},
      {{"13 PM", "HH12 AM"}, "hour \"13\" is invalid for the 12-hour clock"},
      {{"2001 7", "YYYY IW"}, "invalid combination of date conventions"},
      {{"2001-02-30", "YYYY-MM-DD"}, "date/time field value out of range: \"2001-02-30\""},
      {{"3", "DDD"}, "cannot calculate day of year without year information"},
      {{"x", "YYYY"}, "invalid value \"x\" for \"YYYY\""},
  };
  for (const auto& [given, answer] : cases)
    EXPECT_EQ(read(given.first, given.second), answer) << given.second;
}

// Whatever the format and the text: an answer or a problem.
TEST(Formats, RandomOnesAreSurvived) {
  Random random(11);
  constexpr std::array kParts{
      "YYYY", "Y,YYY", "IDDD", "DDD", "DD",         "MM", "Month", "RM", "HH12",     "MI", "SS",   "US",
      "TZH",  "TZM",   "J",    "IW",  "WW",         "W",  "ID",    "Dy", "FX",       "FM", "th",   "\"",
      "-",    " ",     "9",    "0",   "S",          "PR", "MI",    "V",  "EEEE",     "RN", "B.C.", "\\",
      ".",    ",",     "999",  "CC",  "2147483647", "-7", "12",    "x",  "\xC3\xA9", "Q"};
  for (int i = 0; i < 20'000; ++i) {
    std::string format, text;
    for (uint64_t n = random.below(6); n > 0; --n) format += kParts[random.below(kParts.size())];
    for (uint64_t n = random.below(6); n > 0; --n) text += kParts[random.below(kParts.size())];
    std::string problem, out;
    const auto time = TimeReader(format).read(text, problem);
    EXPECT_EQ(time.has_value(), problem.empty()) << format << " of " << text;
    const NumberFormat numbers(format);
    if (!numbers.error().empty()) continue;
    int fraction = 0;
    (void)numbers.read(text, fraction);
    (void)numbers.append({random.chance(2), "12", numbers.fraction_digits()}, out);
    numbers.append_roman(static_cast<int64_t>(random.below(5'000)), out);
  }
}

}  // namespace
}  // namespace millrace::engine
