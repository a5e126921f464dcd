// Writes random calls of every row of the function table, and what they give here: a line a call, its SQL, a
// tab, the value as text, NULL or the error's id. postgres_functions.py asks PostgreSQL for the same.
//
// Every signature of other numbers is called with whole ones, too: which signature that means is the binder's choice.
//
//   sql_function_calls SEED COUNT     COUNT calls of every signature
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/random.h"
#include "engine/functions.h"
#include "event/array.h"
#include "event/text.h"
#include "formats/text_types.h"
#include "sql/bind_expression.h"
#include "tests/sql/scalar_text.h"

namespace millrace {
namespace {

using engine::Expr;
using engine::ExprPtr;
using engine::Signature;

constexpr std::array kTexts{"",       "a",     "abc", "Abc DEF", "  pad  ", "xyxtrimyyx", "été",    "ЖаБа",
                            "日本語", "a/b/c", "//",  "12345",   "%_%",     "a%b\\c",     "o'neil", "€",
                            "ab",     "b",     " ",   "/",       "#",       "XyZ9"};
constexpr std::array kPatterns{"a",      "b+",       "^a", "c$", "[a-z]+", "x*",
                               "(a)(b)", "[0-9]{2}", ".",  "é",  "(",      "[b"};
constexpr std::array kReplacements{"", "-", "<\\1>", "[\\&]", "\\\\", "\\2x"};
constexpr std::array kFlags{"", "g", "i", "gi", "c", "q7"};
constexpr std::array kUnits{"microseconds", "milliseconds", "second",  "minute", "hour",    "day",
                            "week",         "month",        "quarter", "year",   "decade",  "century",
                            "millennium",   "epoch",        "dow",     "isodow", "doy",     "isoyear",
                            "julian",       "HOURS",        "secs",    "soon",   "timezone"};
constexpr std::array kComparisons{"=", "<>", "<", "<=", ">", ">="};
constexpr std::array kZones{"Europe/Berlin",  "america/new_york",    "UTC",
                            "Asia/Kathmandu", "Australia/Lord_Howe", "EST",
                            "Nowhere",        "Africa/Monrovia"};
constexpr std::array kTimeFormats{"YYYY-MM-DD HH24:MI:SS",
                                  "IYYY-IW-ID IDDD",
                                  "Day, DD Month YYYY",
                                  "FMDay FMDD FMMonth",
                                  "HH12:MI:SS.MS AM",
                                  "US FF3 ff1 FM6",
                                  "DDDth Q W WW CC J",
                                  "dy DY Dy mon MON",
                                  "\"at\" HH a.m. P.M.",
                                  "YY Y YYY iyy I",
                                  "SSSS SSSSS FMMM",
                                  "TZ tz OF RM FMRM rm",
                                  "x \\\"y\\\" \"a\\\"b\"",
                                  "DDTH HH24th D",
                                  "ad B.C. FXYYYY",
                                  "TMMonth TMmon tmDAY TMDy",
                                  "Y,YYY FMY,YYYth",
                                  "DDSP MonthTH DayspMI",
                                  "FM\"x\" TM9 FM",
                                  "TZHTZM FMOF",
                                  "YYYYMMDDHH24MISS",
                                  "FMDDDth FMWW FMIW FMCC",
                                  "D of ID",
                                  "q FMQ jth",
                                  "FMHH12 FMMI FMSS FMHH24th",
                                  "FXMonth-DD",
                                  "yyyy\"-été-\"mm",
                                  "MS FMMS FMUS FF2th FF4 FF5 FF6"};
// Without what an interval does not have.
constexpr std::array kIntervalFormats{"YYYY-MM-DD HH24:MI:SS",
                                      "HH12:MI:SS.MS AM",
                                      "US FF3 ff1 FF6",
                                      "DDDth Q W WW CC",
                                      "YY Y YYY Y,YYY",
                                      "SSSS SSSSS FMMM",
                                      "RM FMRM rm",
                                      "DDTH HH24th",
                                      "FMHH24 FMMI FMSS FMDD FMYYYY",
                                      "MIth SSTH",
                                      "Month"};
constexpr std::array kReadFormats{"YYYY-MM-DD HH24:MI:SS",
                                  "DD Mon YYYY",
                                  "YYYYMMDD",
                                  "FMMonth DD, YYYY",
                                  "HH12:MI AM",
                                  "YYYY-MM-DD HH12:MI:SS.MS PM",
                                  "DDD YYYY",
                                  "IYYY-IW-ID",
                                  "IYYY-IDDD",
                                  "YY-MM-DD",
                                  "YYY MM",
                                  "Y MM DD",
                                  "CC YY",
                                  "J",
                                  "WW YYYY",
                                  "MM W YYYY",
                                  "YYYY-MM-DD HH24:MI:SS.US",
                                  "HH24:MITZH:TZM",
                                  "FXYYYY-MM-DD",
                                  "YYYY\"x\"MM",
                                  "Day DD RM YYYY",
                                  "SSSSS",
                                  "Y,YYY MM DD",
                                  "YYYY-MM-DD BC",
                                  "DDth Mon YYYY",
                                  "YYYY-MM-DD HH24:MI:SS.FF3",
                                  "YYYYMMDDHH24MISS",
                                  "Q YYYY",
                                  "YYYY/MM/DD TZ",
                                  "YYYY IW",
                                  "FMYYYY FMMM FMDD",
                                  "Dy, DD Mon YY HH24:MI:SS",
                                  "YYYY-MM-DD TZH",
                                  "yyyy-mm-dd a.m. hh"};
constexpr std::array kReadTexts{"2001-02-16 20:38:40",
                                "16 Feb 2001",
                                "20010216",
                                "February 6, 2001",
                                "08:38 PM",
                                "2001-02-16 08:38:40.5 PM",
                                "47 2001",
                                "2001-07-5",
                                "2001-47",
                                "01-02-16",
                                "999 12",
                                "5 3 4",
                                "20 99",
                                "2451957",
                                "7 2001",
                                "2 3 2001",
                                "2001-02-16 20:38:40.123456",
                                "20:38-05:30",
                                "2001/2/6",
                                "2001x02",
                                "Friday 16 II 2001",
                                "74320",
                                "2,001 2 16",
                                "0044-03-15 BC",
                                "16th feb 2001",
                                "2001-02-16 20:38:40.1239",
                                "20010216203840",
                                "1 2001",
                                "2001-13-01",
                                "2001-02-30",
                                " 2001 - 2 - 16 ",
                                "Fri, 16 Feb 01 20:38:40",
                                "2001-02-16 +02",
                                "2001-02-16 p.m. 13",
                                "",
                                "abc",
                                "-5",
                                "99999999999",
                                "2001-366",
                                "0-0-0",
                                "2000-02-29",
                                "2001-02-16 -3"};
constexpr std::array kNumberFormats{"999",
                                    "9999.99",
                                    "FM9999.99",
                                    "0000.00",
                                    "FM0000.0099",
                                    "9,999,999.9",
                                    "FM9,999,999.99",
                                    "9G999D99",
                                    "S999",
                                    "999S",
                                    "SG999",
                                    "999SG",
                                    "MI999",
                                    "999MI",
                                    "FM999MI",
                                    "PL999",
                                    "999PL",
                                    "9999.9PR",
                                    "FM999PR",
                                    "L999",
                                    "999th",
                                    "FM999TH",
                                    "99V99",
                                    "9.99EEEE",
                                    "9EEEE",
                                    "RN",
                                    "FMRN",
                                    "rnSG",
                                    "FMrn x",
                                    "9.9",
                                    ".99",
                                    "FM.99",
                                    "9",
                                    "0",
                                    "",
                                    "B999",
                                    "99 \"units\" 9",
                                    "9-9 9",
                                    "99.99.9",
                                    "S9S",
                                    "9PR9",
                                    "V9.9",
                                    "EEEE9",
                                    "S9MI",
                                    "x",
                                    "FM9.9",
                                    "FM0.9",
                                    "9.0",
                                    "FM99.90",
                                    "0999.9S",
                                    "S0999",
                                    "S09.90",
                                    "999999999999999999999999.999999999999999999",
                                    "FM999999999999999990.0",
                                    "099,999",
                                    "FM099,999",
                                    "9.999EEEE",
                                    "th",
                                    "9L",
                                    "SP9",
                                    "C9",
                                    "000PR",
                                    "PR",
                                    "9TH.9"};
constexpr std::array kNumberTexts{"12,454.8-", "-12",  "1.5",   "$1,234.50", "<12>", " 12 ",
                                  "12th",      "+7",   ".5",    "5-",        "5 -",  "1234",
                                  "",          "abc",  "1 2 3", "12.3.4",    "0012", "1,2",
                                  "12.-",      "-0.5", "é12",   "12345.678", "- 12", "00"};
constexpr std::array kTimes{"2001-02-16T20:38:40.123456Z", "1970-01-01T00:00:00Z",
                            "1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z",
                            "9999-12-31T23:59:59Z",        "2000-02-29T12:00:00Z",
                            "2004-12-31T11:59:59.5Z",      "2021-01-03T00:30:00Z",
                            "1899-06-11T13:01:02.003Z",    "0012-03-04T05:06:07Z"};
constexpr std::array kIntervals{"1 day",
                                "-1 month -3 days -04:05:06.7",
                                "2 years 5 months 15 days 30:00:00",
                                "00:00:00",
                                "15 minutes",
                                "1234 years 11 months",
                                "-00:00:01.5",
                                "7 days",
                                "40 days -25:00:00",
                                "-13 months 100 days 00:00:59.999999",
                                "-12 hours",
                                "1 year",
                                "-1 year",
                                "-1 month",
                                "60 days 1000:00:00"};

constexpr std::array kBytes{"\\x", "\\x00ff5c", "abc", "\\xc3a9", "\\x000102030405f0f1f2f3f4f5f6f7f8f9fa"};
constexpr std::array kNumerics{"0",           "1",     "-1",     "0.5",    "-0.5",
                               "2.5",         "1.005", "-2.345", "99.995", "12345678901234567890.123456789",
                               "0.000000001", "-3",    "10",     "7.25"};
constexpr std::array kSmallNumerics{"1.5", "-2.345", "99.995", "0"};
constexpr std::array kUuids{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000",
                            "ffffffff-9c0b-4ef8-bb6d-6bb9bd380a11"};
constexpr std::array kJsons{R"({"a": 1, "b": [1, 2], "c": {"a": null}})",
                            R"({"a": {"b": "x"}})",
                            R"([1, "a", null, {"a": 1}, [2]])",
                            R"([1, 2, 2])",
                            R"([{"a": 1, "b": 2}])",
                            R"({"a": 1})",
                            R"([])",
                            R"({})",
                            R"("a")",
                            R"("a \"b\" ~\\é")",
                            R"(1)",
                            R"(-12.5)",
                            R"(true)",
                            R"(null)"};
constexpr std::array kScalars{R"("a")", R"("bc")", R"(1)", R"(true)", R"("a")", R"("b")"};
constexpr std::array kNames{"a", "b", "c", "0", "1", "-1", "x", "a \"b\" ~"};
constexpr std::array kEncodings{"hex", "base64", "escape", "UTF8", "rot13"};
constexpr std::array kTemplates{
    "%s",       "%2$s %s", "%L|%%",    "%I", "%6I|",     "%5s",  "%-4s|%s", "%3$-6L", "%*s",          "%*2$s",
    "%1$s%1$L", "%",       "%x plain", "%-", "100%% %s", "%0$s", "é%s",     "%12$s",  "%99999999999s"};
constexpr std::array kEscaped{"d\\0061t",     "\\\\",    "\\u00e9x",  "\\+01F600",      "\\U0001f600",
                              "\\D83D\\DE00", "\\D83Dx", "\\DE00",    "\\12",           "\\+1",
                              "plain",        "\\0000",  "\\+110000", "\\ud83d\\u0041", "\\"};
constexpr std::array kIdentifiers{"total", "order", "Total", "a b",      "",     "_x1", "1a",      "q\"x",
                                  "été",   "user",  "name",  "xmltable", "zone", "a$",  "between", "text"};
constexpr std::array kFormatted{"7", "a b", "total", "order", "-4", "", "it's", "a\\b", "été", "12"};
constexpr std::array kCoded{
    "YWJj", "616263", "6162 63", "\\001a", " YW Jj ", "YQ==", "YWI=", "Y", "=", "zz", ""};

template <size_t N>
std::string one_of(Random& random, const std::array<const char*, N>& from) {
  return from[random.below(N)];
}

int64_t random_integer(Random& random) {
  constexpr std::array<int64_t, 6> kSpecial{0, 1, -1, INT64_MAX, INT64_MIN, 8364};
  // What PostgreSQL takes as integer must fit one, or it does not find the function.
  return random.chance(10) ? kSpecial[random.below(3)] : static_cast<int64_t>(random.below(21)) - 6;
}
int64_t random_bigint(Random& random) {
  constexpr std::array<int64_t, 4> kSpecial{INT64_MAX, INT64_MIN, 1LL << 40, -7};
  return random.chance(3) ? kSpecial[random.below(4)] : random_integer(random);
}
// Of one line: no control characters.
int64_t random_character(Random& random) {
  constexpr std::array<int64_t, 8> kSpecial{0, -1, 233, 8364, 0x1F600, 0xFFFD, 0x110000, 0xD800};
  return random.chance(2) ? kSpecial[random.below(8)] : static_cast<int64_t>(32 + random.below(95));
}
int64_t random_of_range(Random& random, Type type) {
  const IntegerRange range = range_of(type);
  const int64_t special[] = {range.least, range.greatest, 0, -1, 1};
  return random.chance(3) ? special[random.below(5)] : random_integer(random) % 1000;
}
double random_double(Random& random) {
  constexpr std::array<double, 16> kSpecial{0,
                                            -0.0,
                                            1,
                                            -1,
                                            0.5,
                                            -0.5,
                                            2.5,
                                            1e300,
                                            -3.5,
                                            1e-300,
                                            1000,
                                            1e308,
                                            0.1,
                                            __builtin_inf(),
                                            __builtin_nan(""),
                                            -27};
  return random.chance(2) ? kSpecial[random.below(16)] : (random.unit() - 0.5) * 20;
}

bool is_power(std::string_view function) {
  constexpr std::array<std::string_view, 7> kPowers{"power", "pow", "sqrt", "exp", "ln", "log", "log10"};
  return std::ranges::find(kPowers, function) != kPowers.end();
}
// For roots, powers and logarithms: of any size, some near one, some with many digits; an exponent is often a whole one.
Scalar random_numeric(Random& random, size_t place) {
  constexpr std::array kSpecial{"0",    "1",     "-1",   "2",    "10",      "0.5",        "1.1",  "0.9",
                                "1e20", "1e-20", "7e99", "-2.5", "-1e-300", "4294967296", "1e300"};
  if (random.chance(4)) return *formats::parse_text(Type::kNumeric, one_of(random, kSpecial));
  if (place == 1 && random.chance(2))
    return *formats::parse_text(Type::kNumeric, std::to_string(static_cast<int64_t>(random.below(80)) - 40));
  std::string text = random.chance(6) ? "-" : "";
  if (random.chance(5)) {
    text +=
        (random.chance(2) ? "1." : "0.") + std::string(random.below(20), text.ends_with("1.") ? '0' : '9');
  } else {
    text += random.chance(4) ? "0." + std::string(random.below(30), '0')
                             : std::to_string(random.below(1'000)) + ".";
  }
  const bool is_long = random.chance(12);
  for (uint64_t left = 1 + random.below(is_long ? 120 : 12); left > 0; --left)
    text += static_cast<char>('0' + random.below(10));
  if (random.chance(4)) text += "e" + std::to_string(static_cast<int64_t>(random.below(60)) - 30);
  return *formats::parse_text(Type::kNumeric, text);
}

std::string random_bytes(Random& random, Type type, std::string_view function) {
  if (type == Type::kBytea) return one_of(random, kBytes);
  if (type == Type::kUuid) return one_of(random, kUuids);
  // A member's name and its value stand in turn.
  return function == "jsonb_build_object" ? one_of(random, kScalars) : one_of(random, kJsons);
}

Scalar random_text(Random& random, std::string_view function, size_t place) {
  const bool pattern = function.starts_with("regexp") || function == "substring";
  if (pattern && place == 1) return one_of(random, kPatterns);
  if (function == "regexp_replace" && place == 2) return one_of(random, kReplacements);
  if (pattern && place > 1) return one_of(random, kFlags);
  if (place == 0 && (function == "date_trunc" || function == "date_part" || function == "extract"))
    return one_of(random, kUnits);
  if (function == "encode" || function == "convert_to" || function == "convert_from" || function == "decode")
    if (place == 1) return one_of(random, kEncodings);
  if (function == "decode") return one_of(random, kCoded);
  if (function == "format") return place == 0 ? one_of(random, kTemplates) : one_of(random, kFormatted);
  if (function == "unistr") return one_of(random, kEscaped);
  if (function == "quote_ident") return one_of(random, kIdentifiers);
  if (function.starts_with("jsonb_")) return one_of(random, kNames);
  if (function == "make_timestamptz" || (function == "timezone" && place == 0)) return one_of(random, kZones);
  if (function == "to_number")
    return place == 0 ? one_of(random, kNumberTexts) : one_of(random, kNumberFormats);
  if (function == "to_date" || function == "to_timestamp")
    return place == 0 ? one_of(random, kReadTexts) : one_of(random, kReadFormats);
  return one_of(random, kTexts);
}

std::string random_format(Random& random, Type of) {
  if (is_timestamp(of)) return one_of(random, kTimeFormats);
  return of == Type::kInterval ? one_of(random, kIntervalFormats) : one_of(random, kNumberFormats);
}

int64_t random_part(Random& random, std::string_view function, size_t place) {
  constexpr std::array<int64_t, 6> kLargest{2001, 12, 31, 24, 59, 60};
  const size_t part = function == "make_time" ? place + 3 : place;
  if (function == "make_interval" || random.chance(8)) return static_cast<int64_t>(random.below(400)) - 200;
  return static_cast<int64_t>(random.below(static_cast<uint64_t>(kLargest[std::min<size_t>(part, 5)]))) + 1;
}

// `before`: the type of the argument before.
Scalar random_value(Random& random, Type type, std::string_view function, size_t place, Type before) {
  if ((function == "array_any" || function == "array_all") && place == 0) return one_of(random, kComparisons);
  if (random.chance(12)) return {};
  if (is_array(type)) {
    ArrayMaker elements(element_of(type));
    for (size_t i = random.below(5); i > 0; --i)
      elements.add(random_value(random, element_of(type), function, place, before));
    return elements.bytes();
  }
  switch (type) {
    case Type::kBoolean:
      return random.chance(2);
    case Type::kSmallint:
    case Type::kInteger:
      return random_of_range(random, type);
    case Type::kDate:
      return static_cast<int64_t>(random.below(40'000)) - 20'000;
    case Type::kTime:
      return static_cast<int64_t>(random.below(86'400'000'001));
    case Type::kReal:
      return static_cast<double>(static_cast<float>(random_double(random)));
    case Type::kBigint:
      if (function == "chr") return random_character(random);
      if (function.starts_with("make_")) return random_part(random, function, place);
      return function == "abs" || function == "mod" || function == "to_hex" || function == "greatest" ||
                     function == "least" || function == "to_char"
                 ? random_bigint(random)
                 : random_integer(random);
    case Type::kDouble:
      if (function.starts_with("make_") && !random.chance(5)) return random.unit() * 61;
      return function == "to_timestamp" ? random.unit() * 4e9 - 2e9 : random_double(random);
    case Type::kNumeric:
      if (is_power(function)) return random_numeric(random, place);
      if (function == "to_precision") return *formats::parse_text(type, one_of(random, kSmallNumerics));
      return *formats::parse_text(type, one_of(random, kNumerics));
    case Type::kBytea:
    case Type::kUuid:
    case Type::kJsonb:
      return *formats::parse_text(type, random_bytes(random, type, function));
    case Type::kTimestamp:
    case Type::kTimestamptz:
      return *parse_timestamp(one_of(random, kTimes));
    case Type::kInterval:
      return *parse_interval(one_of(random, kIntervals));
    default:
      if (function == "to_char") return random_format(random, before);
      return random_text(random, function, place);
  }
}

// 'value'::type, in the words of both.
std::string literal_of(const Scalar& value, Type type) {
  std::string quoted;
  for (const char c : text_of(value, type)) quoted.append(c == '\'' ? 2 : 1, c);
  const std::string text = value.index() == 0 ? "NULL" : "'" + quoted + "'";
  return fmt::format("{}::{}", text, to_string(type));
}

// PostgreSQL takes a row of a named type alone.
bool of_rows(const Signature& signature) {
  return std::ranges::any_of(signature.args, [](Type type) { return element_of(type) == Type::kRecord; });
}

void write_line(const Signature& signature, Type result, const std::string& sql,
                const Result<Scalar>& value) {
  std::string text = value.ok() ? text_of(*value, result) : std::string(value.error().id);
  std::ranges::replace(text, '\n', '|');
  fmt::print("{}\t{}\t{}\t{}\n", signature.name, to_string(result), sql, text);
}

size_t count_of_arguments(Random& random, const Signature& signature) {
  return signature.args.size() + (signature.variadic ? random.below(3) : 0);
}
Type type_of_argument(const Signature& signature, size_t i) {
  return signature.args[std::min(i, signature.args.size() - 1)];
}

void write_call(Random& random, const Signature& signature) {
  auto call = std::make_shared<Expr>();
  call->op = engine::Op::kCall;
  call->type = signature.result;
  call->function = &signature;
  std::string sql;
  const size_t count = count_of_arguments(random, signature);
  for (size_t i = 0; i < count; ++i) {
    auto arg = std::make_shared<Expr>();
    arg->type = type_of_argument(signature, i);
    arg->literal = random_value(random, arg->type, signature.name, i,
                                i == 0 ? arg->type : type_of_argument(signature, i - 1));
    sql += (i > 0 ? ", " : "") + literal_of(arg->literal, arg->type);
    call->args.push_back(std::move(arg));
  }
  write_line(signature, signature.result, sql, evaluate_constant(*call));
}

bool wants_fraction(Type type) {
  return is_number(type) && !is_integer(type);
}

// With smallint, int and bigint where the signature has another number.
void write_whole_call(Random& random, const Signature& signature) {
  constexpr std::array kWhole{Type::kSmallint, Type::kInteger, Type::kBigint};
  std::string sql;
  std::vector<sql::Bound> args;
  const size_t count = count_of_arguments(random, signature);
  for (size_t i = 0; i < count; ++i) {
    const Type wanted = type_of_argument(signature, i);
    const bool whole = wants_fraction(wanted);
    const Type type = whole ? kWhole[random.below(kWhole.size())] : wanted;
    const Scalar value = whole ? Scalar(static_cast<int64_t>(random.below(200)) - 100)
                               : random_value(random, type, signature.name, i,
                                              i == 0 ? type : type_of_argument(signature, i - 1));
    sql += (i > 0 ? ", " : "") + literal_of(value, type);
    args.push_back(sql::make_literal(value, type, {}));
  }
  const auto bound = sql::make_call(signature.name, std::move(args), {});
  if (!bound.ok()) return write_line(signature, signature.result, sql, bound.error());
  write_line(signature, bound->type(), sql, evaluate_constant(*bound->expr));
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  millrace::Random random(std::strtoull(argv[1], nullptr, 10));
  const int count = std::atoi(argv[2]);
  for (const auto& family : millrace::engine::function_table()) {
    for (const auto& function : family.functions) {
      for (const auto& signature : function.signatures) {
        if (millrace::of_rows(signature)) continue;
        for (int i = 0; i < count; ++i) millrace::write_call(random, signature);
        if (std::ranges::none_of(signature.args, millrace::wants_fraction)) continue;
        for (int i = 0; i < count; ++i) millrace::write_whole_call(random, signature);
      }
    }
  }
  return 0;
}
