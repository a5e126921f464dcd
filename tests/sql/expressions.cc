// Writes random expressions, casts among them, over literals of every type, and what they give here: a line an
// expression, its SQL, a tab, its type, a tab, the value as text, NULL or the error's id.
// postgres_expressions.py asks PostgreSQL for the same. Without folding there has to be the same answer: else the line says so.
//
//   sql_expressions SEED COUNT
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "base/random.h"
#include "event/row_type.h"
#include "event/text.h"
#include "formats/text_types.h"
#include "sql/bind_expression.h"
#include "sql/parser.h"
#include "sql/sql.h"
#include "tests/sql/scalar_text.h"

namespace millrace {
namespace {

using Texts = std::vector<const char*>;
using Types = std::vector<Type>;
using enum Type;

const Type kPair = *row_type({{.name = "a", .type = kInteger}, {.name = "b", .type = kText}});
const Types kNumbers{kSmallint, kInteger, kBigint, kNumeric, kReal, kDouble};
const Types kAll{kBoolean,
                 kSmallint,
                 kInteger,
                 kBigint,
                 kReal,
                 kDouble,
                 kText,
                 kDate,
                 kTime,
                 kTimestamp,
                 kTimestamptz,
                 kInterval,
                 kBytea,
                 kUuid,
                 kJsonb,
                 kNumeric,
                 array_of(kInteger),
                 array_of(kText),
                 array_of(kNumeric),
                 array_of(kInterval),
                 kPair};

Texts array_literals(Type element) {
  switch (element) {
    case kInteger:
      return {"{}", "{1,2,3}", "{0,NULL,-1}", "{7}", "{NULL}", " { 3 , 1 }"};
    case kText:
      return {"{}", "{a,b}", "{a,NULL,\"\"}", "{\"x y\",\"NULL\",null}", "{\"q\\\"x\",b\\,c}", "{12}"};
    case kNumeric:
      return {"{}", "{1.5,-2}", "{NULL,0}", "{12345678901234567890.5}"};
    default:
      return {"{}", "{1 day,-02:00:00}", "{NULL,2 mons}"};
  }
}

// Both read them to the same value.
Texts literals(Type type) {
  if (is_array(type)) return array_literals(element_of(type));
  if (type == kPair) return {"(1,x)", "(,)", "(7,)", "(-1,\"a b\")", "(,\"q\"\"x\")", "(12,\"\")"};
  switch (type) {
    case kBoolean:
      return {"true", "false"};
    case kSmallint:
      return {"0", "1", "-1", "7", "32767", "-32768", "181"};
    case kInteger:
      return {"0", "1", "-1", "2147483647", "-2147483648", "46341", "100"};
    case kBigint:
      return {"0", "1", "-1", "9223372036854775807", "-9223372036854775808", "3037000500", "12"};
    case kReal:
      return {"0", "0.1", "-1.5", "16777217", "3.4028235e38", "1e-45", "NaN", "Infinity", "2.5", "123456.78"};
    case kDouble:
      return {"0",   "0.1",       "-0.5",    "2.5",  "1e300",     "1e-300",
              "NaN", "-Infinity", "32767.5", "1e15", "3000000000"};
    case kText:
      return {"", "a", "12", " -7 ", "true", "2001-02-03", "10:20:30", "1.5", "x'y", "{\"a\": 1}"};
    case kDate:
      return {"2001-02-28", "2000-02-29", "1969-12-31", "0001-01-01", "9999-12-31"};
    case kTime:
      return {"00:00:00", "10:20:30.5", "23:59:59.999999", "24:00:00"};
    case kTimestamp:
    case kTimestamptz:
      return {"2001-01-31 10:20:30.25", "1970-01-01 00:00:00", "1969-12-31 23:59:59.999999",
              "2001-10-28 02:30:00",    "9999-12-31 23:00:00", "2001-03-25 02:30:00"};
    case kInterval:
      return {"1 day",    "-1 mon -3 days", "02:00:00", "1 year 2 days 03:04:05.5",
              "00:00:00", "30 days",        "1 mon"};
    case kBytea:
      return {"\\x", "\\x00ff", "abc"};
    case kUuid:
      return {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"};
    case kNumeric:
      return {"0",          "1", "-1",  "0.1",    "-2.5", "3", "12345678901234567890.123456789",
              "0.00000001", "7", "100", "32767.5"};
    case kJsonb:
      return {"{\"a\": 1, \"b\": [1, \"x\"]}", "[1, 2, null]", "\"a\"", "12", "2.5", "true", "null",
              "{\"a\": {\"b\": false}}"};
    default:
      return {};
  }
}

class Maker {
 public:
  explicit Maker(Random& random) : random_(random) {}

  std::string make(Type type, int depth) {
    if (depth <= 0 || random_.chance(7)) return leaf(type);
    if (random_.chance(6)) return choice(type, depth - 1);
    if (random_.chance(6)) return cast(type, depth - 1);
    return "(" + operation(type, depth - 1) + ")";
  }
  Type any() { return pick(kAll); }

 private:
  template <typename T>
  T pick(const std::vector<T>& from) {
    return from[random_.below(from.size())];
  }
  std::string leaf(Type type) {
    if (random_.chance(9)) return fmt::format("NULL::{}", to_string(type));
    if (type == kInteger && random_.chance(2)) return fmt::format("{}", random_.below(50'000));
    if (type == kNumeric && random_.chance(2))
      return pick(Texts{"0.1", "2.5", ".5", "7.", "1e3", "1.25E-3", "12345678901234567890", "3.0"});
    std::string quoted;
    for (const char* c = pick(literals(type)); *c != '\0'; ++c) quoted.append(*c == '\'' ? 2 : 1, *c);
    return fmt::format("'{}'::{}", quoted, to_string(type));
  }
  std::string choice(Type type, int depth) {
    const std::string a = make(type, depth), b = make(type, depth);
    if (type == kJsonb || random_.chance(2))
      return fmt::format("CASE WHEN {} THEN {} ELSE {} END", make(kBoolean, depth), a, b);
    return random_.chance(2) ? fmt::format("coalesce({}, {})", a, b) : fmt::format("nullif({}, {})", a, b);
  }
  Types castable(Type to) {
    if (to == kPair) return {kPair, kText};
    if (to == array_of(kText)) return {array_of(kInteger), array_of(kInterval), to};
    if (is_array(to)) return {element_of(to) == kInterval ? to : array_of(pick(Types{kInteger, kNumeric}))};
    switch (to) {
      case kSmallint:
      case kBigint:
      case kReal:
      case kDouble:
      case kNumeric:
        return {kSmallint, kInteger, kBigint, kReal, kDouble, kText, kJsonb, kNumeric};
      case kInteger:
        return {kSmallint, kInteger, kBigint, kReal, kDouble, kText, kBoolean, kJsonb, kNumeric};
      case kBoolean:
        return {kInteger, kText, kJsonb};
      case kText:
        return {kBoolean,
                kSmallint,
                kInteger,
                kBigint,
                kReal,
                kDouble,
                kDate,
                kTime,
                kInterval,
                kUuid,
                kJsonb,
                kBytea,
                array_of(kInteger),
                array_of(kText),
                kPair};
      case kDate:
        return {kTimestamp, kTimestamptz, kText};
      case kTime:
        return {kTimestamp, kTimestamptz, kInterval};
      case kTimestamp:
        return {kDate, kTimestamptz};
      case kTimestamptz:
        return {kDate, kTimestamp};
      case kInterval:
        return {kTime};
      default:
        return {to};
    }
  }
  std::string cast(Type to, int depth) {
    return fmt::format("({})::{}", make(pick(castable(to)), depth), to_string(to));
  }
  std::string infix(const std::vector<const char*>& ops, Type left, Type right, int depth) {
    std::string a = make(left, depth), b = make(right, depth);
    return fmt::format("{} {} {}", a, pick(ops), b);
  }
  std::string operation(Type type, int depth) {
    if (is_array(type)) return array(type, depth);
    if (type == kPair)
      return fmt::format("ROW({}, {})::{}", make(kInteger, depth), make(kText, depth), to_string(kPair));
    switch (type) {
      case kBoolean:
        return condition(depth);
      case kSmallint:
      case kReal:
        return number(type, type, type, depth);
      case kInteger:
        if (random_.chance(6)) return infix({"-"}, kDate, kDate, depth);
        if (random_.chance(8))
          return fmt::format("{}({}, {})", pick(Texts{"num_nulls", "num_nonnulls"}), make(any(), depth),
                             make(any(), depth));
        if (random_.chance(6)) return element(type, depth);
        if (random_.chance(9)) return fmt::format("({}).a", make(kPair, depth));
        return number(type, pick(Types{kSmallint, kInteger}), kInteger, depth);
      case kBigint:
        return number(type, pick(Types{kSmallint, kInteger, kBigint}), kBigint, depth);
      case kNumeric:
        if (random_.chance(6)) return fmt::format("round({}, {})", make(type, depth), random_.below(6));
        if (random_.chance(5)) return power(depth);
        if (random_.chance(8)) return part(depth);
        if (random_.chance(6)) return element(type, depth);
        return number(type, pick(Types{kSmallint, kInteger, kBigint, kNumeric}), kNumeric, depth);
      case kDouble:
        if (random_.chance(3))
          return infix({"+", "*"}, kReal, pick(Types{kSmallint, kInteger, kBigint}), depth);
        if (random_.chance(8)) return infix({"^"}, kInteger, pick(Types{kInteger, kReal, kDouble}), depth);
        return number(type, pick(kNumbers), kDouble, depth);
      case kText:
        if (random_.chance(3)) return make(kJsonb, depth) + " ->> " + pick(Texts{"'a'", "'b'", "0", "-1"});
        if (random_.chance(4)) return element(type, depth);
        if (random_.chance(6)) return fmt::format("({}).b", make(kPair, depth));
        if (random_.chance(6)) return fmt::format("pg_typeof({})::text", make(pick(kNumbers), 0));
        return infix({"||"}, kText, pick(Types{kText, kInteger, kUuid, kReal}), depth);
      case kDate:
        return infix({"+", "-"}, kDate, kInteger, 0);
      case kTime:
        if (random_.chance(3)) return precise("time", kTime, depth);
        return infix({"+", "-"}, kTime, kInterval, depth);
      case kTimestamp:
        if (random_.chance(4)) return precise("timestamp", kTimestamp, depth);
        if (random_.chance(3)) return zoned(kTimestamptz, depth);
        if (random_.chance(3)) return infix({"+"}, kDate, kTime, depth);
        return infix({"+", "-"}, pick(Types{kDate, kTimestamp}), kInterval, depth);
      case kTimestamptz:
        if (random_.chance(3)) return zoned(kTimestamp, depth);
        return infix({"+", "-"}, kTimestamptz, kInterval, depth);
      case kInterval:
        return interval(depth);
      case kBytea:
        return infix({"||"}, kBytea, kBytea, depth);
      case kJsonb:
        return jsonb(depth);
      default:
        return leaf(type);
    }
  }
  std::string power(int depth) {
    switch (random_.below(4)) {
      case 0:
        return fmt::format("{}({})", pick(Texts{"sqrt", "ln", "exp", "log", "log10"}), make(kNumeric, depth));
      case 1:
        return fmt::format("log({}, {})", make(pick(Types{kNumeric, kInteger}), depth),
                           make(kNumeric, depth));
      case 2:
        return make(kNumeric, depth) + " ^ " + pick(Texts{"2", "3", "-1", "0.5", "-2.25", "0"});
      default:
        return fmt::format("power({}, {})", make(pick(Types{kSmallint, kBigint}), 0),
                           pick(Texts{"0.5", "2.5", "-3.0", "1.25E-3"}));
    }
  }
  std::string part(int depth) {
    switch (random_.below(3)) {
      case 0:
        return fmt::format("EXTRACT({} FROM {})",
                           pick(Texts{"hour", "second", "milliseconds", "epoch", "julian", "isoyear"}),
                           make(pick(Types{kTimestamp, kTimestamptz}), depth));
      case 1:
        return fmt::format("EXTRACT({} FROM {})", pick(Texts{"minute", "microseconds", "epoch"}),
                           make(kTime, depth));
      default:
        return fmt::format("EXTRACT({} FROM {})", pick(Texts{"day", "second", "epoch", "year"}),
                           make(kInterval, depth));
    }
  }
  std::string number(Type type, Type narrow, Type wide, int depth) {
    if (random_.chance(8))
      return pick(is_integer(type) ? Texts{"- ", "~ "} : Texts{"- "}) + make(type, depth);
    if (is_integer(type) && random_.chance(5)) return bits(type, narrow, wide, depth);
    std::vector<const char*> ops{"+", "-", "*", "/"};
    if (is_integer(type) || type == kNumeric) ops.push_back("%");
    return random_.chance(2) ? infix(ops, narrow, wide, depth) : infix(ops, wide, narrow, depth);
  }
  std::string bits(Type type, Type narrow, Type wide, int depth) {
    // Without parentheses: what binds more tightly shows.
    if (type != kSmallint && random_.chance(3))
      return infix({" & ", " | 6 + ", " # 3 << ", " >> 1 & ", " << 2 # "}, wide, kSmallint, 0);
    if (random_.chance(3)) return infix({"<<", ">>"}, type, pick(Types{kSmallint, kInteger}), depth);
    return random_.chance(2) ? infix({"&", "|", "#"}, narrow, wide, depth)
                             : infix({"&", "|", "#"}, wide, narrow, depth);
  }
  std::string precise(const char* name, Type type, int depth) {
    return fmt::format("({})::{}({})", make(type, depth), name, random_.below(7));
  }
  std::string zoned(Type type, int depth) {
    return make(type, depth) + " AT TIME ZONE " +
           pick(Texts{"'Europe/Berlin'", "'America/New_York'", "'UTC'", "INTERVAL '2 hours'"});
  }
  std::string interval(int depth) {
    switch (random_.below(4)) {
      case 0:
        return infix({"-"}, pick(Types{kDate, kTimestamp, kTimestamptz}), kTimestamp, depth);
      case 1:
        return infix({"-"}, kTime, kTime, depth);
      case 2:
        return make(kInterval, depth) + pick(Texts{" * ", " / "}) +
               pick(Texts{"2", "'0.5'::float8", "'-3'::int2"});
      default:
        return infix({"+", "-"}, kInterval, kInterval, depth);
    }
  }
  std::string element(Type type, int depth) {
    return fmt::format("({})[{}]", make(array_of(type), depth), make(kInteger, 0));
  }
  std::string array(Type type, int depth) {
    const Type element = element_of(type);
    switch (random_.below(5)) {
      case 0:
        return fmt::format("ARRAY[{}, {}]", make(element, depth), make(element, depth));
      case 1:
        return infix({"||"}, type, random_.chance(2) ? type : element, depth);
      case 2:
        return infix({"||"}, element, type, depth);
      case 3:
        return fmt::format("({})[{}:{}]", make(type, depth), random_.below(3), random_.below(4));
      default:
        return fmt::format("array_remove({}, {})", make(type, depth), make(element, depth));
    }
  }
  std::string array_condition(int depth) {
    const Type type = pick(Types{kInteger, kText, kNumeric});
    if (random_.chance(2)) {
      return fmt::format("{} {} {} ({})", make(type, depth), pick(Texts{"=", "<>", "<", ">="}),
                         pick(Texts{"ANY", "ALL", "SOME"}), make(array_of(type), depth));
    }
    return infix({"@>", "<@", "&&", "=", "<>", "<", ">=", "IS DISTINCT FROM"}, array_of(type), array_of(type),
                 depth);
  }
  std::string jsonb(int depth) {
    switch (random_.below(4)) {
      case 0:
        return make(kJsonb, depth) + " -> " + pick(Texts{"'a'", "'b'", "1", "-2"});
      case 1:
        return fmt::format(
            "to_jsonb({})",
            make(pick(Types{kBoolean, kInteger, kBigint, kText, kDate, kUuid, array_of(kText)}), depth));
      case 2:
        return fmt::format("jsonb_build_array({}, {})", make(kJsonb, depth),
                           make(pick(Types{kInteger, kText}), depth));
      default:
        return make(kJsonb, depth) + " #> '{a,b}'";
    }
  }
  std::string overlaps() {
    const Type type = pick(Types{kDate, kTime, kTimestamp, kTimestamptz});
    const auto end = [&] { return make(random_.chance(3) ? kInterval : type, 0); };
    return fmt::format("({}, {}) OVERLAPS ({}, {})", make(type, 0), end(), make(type, 0), end());
  }
  std::string like_any(int depth) {
    return make(kText, depth) + pick(Texts{" LIKE ", " NOT LIKE ", " ILIKE ", " NOT ILIKE "}) +
           pick(Texts{"ANY (ARRAY['a%', '%2', '_'])", "ALL (ARRAY['%', '%a%', '%1%'])",
                      "ANY ('{%-%,NULL,A}')", "ALL ('{}'::text[])", "SOME (ARRAY['%0%', 'x''y'])"});
  }
  std::string condition(int depth) {
    switch (random_.below(10)) {
      case 8:
      case 9:
        return array_condition(depth);
      case 0:
        return infix({"AND", "OR"}, kBoolean, kBoolean, depth);
      case 1:
        return "NOT " + make(kBoolean, depth);
      case 2:
        return make(any(), depth) + pick(Texts{" IS NULL", " IS NOT NULL"});
      case 3: {
        const Type type = pick(kNumbers);
        return fmt::format("{} BETWEEN {} {} AND {}", make(type, depth), pick(Texts{"", "SYMMETRIC"}),
                           make(pick(kNumbers), depth), make(type, depth));
      }
      case 4: {
        const Type type = any();
        return fmt::format("{} IN ({}, {})", make(type, depth), make(type, depth), make(type, depth));
      }
      case 5:
        if (random_.chance(3)) return overlaps();
        if (random_.chance(2)) return like_any(depth);
        return infix({"@>", "<@", "="}, kJsonb, kJsonb, depth);
      default: {
        const Types kMoments{kDate, kTimestamp, kTimestamptz};
        const Type type = pick(Types{kBoolean, kText, kTime, kInterval, kBytea, kUuid, kPair});
        const size_t kind = random_.below(3);
        return infix({"=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"},
                     kind == 0   ? pick(kNumbers)
                     : kind == 1 ? pick(kMoments)
                                 : type,
                     kind == 0   ? pick(kNumbers)
                     : kind == 1 ? pick(kMoments)
                                 : type,
                     depth);
      }
    }
  }
  Random& random_;
};

// Type and value, or the error.
std::string answer(const std::string& sql, engine::PlanOptions options) {
  auto statements = sql::parse("SELECT " + sql + " AS v");
  if (!statements.ok()) return "?\t" + statements.error().message;
  const auto& select = std::get<sql::ast::Select>(statements->front()->body);
  sql::Scope nothing;
  nothing.set_options(options);
  const auto expr = sql::ExpressionBinder(nothing, "SELECT").bind_typed(*select.query.items.front().expr);
  if (!expr.ok()) return "?\t" + std::string(expr.error().id) + " " + expr.error().message;
  const auto value = engine::evaluate_constant(**expr, options);
  const std::string text = value.ok() ? text_of(*value, (*expr)->type) : std::string(value.error().id);
  return fmt::format("{}\t{}", to_string((*expr)->type), text);
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  millrace::Random random(std::strtoull(argv[1], nullptr, 10));
  millrace::Maker maker(random);
  for (int i = std::atoi(argv[2]); i > 0; --i) {
    const std::string sql = maker.make(maker.any(), static_cast<int>(random.below(4)) + 1);
    const std::string folded = millrace::answer(sql, {}),
                      computed = millrace::answer(sql, {.optimize = false});
    fmt::print("{}\t{}{}\n", sql, folded, computed == folded ? "" : " NOT OPTIMIZED " + computed);
  }
  return 0;
}
