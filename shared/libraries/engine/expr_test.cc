#include "engine/expr.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/kit/kit.h"

namespace millrace::engine {
namespace {

using kit::call;
using kit::column;
using kit::literal;
using kit::null_of;

ExprPtr text(std::string value) {
  return literal(Scalar(std::move(value)));
}
ExprPtr number(int64_t value) {
  return literal(Scalar(value));
}
ExprPtr real(double value) {
  return literal(Scalar(value));
}
ExprPtr boolean(bool value) {
  return literal(Scalar(value));
}
ExprPtr cast(ExprPtr arg, Type to) {
  return call(Op::kCast, to, {std::move(arg)});
}
ExprPtr interval(const char* value) {
  return literal(*parse_interval(value));
}
ExprPtr timestamp(const char* value) {
  return literal(*parse_timestamp(value));
}

// A constant's value as text, "NULL", or the error's id.
std::string value(const ExprPtr& expr) {
  auto result = evaluate_constant(expr->type == Type::kText ? *expr : *cast(expr, Type::kText));
  if (!result.ok()) return result.error().id;
  return std::holds_alternative<std::monostate>(*result) ? "NULL" : std::get<std::string>(*result);
}
std::string binary(Op op, Type type, ExprPtr a, ExprPtr b) {
  return value(call(op, type, {std::move(a), std::move(b)}));
}

TEST(Expr, BigintArithmetic) {
  EXPECT_EQ(binary(Op::kAdd, Type::kBigint, number(2), number(3)), "5");
  EXPECT_EQ(binary(Op::kDivide, Type::kBigint, number(-7), number(2)), "-3");
  EXPECT_EQ(binary(Op::kModulo, Type::kBigint, number(-7), number(2)), "-1");
  EXPECT_EQ(binary(Op::kModulo, Type::kBigint, number(INT64_MIN), number(-1)), "0");
  EXPECT_EQ(binary(Op::kDivide, Type::kBigint, number(1), number(0)), "MR-SQL-0101");
  EXPECT_EQ(binary(Op::kModulo, Type::kBigint, number(1), number(0)), "MR-SQL-0101");
  EXPECT_EQ(binary(Op::kDivide, Type::kBigint, number(INT64_MIN), number(-1)), "MR-SQL-0102");
  EXPECT_EQ(binary(Op::kAdd, Type::kBigint, number(INT64_MAX), number(1)), "MR-SQL-0102");
  EXPECT_EQ(binary(Op::kMultiply, Type::kBigint, number(INT64_MAX), number(2)), "MR-SQL-0102");
  EXPECT_EQ(value(call(Op::kNegate, Type::kBigint, {number(INT64_MIN)})), "MR-SQL-0102");
  EXPECT_EQ(binary(Op::kDivide, Type::kBigint, null_of(Type::kBigint), number(0)), "NULL");
  EXPECT_EQ(binary(Op::kAdd, Type::kNull, literal({}), number(1)), "NULL");
}

TEST(Expr, DoubleArithmeticAndOrder) {
  EXPECT_EQ(binary(Op::kDivide, Type::kDouble, real(1), real(0)), "MR-SQL-0101");
  EXPECT_EQ(binary(Op::kMultiply, Type::kDouble, real(1e200), real(1e200)), "MR-SQL-0103");
  EXPECT_EQ(binary(Op::kMultiply, Type::kDouble, real(1e-200), real(1e-200)), "MR-SQL-0103");
  EXPECT_EQ(binary(Op::kAdd, Type::kDouble, real(INFINITY), real(1)), "Infinity");
  EXPECT_EQ(binary(Op::kEqual, Type::kBoolean, real(NAN), real(NAN)), "true");
  EXPECT_EQ(binary(Op::kGreater, Type::kBoolean, real(NAN), real(INFINITY)), "true");
  EXPECT_EQ(binary(Op::kLess, Type::kBoolean, real(NAN), real(1)), "false");
  EXPECT_EQ(binary(Op::kLessEqual, Type::kBoolean, real(1), real(NAN)), "true");
  EXPECT_EQ(binary(Op::kNotEqual, Type::kBoolean, real(0.0), real(-0.0)), "false");
}

TEST(Expr, ThreeValuedLogic) {
  const auto null = null_of(Type::kBoolean);
  const auto logic = [](Op op, const ExprPtr& a, const ExprPtr& b) {
    return binary(op, Type::kBoolean, a, b);
  };
  EXPECT_EQ(logic(Op::kAnd, boolean(true), null), "NULL");
  EXPECT_EQ(logic(Op::kAnd, null, boolean(false)), "false");
  EXPECT_EQ(logic(Op::kOr, null, boolean(true)), "true");
  EXPECT_EQ(logic(Op::kOr, boolean(false), null), "NULL");
  EXPECT_EQ(value(call(Op::kNot, Type::kBoolean, {null})), "NULL");
  EXPECT_EQ(value(call(Op::kIsTrue, Type::kBoolean, {null})), "false");
  EXPECT_EQ(value(call(Op::kIsNotFalse, Type::kBoolean, {null})), "true");
  EXPECT_EQ(logic(Op::kIsDistinct, null, null), "false");
  EXPECT_EQ(logic(Op::kIsDistinct, null, boolean(false)), "true");
  EXPECT_EQ(value(call(Op::kInList, Type::kBoolean, {number(1), number(2), null_of(Type::kBigint)})), "NULL");
  EXPECT_EQ(value(call(Op::kInList, Type::kBoolean, {number(2), number(2), null_of(Type::kBigint)})), "true");
  EXPECT_EQ(value(call(Op::kInList, Type::kBoolean, {text("b"), text("c"), text("a"), text("b")})), "true");
  EXPECT_EQ(value(call(Op::kInList, Type::kBoolean, {text("x"), text("c"), text("a"), text("b")})), "false");
}

TEST(Expr, GuardsKeepErrorsAway) {
  const auto zero = column(0, Type::kBigint);
  const auto divides = call(Op::kDivide, Type::kBigint, {number(10), zero});
  const auto is_zero = call(Op::kEqual, Type::kBoolean, {zero, number(0)});
  Batch batch;
  batch.set_schema({{"n", Type::kBigint}});
  for (const int64_t n : {0, 1, 2, 0, 5}) batch.columns[0].integers.push_back(n);
  batch.rows = 5;
  const auto run = [&](const ExprPtr& e) { return kit::run_expression(e, batch, {}); };
  EXPECT_EQ(run(call(Op::kCase, Type::kBigint, {is_zero, number(-1), divides})),
            "{\"v\":-1}\n{\"v\":10}\n{\"v\":5}\n{\"v\":-1}\n{\"v\":2}\n");
  const auto large = call(Op::kGreater, Type::kBoolean, {divides, number(4)});
  EXPECT_EQ(run(call(Op::kAnd, Type::kBoolean, {call(Op::kNot, Type::kBoolean, {is_zero}), large})),
            "{\"v\":false}\n{\"v\":true}\n{\"v\":true}\n{\"v\":false}\n{\"v\":false}\n");
  EXPECT_EQ(run(large), "MR-SQL-0101\n{\"v\":true}\n{\"v\":true}\nMR-SQL-0101\n{\"v\":false}\n");
  const auto null_if_zero = call(Op::kNullIf, Type::kBigint, {zero, number(0)});
  EXPECT_EQ(run(call(Op::kCoalesce, Type::kBigint, {null_if_zero, number(9)})),
            "{\"v\":9}\n{\"v\":1}\n{\"v\":2}\n{\"v\":9}\n{\"v\":5}\n");
}

TEST(Expr, TimesAndIntervals) {
  const auto plus = [](const char* t, const char* i) {
    return binary(Op::kTimestampPlusInterval, Type::kTimestamptz, timestamp(t), interval(i));
  };
  EXPECT_EQ(plus("2024-01-31T00:00:00Z", "1 month"), "2024-02-29T00:00:00Z");
  EXPECT_EQ(plus("9999-12-31T00:00:00Z", "1 day"), "MR-SQL-0104");
  EXPECT_EQ(binary(Op::kTimestampMinusTimestamp, Type::kInterval, timestamp("2024-03-01T01:00:00Z"),
                   timestamp("2024-02-28T02:00:00Z")),
            "1 day 23:00:00");
  EXPECT_EQ(binary(Op::kEqual, Type::kBoolean, interval("1 month"), interval("30 days")), "true");
  EXPECT_EQ(binary(Op::kLess, Type::kBoolean, interval("23:59:59"), interval("1 day")), "true");
  EXPECT_EQ(binary(Op::kIntervalTimes, Type::kInterval, interval("1 month 1 day"), real(1.5)),
            "1 mon 16 days 12:00:00");
  EXPECT_EQ(
      binary(Op::kIntervalPlus, Type::kInterval, interval("2000000000 days"), interval("2000000000 days")),
      "MR-SQL-0105");
  const auto times = [](const char* i, double factor) {
    return binary(Op::kIntervalTimes, Type::kInterval, interval(i), real(factor));
  };
  EXPECT_EQ(times("2147483647 days", 1), "2147483647 days");
  EXPECT_EQ(times("-2147483648 mons", 1), "-178956970 years -8 mons");
  EXPECT_EQ(times("-2147483648 days", -1), "MR-SQL-0105");
  EXPECT_EQ(times("1 day", NAN), "MR-SQL-0105");
  EXPECT_EQ(times("-9223372036854775808 us", 1), "-2562047788:00:54.775808");
  EXPECT_EQ(times("9223372036854775807 us", 1), "MR-SQL-0105");  // as a double it is one more
  const auto divided = [](const char* i, double by) {
    return binary(Op::kIntervalDivide, Type::kInterval, interval(i), real(by));
  };
  EXPECT_EQ(divided("1 hour", 3), "00:20:00");
  EXPECT_EQ(divided("1 year 1 day", 7), "1 mon 21 days 13:42:51.391543");
  EXPECT_EQ(divided("1 day", INFINITY), "00:00:00");
  EXPECT_EQ(divided("1 day", -0.0), "MR-SQL-0101");
  EXPECT_EQ(divided("2147483647 days", 0.5), "MR-SQL-0105");
  auto tumble = std::make_shared<Expr>();
  tumble->op = Op::kTumbleStart;
  tumble->type = Type::kTimestamptz;
  tumble->args = {timestamp("1969-12-31T23:59:59Z")};
  tumble->window_us = 3'600'000'000;
  EXPECT_EQ(value(tumble), "1969-12-31T23:00:00Z");
  EXPECT_EQ(tumble_start(-1, 10, 0), -10);
  EXPECT_EQ(tumble_start(12, 10, 3), 3);
  EXPECT_EQ(tumble_start(13, 10, 3), 13);
}

TEST(Expr, Casts) {
  EXPECT_EQ(value(cast(text(" 12 "), Type::kBigint)), "12");
  EXPECT_EQ(value(cast(text("twelve"), Type::kBigint)), "MR-SQL-0106");
  EXPECT_EQ(value(cast(text("2001-02-30"), Type::kTimestamptz)), "MR-SQL-0106");
  EXPECT_EQ(value(cast(real(2.5), Type::kBigint)), "2");
  EXPECT_EQ(value(cast(real(3.5), Type::kBigint)), "4");
  EXPECT_EQ(value(cast(real(1e19), Type::kBigint)), "MR-SQL-0102");
  EXPECT_EQ(value(cast(real(NAN), Type::kBigint)), "MR-SQL-0102");
  EXPECT_EQ(value(cast(number(7), Type::kDouble)), "7");
  EXPECT_EQ(value(cast(boolean(true), Type::kText)), "true");
  EXPECT_EQ(value(cast(text("off"), Type::kBoolean)), "false");
  EXPECT_EQ(value(cast(literal({}), Type::kInterval)), "NULL");
}

TEST(Expr, Texts) {
  EXPECT_EQ(binary(Op::kConcat, Type::kText, text("a"), text("b")), "ab");
  EXPECT_EQ(binary(Op::kConcat, Type::kText, text("a"), null_of(Type::kText)), "NULL");
  const auto like = [](const char* a, const char* b) {
    return binary(Op::kLike, Type::kBoolean, text(a), text(b));
  };
  EXPECT_EQ(like("northern Chile", "%Chile"), "true");
  EXPECT_EQ(like("northern Chile", "n_rth%"), "true");
  EXPECT_EQ(like("aé", "a_"), "true");
  EXPECT_EQ(like("100%", "100\\%"), "true");
  EXPECT_EQ(like("100x", "100\\%"), "false");
  EXPECT_EQ(like("mississippi", "%iss%ip%"), "true");
  EXPECT_EQ(like("mississippi", "%iss%iss%iss%"), "false");
  EXPECT_EQ(like("", "%"), "true");
  EXPECT_EQ(like("a", "a\\"), "MR-SQL-0107");
  EXPECT_EQ(binary(Op::kConcat, Type::kText, text(std::string(kMaxTextBytes, 'x')), text("y")),
            "MR-SQL-0108");
}

TEST(Expr, LongChainsDoNotNeedADeepStack) {
  constexpr int kTerms = 20'000;
  ExprPtr sum = column(0, Type::kBigint);
  ExprPtr any = call(Op::kEqual, Type::kBoolean, {column(0, Type::kBigint), number(-1)});
  for (int i = 0; i < kTerms; ++i) {
    sum = call(Op::kAdd, Type::kBigint, {sum, number(1)});
    any = call(Op::kOr, Type::kBoolean,
               {any, call(Op::kEqual, Type::kBoolean, {column(0, Type::kBigint), number(i)})});
  }
  Batch batch;
  batch.set_schema({{"n", Type::kBigint}});
  batch.columns[0].integers = {0, 7, -5};
  batch.rows = 3;
  EXPECT_EQ(kit::run_expression(sum, batch, {}), "{\"v\":20000}\n{\"v\":20007}\n{\"v\":19995}\n");
  EXPECT_EQ(kit::run_expression(any, batch, {}), "{\"v\":true}\n{\"v\":true}\n{\"v\":false}\n");
  EXPECT_GT(to_string(*sum, {"n"}).size(), size_t{kTerms});
}

TEST(Expr, ReusedOnBatchesOfOtherSizes) {
  Evaluator e(call(
      Op::kAdd, Type::kBigint,
      {call(Op::kMultiply, Type::kBigint, {column(0, Type::kBigint), number(2)}), column(0, Type::kBigint)}));
  for (const size_t rows : {5, 2, 9, 1}) {
    Batch batch;
    batch.set_schema({{"n", Type::kBigint}});
    for (size_t i = 0; i < rows; ++i) {
      if (i == 1)
        batch.columns[0].append_null();
      else
        batch.columns[0].append(Scalar(static_cast<int64_t>(i)));
    }
    batch.rows = rows;
    std::vector<RowError> errors;
    Selection selection = kit::all_rows(batch);
    const Column& c = e.evaluate(batch, selection, errors);
    for (size_t i = 0; i < rows; ++i) {
      EXPECT_EQ(c.is_null(i), i == 1);
      if (i != 1) {
        EXPECT_EQ(c.integers[i], static_cast<int64_t>(3 * i));
      }
    }
  }
}

// An evaluator is used for batch after batch: a NULL must not refer to the text of one that is gone.
TEST(Expr, NullTextsForgetTheBatchBefore) {
  const auto a = column(0, Type::kText);
  const auto shouted = call(Op::kConcat, Type::kText, {a, text("!")});
  const auto bare_null = literal({});
  const std::vector<ExprPtr> texts = {
      call(Op::kNullIf, Type::kText, {shouted, text("x!")}),
      call(Op::kNullIf, Type::kText, {a, text("x")}),
      call(Op::kCase, Type::kText, {call(Op::kEqual, Type::kBoolean, {a, text("x")}), bare_null, shouted}),
      call(Op::kCoalesce, Type::kText, {bare_null, call(Op::kNullIf, Type::kText, {shouted, text("x!")})}),
      call(Op::kConcat, Type::kText, {shouted, bare_null}),
  };
  for (const ExprPtr& made : texts) {
    Evaluator less(call(Op::kLess, Type::kBoolean, {made, text(std::string(64, '~'))}));
    for (const std::string& value : {std::string(64, 'y'), std::string("x")}) {
      auto batch = std::make_unique<Batch>();
      batch->set_schema({{"a", Type::kText}});
      batch->columns[0].texts.assign(50, batch->arena->keep(value));
      batch->rows = 50;
      Selection all = kit::all_rows(*batch);
      std::vector<RowError> errors;
      const Column& result = less.evaluate(*batch, all, errors);
      ASSERT_TRUE(errors.empty());
      if (value == "x") {
        for (size_t i = 0; i < 50; ++i) ASSERT_TRUE(result.is_null(i)) << to_string(*made, {"a"});
      }
    }
  }
}

TEST(Expr, WindowsLieInTheRangeOfTimestamps) {
  const auto window = [](Op op, const char* time) {
    auto e = std::make_shared<Expr>();
    e->op = op;
    e->type = Type::kTimestamptz;
    e->args = {timestamp(time)};
    e->window_us = int64_t{7} * 86'400'000'000;
    e->window_offset_us = 86'400'000'000;
    return value(e);
  };
  EXPECT_EQ(window(Op::kTumbleStart, "0001-01-01T00:00:00Z"), "MR-SQL-0104");
  EXPECT_EQ(window(Op::kTumbleEnd, "9999-12-31T23:00:00Z"), "MR-SQL-0104");
  EXPECT_EQ(window(Op::kTumbleStart, "9999-12-31T23:00:00Z"), "MR-SQL-0104");
  EXPECT_EQ(window(Op::kTumbleStart, "9999-12-30T23:00:00Z"), "9999-12-24T00:00:00Z");
  EXPECT_EQ(window(Op::kTumbleEnd, "9999-12-30T23:00:00Z"), "9999-12-31T00:00:00Z");
}

TEST(Expr, PrintsAsSql) {
  const std::vector<std::string> names = {"mag", "time", "place"};
  const auto mag = column(0, Type::kDouble);
  const auto strong = call(Op::kGreaterEqual, Type::kBoolean, {mag, real(4.5)});
  EXPECT_EQ(to_string(*strong, names), "mag >= 4.5");
  EXPECT_EQ(to_string(*call(Op::kAnd, Type::kBoolean,
                            {strong, call(Op::kIsNotNull, Type::kBoolean, {column(2, Type::kText)})}),
                      names),
            "(mag >= 4.5) AND (place IS NOT NULL)");
  EXPECT_EQ(to_string(*call(Op::kCase, Type::kText, {strong, text("it's"), null_of(Type::kText)}), names),
            "CASE WHEN mag >= 4.5 THEN 'it''s' ELSE NULL END");
  EXPECT_EQ(to_string(*cast(mag, Type::kBigint), names), "CAST(mag AS bigint)");
  EXPECT_EQ(to_string(*interval("1 hour"), names), "INTERVAL '01:00:00'");
}

}  // namespace
}  // namespace millrace::engine
