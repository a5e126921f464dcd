// Random typed expressions against a row-at-a-time evaluator that shares no kernel code.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/random.h"
#include "engine/kit/kit.h"
#include "formats/json.h"

namespace millrace::engine {
namespace {

struct Failed {
  std::string id;
};
using Value = std::variant<Scalar, Failed>;

bool failed(const Value& v) {
  return std::holds_alternative<Failed>(v);
}
const Scalar& scalar(const Value& v) {
  return std::get<Scalar>(v);
}
bool is_null(const Value& v) {
  return scalar(v).index() == 0;
}
Value fail(const char* id) {
  return Failed{id};
}

template <typename T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}
int naive_order(const Scalar& a, const Scalar& b) {
  if (const auto* x = std::get_if<double>(&a)) {
    const double y = std::get<double>(b);
    if (std::isnan(*x) || std::isnan(y)) return int{std::isnan(*x)} - int{std::isnan(y)};
    return order(*x, y);
  }
  if (const auto* x = std::get_if<int64_t>(&a)) return order(*x, std::get<int64_t>(b));
  if (const auto* x = std::get_if<std::string>(&a)) return order(*x, std::get<std::string>(b));
  return order(std::get<bool>(a), std::get<bool>(b));
}

// One row of a batch.
class Naive {
 public:
  Naive(const Batch& batch, size_t row) : batch_(batch), row_(row) {}

  Value eval(const Expr& e) const {
    switch (e.op) {
      case Op::kColumn:
        return batch_.columns[static_cast<size_t>(e.column)].scalar(row_);
      case Op::kLiteral:
        return e.literal;
      case Op::kAnd:
      case Op::kOr:
        return logic(e);
      case Op::kCase:
        return choose(e);
      case Op::kCoalesce:
        return first(e);
      case Op::kInList:
        return in_list(e);
      default:
        break;
    }
    std::vector<Value> args;
    for (const auto& arg : e.args) {
      args.push_back(eval(*arg));
      if (failed(args.back())) return args.back();
    }
    return apply(e, args);
  }

 private:
  Value logic(const Expr& e) const {
    const bool deciding = e.op == Op::kOr;
    bool unknown = false;
    for (const auto& arg : e.args) {
      const Value v = eval(*arg);
      if (failed(v)) return v;
      if (is_null(v))
        unknown = true;
      else if (std::get<bool>(scalar(v)) == deciding)
        return Scalar(deciding);
    }
    return unknown ? Scalar() : Scalar(!deciding);
  }
  Value choose(const Expr& e) const {
    for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
      const Value when = eval(*e.args[i]);
      if (failed(when)) return when;
      if (!is_null(when) && std::get<bool>(scalar(when))) return eval(*e.args[i + 1]);
    }
    return eval(*e.args.back());
  }
  Value first(const Expr& e) const {
    for (const auto& arg : e.args) {
      Value v = eval(*arg);
      if (failed(v) || !is_null(v)) return v;
    }
    return Scalar();
  }
  Value in_list(const Expr& e) const {
    const Value x = eval(*e.args[0]);
    if (failed(x) || is_null(x)) return x.index() == 0 ? Value(Scalar()) : x;
    bool unknown = false;
    for (size_t i = 1; i < e.args.size(); ++i) {
      const Value v = eval(*e.args[i]);
      if (failed(v)) return v;
      if (is_null(v))
        unknown = true;
      else if (naive_order(scalar(x), scalar(v)) == 0)
        return Scalar(true);
    }
    return unknown ? Scalar() : Scalar(false);
  }
  static Value apply(const Expr& e, const std::vector<Value>& args) {
    const Scalar& a = scalar(args[0]);
    const bool a_null = a.index() == 0;
    const bool b_null = args.size() > 1 && is_null(args[1]);
    switch (e.op) {
      case Op::kIsNull:
        return Scalar(a_null);
      case Op::kIsNotNull:
        return Scalar(!a_null);
      case Op::kIsTrue:
        return Scalar(!a_null && std::get<bool>(a));
      case Op::kIsNotFalse:
        return Scalar(a_null || std::get<bool>(a));
      case Op::kIsDistinct:
        if (a_null || b_null) return Scalar(a_null != b_null);
        return Scalar(naive_order(a, scalar(args[1])) != 0);
      case Op::kNullIf:
        if (a_null || (!b_null && naive_order(a, scalar(args[1])) == 0)) return Scalar();
        return a;
      default:
        break;
    }
    if (a_null || b_null) return Scalar();
    if (e.op == Op::kNot) return Scalar(!std::get<bool>(a));
    if (e.op == Op::kCast) return cast(e.type, a);
    if (e.op == Op::kConcat) return Scalar(std::get<std::string>(a) + std::get<std::string>(scalar(args[1])));
    const Scalar& b = args.size() > 1 ? scalar(args[1]) : a;
    switch (e.op) {
      case Op::kEqual:
        return Scalar(naive_order(a, b) == 0);
      case Op::kNotEqual:
        return Scalar(naive_order(a, b) != 0);
      case Op::kLess:
        return Scalar(naive_order(a, b) < 0);
      case Op::kLessEqual:
        return Scalar(naive_order(a, b) <= 0);
      case Op::kGreater:
        return Scalar(naive_order(a, b) > 0);
      case Op::kGreaterEqual:
        return Scalar(naive_order(a, b) >= 0);
      default:
        break;
    }
    if (std::holds_alternative<int64_t>(a))
      return in_range(e.type, whole(e.op, std::get<int64_t>(a), std::get<int64_t>(b)));
    return rounded(e.type, real(e.op, std::get<double>(a), std::get<double>(b)));
  }
  static Value whole(Op op, __int128 a, __int128 b) {
    if ((op == Op::kDivide || op == Op::kModulo) && b == 0) return fail("MR-SQL-0101");
    const __int128 r = op == Op::kAdd        ? a + b
                       : op == Op::kSubtract ? a - b
                       : op == Op::kMultiply ? a * b
                       : op == Op::kDivide   ? a / b
                       : op == Op::kModulo   ? a % b
                                             : -a;
    if (r < INT64_MIN || r > INT64_MAX) return fail("MR-SQL-0102");
    return Scalar(static_cast<int64_t>(r));
  }
  static Value real(Op op, double a, double b) {
    if (op == Op::kNegate) return Scalar(-a);
    if (op == Op::kDivide && b == 0) return std::isnan(a) ? Value(Scalar(a)) : fail("MR-SQL-0101");
    const double r = op == Op::kAdd        ? a + b
                     : op == Op::kSubtract ? a - b
                     : op == Op::kMultiply ? a * b
                                           : a / b;
    if (std::isinf(r) && !std::isinf(a) && (op == Op::kDivide || !std::isinf(b))) return fail("MR-SQL-0103");
    if (r == 0 && a != 0 && ((op == Op::kMultiply && b != 0) || (op == Op::kDivide && !std::isinf(b)))) {
      return fail("MR-SQL-0103");
    }
    return Scalar(r);
  }
  static Value in_range(Type type, Value v) {
    if (failed(v)) return v;
    const int64_t bound = type == Type::kSmallint  ? 32'767
                          : type == Type::kInteger ? 2'147'483'647
                                                   : INT64_MAX;
    const int64_t x = std::get<int64_t>(scalar(v));
    return x > bound || x < -bound - 1 ? fail("MR-SQL-0102") : v;
  }
  static Value rounded(Type type, Value v) {
    if (failed(v) || type != Type::kReal) return v;
    const double x = std::get<double>(scalar(v));
    const auto f = static_cast<float>(x);
    if ((std::isinf(f) && !std::isinf(x)) || (f == 0 && x != 0)) return fail("MR-SQL-0103");
    return Scalar(static_cast<double>(f));
  }
  static Value cast(Type to, const Scalar& a) {
    if (const auto* x = std::get_if<int64_t>(&a)) {
      if (to == Type::kReal) return Scalar(static_cast<double>(static_cast<float>(*x)));
      if (to == Type::kDouble) return Scalar(static_cast<double>(*x));
      return to == Type::kText ? Value(Scalar(std::to_string(*x))) : in_range(to, Scalar(*x));
    }
    const double x = std::get<double>(a);
    if (to == Type::kReal || to == Type::kDouble) return rounded(to, Scalar(x));
    if (!(x >= -9223372036854775808.0 && x < 9223372036854775808.0)) return fail("MR-SQL-0102");
    return in_range(to, Scalar(static_cast<int64_t>(std::nearbyint(x))));
  }
  const Batch& batch_;
  size_t row_;
};

const Type kTypes[] = {Type::kBoolean,  Type::kBigint,  Type::kDouble, Type::kText,
                       Type::kSmallint, Type::kInteger, Type::kReal};
constexpr size_t kTypeCount = std::size(kTypes);

Scalar random_value(Random& random, Type type) {
  if (random.chance(6)) return {};
  constexpr int64_t kInts[] = {0, 1, -1, 2, 3, 7, 100, INT64_MAX, INT64_MIN, 1 << 20};
  const double kDoubles[] = {0, -0.0, 1, -1.5, 2.5, 1e300, 1e-300, INFINITY, NAN, 3.5};
  const double kReals[] = {0, -0.0, 0.1, -1.5, 2.5, 3e38, 1e-44, INFINITY, NAN, 16777216};
  constexpr const char* kTexts[] = {"", "a", "b", "ab", "A", "é"};
  switch (type) {
    case Type::kBoolean:
      return random.chance(2);
    case Type::kBigint:
      return kInts[random.below(10)];
    case Type::kSmallint:
      return int64_t{random.chance(2) ? INT16_MIN : static_cast<int16_t>(random.below(40))};
    case Type::kInteger:
      return int64_t{random.chance(2) ? INT32_MAX : static_cast<int32_t>(random.below(90'000)) - 45'000};
    case Type::kReal:
      return static_cast<double>(static_cast<float>(kReals[random.below(10)]));
    case Type::kDouble:
      return kDoubles[random.below(10)];
    default:
      return std::string(kTexts[random.below(6)]);
  }
}

class ExprMaker {
 public:
  explicit ExprMaker(Random& random) : random_(random) {}
  ExprPtr make(Type type, int depth) {
    if (depth == 0 || random_.chance(8)) return leaf(type);
    if (random_.chance(5)) return choice(type, depth);
    switch (type) {
      case Type::kBoolean:
        return boolean(depth);
      case Type::kSmallint:
      case Type::kInteger:
      case Type::kBigint:
        if (random_.chance(8)) return kit::call(Op::kCast, type, {make(other_number(type), depth - 1)});
        if (random_.chance(8)) return kit::call(Op::kNegate, type, {make(type, depth - 1)});
        return pair(pick({Op::kAdd, Op::kSubtract, Op::kMultiply, Op::kDivide, Op::kModulo}), type, type,
                    depth);
      case Type::kReal:
      case Type::kDouble:
        if (random_.chance(8)) return kit::call(Op::kCast, type, {make(other_number(type), depth - 1)});
        return pair(pick({Op::kAdd, Op::kSubtract, Op::kMultiply, Op::kDivide}), type, type, depth);
      default:
        if (random_.chance(6)) return kit::call(Op::kCast, type, {make(Type::kBigint, depth - 1)});
        return pair(Op::kConcat, type, type, depth);
    }
  }

 private:
  Type other_number(Type type) {
    constexpr Type kNumbers[] = {Type::kSmallint, Type::kInteger, Type::kBigint, Type::kReal, Type::kDouble};
    const Type other = kNumbers[random_.below(std::size(kNumbers))];
    return other == type ? Type::kBigint : other;
  }
  ExprPtr leaf(Type type) {
    if (random_.chance(3)) {
      auto literal = std::make_shared<Expr>();
      literal->type = type;
      literal->literal = random_value(random_, type);
      return literal;
    }
    const auto place = std::find(std::begin(kTypes), std::end(kTypes), type) - std::begin(kTypes);
    return kit::column(static_cast<int>(place), type);
  }
  ExprPtr choice(Type type, int depth) {
    if (random_.chance(3))
      return kit::call(Op::kNullIf, type, {make(type, depth - 1), make(type, depth - 1)});
    if (random_.chance(2))
      return kit::call(Op::kCoalesce, type, {make(type, depth - 1), make(type, depth - 1)});
    return kit::call(Op::kCase, type,
                     {make(Type::kBoolean, depth - 1), make(type, depth - 1), make(Type::kBoolean, depth - 1),
                      make(type, depth - 1), make(type, depth - 1)});
  }
  ExprPtr boolean(int depth) {
    const Type of = kTypes[random_.below(kTypeCount)];
    switch (random_.below(6)) {
      case 0:
        return pair(pick({Op::kAnd, Op::kOr}), Type::kBoolean, Type::kBoolean, depth);
      case 1:
        return kit::call(pick({Op::kNot, Op::kIsTrue, Op::kIsNotFalse}), Type::kBoolean,
                         {make(Type::kBoolean, depth - 1)});
      case 2:
        return kit::call(pick({Op::kIsNull, Op::kIsNotNull}), Type::kBoolean, {make(of, depth - 1)});
      case 3:
        return kit::call(Op::kInList, Type::kBoolean,
                         {make(of, depth - 1), leaf(of), leaf(of), make(of, depth - 1)});
      default:
        return pair(pick({Op::kEqual, Op::kNotEqual, Op::kLess, Op::kLessEqual, Op::kGreater,
                          Op::kGreaterEqual, Op::kIsDistinct}),
                    Type::kBoolean, of, depth);
    }
  }
  ExprPtr pair(Op op, Type type, Type of, int depth) {
    return kit::call(op, type, {make(of, depth - 1), make(of, depth - 1)});
  }
  Op pick(std::initializer_list<Op> of) { return *(of.begin() + random_.below(of.size())); }
  Random& random_;
};

std::string printed(const Value& v, Type type) {
  if (failed(v)) return std::get<Failed>(v).id;
  Column c;
  c.type = type;
  c.append(scalar(v));
  std::string out;
  formats::JsonRowWriter({"v"}).append(out, {&c}, 0);
  return out;
}

TEST(ExprDifferential, AgreesWithRowAtATime) {
  Random random(42);
  ExprMaker maker(random);
  for (int round = 0; round < 4'000; ++round) {
    std::vector<std::vector<Scalar>> values(kTypeCount);
    Batch batch;
    Schema schema;
    for (const Type of : kTypes) schema.push_back({std::string(to_string(of)), of});
    batch.set_schema(schema);
    batch.rows = 1 + random.below(20);
    for (size_t c = 0; c < kTypeCount; ++c) {
      values[c].reserve(batch.rows);
      for (size_t r = 0; r < batch.rows; ++r) {
        values[c].push_back(random_value(random, kTypes[c]));
        batch.columns[c].append(values[c].back());
      }
    }
    const Type type = kTypes[random.below(kTypeCount)];
    const ExprPtr expr = maker.make(type, 1 + static_cast<int>(random.below(5)));
    std::string expected;
    for (size_t r = 0; r < batch.rows; ++r) expected += printed(Naive(batch, r).eval(*expr), type) + "\n";
    for (const size_t size : {1, 7, 1024}) {
      ASSERT_EQ(kit::run_expression(expr, batch, {size}), expected) << to_string(*expr, {});
    }
  }
}

}  // namespace
}  // namespace millrace::engine
