#include "tests/sim/naive_expr.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <set>

#include "tests/sim/naive_list.h"
#include "tests/sim/naive_numeric.h"

namespace millrace::sim {
namespace {

using sql::ast::Expr;
using sql::ast::ExprKind;
using sql::ast::ExprPtr;

constexpr int64_t kDayUs = 86'400'000'000;

Error failed(std::string what) {
  return error(Code::kInvalid, "MR-NAIVE-0001", std::move(what));
}

double as_double(const Scalar& value) {
  if (const auto* i = std::get_if<int64_t>(&value)) return static_cast<double>(*i);
  if (is_numeric(value)) return std::strtod(numeric_text(numeric_of(value)).c_str(), nullptr);
  return std::get<double>(value);
}

bool is_number(const Scalar& v) {
  return std::holds_alternative<int64_t>(v) || std::holds_alternative<double>(v) || is_numeric(v);
}

int sign(auto a, auto b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// NaN is equal to itself and above everything, as in PostgreSQL.
int compare_doubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return sign(std::isnan(a) ? 1 : 0, std::isnan(b) ? 1 : 0);
  return sign(a, b);
}

__int128 interval_span(const Interval& v) {
  return static_cast<__int128>(v.months) * 30 * kDayUs + static_cast<__int128>(v.days) * kDayUs + v.micros;
}

Type type_of(const Scalar& value) {
  if (is_numeric(value)) return Type::kNumeric;
  constexpr Type kTypes[] = {Type::kNull, Type::kBoolean,     Type::kBigint,  Type::kDouble,
                             Type::kText, Type::kTimestamptz, Type::kInterval};
  return kTypes[value.index()];
}

// A bare string beside a value of another type is read as that type.
Status align(const Expr& left, Scalar& a, const Expr& right, Scalar& b) {
  if (is_null(a) || is_null(b)) return {};
  if (left.kind == ExprKind::kString && type_of(b) != Type::kText) {
    TRY_ASSIGN(a, naive_cast(a, type_of(b)));
  }
  if (right.kind == ExprKind::kString && type_of(a) != Type::kText) {
    TRY_ASSIGN(b, naive_cast(b, type_of(a)));
  }
  return {};
}

Result<Scalar> integers(const std::string& op, int64_t a, int64_t b) {
  int64_t out = 0;
  if (op == "+" && !__builtin_add_overflow(a, b, &out)) return Scalar(out);
  if (op == "-" && !__builtin_sub_overflow(a, b, &out)) return Scalar(out);
  if (op == "*" && !__builtin_mul_overflow(a, b, &out)) return Scalar(out);
  if (op == "+" || op == "-" || op == "*") return failed("bigint out of range");
  if (b == 0) return failed("division by zero");
  if (b == -1) {
    if (op == "%") return Scalar(int64_t{0});
    if (a == std::numeric_limits<int64_t>::min()) return failed("bigint out of range");
  }
  if (op == "/") return Scalar(a / b);
  if (op == "%") return Scalar(a % b);
  return failed("no such operator: bigint " + op + " bigint");
}

Result<Scalar> doubles(const std::string& op, double a, double b) {
  double out = 0;
  if (op == "+") out = a + b;
  if (op == "-") out = a - b;
  if (op == "*") out = a * b;
  if (op == "/" && b == 0) return failed("division by zero");
  if (op == "/") out = a / b;
  if (std::isinf(out) && !std::isinf(a) && !std::isinf(b)) return failed("value out of range: overflow");
  return Scalar(out);
}

Result<Scalar> numerics(const std::string& op, NaiveNumeric a, NaiveNumeric b) {
  if (op == "+") return numeric_scalar(a + b);
  if (op == "-") return numeric_scalar(a - b);
  if (op == "*") return numeric_scalar(a * b);
  if (op == "/" && b.units == 0) return failed("division by zero");
  if (op == "/") return numeric_scalar(naive_quotient(a, b));
  return failed("no such operator: numeric " + op + " numeric");
}

Result<Scalar> temporal(const std::string& op, const Scalar& a, const Scalar& b) {
  const auto* at = std::get_if<Timestamp>(&a);
  const auto* bt = std::get_if<Timestamp>(&b);
  const auto* ai = std::get_if<Interval>(&a);
  const auto* bi = std::get_if<Interval>(&b);
  if (op == "-" && at && bt) {
    const int64_t span = at->micros - bt->micros;
    return Scalar(Interval{0, static_cast<int32_t>(span / kDayUs), span % kDayUs});
  }
  const auto shift = [](const Interval& v) { return static_cast<int64_t>(interval_span(v)); };
  if (op == "+" && at && bi) return Scalar(Timestamp{at->micros + shift(*bi)});
  if (op == "-" && at && bi) return Scalar(Timestamp{at->micros - shift(*bi)});
  if (op == "+" && ai && bt) return Scalar(Timestamp{bt->micros + shift(*ai)});
  if (ai && bi) {
    const int s = op == "-" ? -1 : 1;
    return Scalar(
        Interval{ai->months + s * bi->months, ai->days + s * bi->days, ai->micros + s * bi->micros});
  }
  return failed("no such operator: " + op);
}

std::string text_of(const Scalar& value) {
  if (is_numeric(value)) return numeric_text(numeric_of(value));
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  if (const auto* i = std::get_if<int64_t>(&value)) return std::to_string(*i);
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* d = std::get_if<double>(&value)) return fmt::format("{}", *d);
  return "?";
}

bool is_comparison(const std::string& op) {
  return op == "=" || op == "<>" || op == "!=" || op == "<" || op == "<=" || op == ">" || op == ">=";
}

bool compare_as(const std::string& op, int c) {
  if (op == "=") return c == 0;
  if (op == "<>" || op == "!=") return c != 0;
  if (op == "<") return c < 0;
  if (op == "<=") return c <= 0;
  return op == ">" ? c > 0 : c >= 0;
}

Result<Scalar> binary(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(Scalar a, naive_evaluate(*e.args[0], context));
  TRY_ASSIGN(Scalar b, naive_evaluate(*e.args[1], context));
  TRY(align(*e.args[0], a, *e.args[1], b));
  if (is_null(a) || is_null(b)) return Scalar();
  if (is_comparison(e.text)) return Scalar(compare_as(e.text, naive_compare(a, b)));
  if (e.text == "||") return Scalar(text_of(a) + text_of(b));
  if (std::holds_alternative<int64_t>(a) && std::holds_alternative<int64_t>(b)) {
    return integers(e.text, std::get<int64_t>(a), std::get<int64_t>(b));
  }
  const bool is_double = std::holds_alternative<double>(a) || std::holds_alternative<double>(b);
  if (is_number(a) && is_number(b) && is_double) return doubles(e.text, as_double(a), as_double(b));
  if (is_number(a) && is_number(b)) return numerics(e.text, numeric_of(a), numeric_of(b));
  return temporal(e.text, a, b);
}

// AND and OR: `decisive` is the value that decides alone.
Result<Scalar> logical(const Expr& e, const RowContext& context, bool decisive) {
  bool unknown = false;
  for (const ExprPtr& arg : e.args) {
    TRY_ASSIGN(const Scalar v, naive_evaluate(*arg, context));
    if (is_null(v)) {
      unknown = true;
    } else if (std::get<bool>(v) == decisive) {
      return Scalar(decisive);
    }
  }
  return unknown ? Scalar() : Scalar(!decisive);
}

Result<Scalar> is_test(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar v, naive_evaluate(*e.args[0], context));
  bool holds = false;
  if (e.text == "null" || e.text == "unknown") holds = is_null(v);
  if (e.text == "true") holds = !is_null(v) && std::get<bool>(v);
  if (e.text == "false") holds = !is_null(v) && !std::get<bool>(v);
  return Scalar(holds != e.negated);
}

// Equal, not equal, or unknown.
Result<std::optional<bool>> equal(const Expr& left, const Expr& right, const RowContext& context) {
  TRY_ASSIGN(Scalar a, naive_evaluate(left, context));
  TRY_ASSIGN(Scalar b, naive_evaluate(right, context));
  TRY(align(left, a, right, b));
  if (is_null(a) || is_null(b)) return std::optional<bool>();
  return std::optional<bool>(naive_compare(a, b) == 0);
}

Result<Scalar> is_distinct(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar a, naive_evaluate(*e.args[0], context));
  TRY_ASSIGN(const Scalar b, naive_evaluate(*e.args[1], context));
  bool same = is_null(a) && is_null(b);
  if (!is_null(a) && !is_null(b)) {
    TRY_ASSIGN(const auto equals, equal(*e.args[0], *e.args[1], context));
    same = equals.value_or(false);
  }
  return Scalar(same == e.negated);
}

Result<Scalar> in_list(const Expr& e, const RowContext& context) {
  bool unknown = false;
  for (size_t i = 1; i < e.args.size(); ++i) {
    TRY_ASSIGN(const auto equals, equal(*e.args[0], *e.args[i], context));
    if (equals.has_value() && *equals) return Scalar(!e.negated);
    if (!equals.has_value()) unknown = true;
  }
  return unknown ? Scalar() : Scalar(e.negated);
}

Result<Scalar> between(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(Scalar v, naive_evaluate(*e.args[0], context));
  TRY_ASSIGN(Scalar low, naive_evaluate(*e.args[1], context));
  TRY_ASSIGN(Scalar high, naive_evaluate(*e.args[2], context));
  TRY(align(*e.args[0], v, *e.args[1], low));
  TRY(align(*e.args[0], v, *e.args[2], high));
  std::optional<bool> above, below;
  if (!is_null(v) && !is_null(low)) above = naive_compare(v, low) >= 0;
  if (!is_null(v) && !is_null(high)) below = naive_compare(v, high) <= 0;
  if ((above && !*above) || (below && !*below)) return Scalar(e.negated);
  if (!above || !below) return Scalar();
  return Scalar(!e.negated);
}

bool like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (size_t i = 0; i <= text.size(); ++i) {
      if (like(text.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  const bool escaped = pattern[0] == '\\' && pattern.size() > 1;
  const char want = escaped ? pattern[1] : pattern[0];
  if (!escaped && want == '_') {
    size_t n = 1;
    while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) ++n;
    return like(text.substr(n), pattern.substr(1));
  }
  return text[0] == want && like(text.substr(1), pattern.substr(escaped ? 2 : 1));
}

Result<Scalar> like_test(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar a, naive_evaluate(*e.args[0], context));
  TRY_ASSIGN(const Scalar b, naive_evaluate(*e.args[1], context));
  if (is_null(a) || is_null(b)) return Scalar();
  return Scalar(like(std::get<std::string>(a), std::get<std::string>(b)) != e.negated);
}

Result<Scalar> case_of(const Expr& e, const RowContext& context) {
  const size_t first = e.has_operand ? 1 : 0;
  const size_t pairs = (e.args.size() - first - (e.has_else ? 1 : 0)) / 2;
  for (size_t i = 0; i < pairs; ++i) {
    const Expr& when = *e.args[first + 2 * i];
    bool taken = false;
    if (e.has_operand) {
      TRY_ASSIGN(const auto equals, equal(*e.args[0], when, context));
      taken = equals.value_or(false);
    } else {
      TRY_ASSIGN(taken, naive_holds(when, context));
    }
    if (taken) return naive_evaluate(*e.args[first + 2 * i + 1], context);
  }
  return e.has_else ? naive_evaluate(*e.args.back(), context) : Result<Scalar>(Scalar());
}

// A CASE with double and bigint branches is double, whichever branch a row takes; so is coalesce.
Result<Scalar> widened(const Expr& e, const RowContext& context, Result<Scalar> value) {
  if (!value.ok() || !is_number(*value) || context.columns == nullptr) return value;
  return naive_cast(*value, naive_type(e, context.reads ? context.reads->columns : *context.columns));
}

bool is_not_grouped(const Expr& e, const RowContext& context) {
  return context.not_grouped != nullptr && context.reads == context.grouped_over &&
         context.not_grouped->contains(naive_text(e));
}

Scalar grouping(const Expr& e, const RowContext& context) {
  int64_t bits = 0;
  for (const ExprPtr& key : e.args) bits = bits * 2 + (is_not_grouped(*key, context) ? 1 : 0);
  return Scalar(bits);
}

Result<Scalar> call(const Expr& e, const RowContext& context) {
  if (context.aggregates != nullptr) {
    const auto found = context.aggregates->find(&e);
    if (found != context.aggregates->end()) return found->second;
  }
  if (e.text == "coalesce") {
    for (const ExprPtr& arg : e.args) {
      TRY_ASSIGN(Scalar v, naive_evaluate(*arg, context));
      if (!is_null(v)) return widened(e, context, v);
    }
    return Scalar();
  }
  if (e.text == "nullif") {
    TRY_ASSIGN(const auto equals, equal(*e.args[0], *e.args[1], context));
    if (equals.value_or(false)) return Scalar();
    return naive_evaluate(*e.args[0], context);
  }
  if (e.text == "grouping") return grouping(e, context);
  if (e.text == "cardinality") {
    TRY_ASSIGN(const Scalar list, naive_evaluate(*e.args[0], context));
    return is_null(list) ? Scalar() : Scalar(static_cast<int64_t>(list_of(list).size()));
  }
  return failed("no such function: " + e.text);
}

// a[i]
Result<Scalar> element(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar list, naive_evaluate(*e.args[0], context));
  TRY_ASSIGN(const Scalar at, naive_evaluate(*e.args[1], context));
  if (is_null(list) || is_null(at)) return Scalar();
  const auto elements = list_of(list);
  const int64_t i = std::get<int64_t>(at);
  if (i < 1 || i > std::ssize(elements)) return Scalar();
  return scalar_of(elements[static_cast<size_t>(i - 1)]);
}

// x = ANY (a)
Result<Scalar> any_equal(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar value, naive_evaluate(*e.args[0], context));
  TRY_ASSIGN(const Scalar list, naive_evaluate(*e.args[1], context));
  if (is_null(list)) return Scalar();
  bool unknown = false;
  for (const auto& one : list_of(list)) {
    const Scalar candidate = scalar_of(one);
    if (is_null(candidate) || is_null(value)) {
      unknown = true;
    } else if (naive_compare(value, candidate) == 0) {
      return Scalar(true);
    }
  }
  return unknown ? Scalar() : Scalar(false);
}

Result<Scalar> window_time(const Expr& e, const RowContext& context) {
  const bool start = e.text == "window_start";
  if (!start && e.text != "window_end") return failed("no such column: " + e.text);
  if (!context.window_start) return Scalar();
  const int64_t end = *context.window_start + (start ? 0 : context.window_size);
  return context.window_of_rows ? Scalar(end) : Scalar(Timestamp{end});
}

Result<Scalar> column(const Expr& e, const RowContext& context) {
  if (context.reads != nullptr && !context.reads->values.empty()) {
    for (size_t i = 0; i < context.reads->columns.size(); ++i) {
      if (context.reads->columns[i].name != e.text) continue;
      RowContext below = context;
      below.reads = context.reads->below;
      return naive_evaluate(*context.reads->values[i], below);
    }
    return window_time(e, context);
  }
  if (context.columns != nullptr && context.row != nullptr) {
    for (size_t i = 0; i < context.columns->size(); ++i) {
      if ((*context.columns)[i].name == e.text) return (*context.row)[i];
    }
  }
  return window_time(e, context);
}

Result<Scalar> number(const std::string& text) {
  int64_t i = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, i);
  if (read.ec == std::errc() && read.ptr == end) return Scalar(i);
  const auto exact = read_numeric(text);
  return exact ? Result<Scalar>(numeric_scalar(*exact)) : failed("not a number: " + text);
}

Result<Scalar> unary(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar v, naive_evaluate(*e.args[0], context));
  if (is_null(v) || e.text == "+") return v;
  if (const auto* d = std::get_if<double>(&v)) return Scalar(-*d);
  if (const auto* i = std::get_if<Interval>(&v)) return Scalar(Interval{-i->months, -i->days, -i->micros});
  if (is_numeric(v)) return numeric_scalar(NaiveNumeric() - numeric_of(v));
  return integers("-", 0, std::get<int64_t>(v));
}

Result<Scalar> negation(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar v, naive_evaluate(*e.args[0], context));
  return is_null(v) ? Scalar() : Scalar(!std::get<bool>(v));
}

Result<Scalar> cast_from_text(const std::string& text, Type to) {
  const size_t first = text.find_first_not_of(" \t\n");
  const size_t last = text.find_last_not_of(" \t\n");
  const std::string bare = first == std::string::npos ? "" : text.substr(first, last - first + 1);
  if (to == Type::kBigint) {
    int64_t i = 0;
    const char* begin = bare.data() + (bare.starts_with('+') ? 1 : 0);
    const char* end = bare.data() + bare.size();
    const auto read = std::from_chars(begin, end, i);
    if (read.ec == std::errc() && read.ptr == end && begin != end) return Scalar(i);
  }
  if (to == Type::kDouble && !bare.empty()) {
    char* end = nullptr;
    const double d = std::strtod(bare.c_str(), &end);
    if (*end == '\0' && !std::isinf(d)) return Scalar(d);
  }
  if (to == Type::kNumeric) {
    if (const auto exact = read_numeric(bare)) return numeric_scalar(*exact);
  }
  if (to == Type::kBoolean) {
    for (const char* yes : {"t", "true", "yes", "on", "1"}) {
      if (bare == yes) return Scalar(true);
    }
    for (const char* no : {"f", "false", "no", "off", "0"}) {
      if (bare == no) return Scalar(false);
    }
  }
  if (to == Type::kTimestamptz) {
    if (const auto us = naive_timestamp_us(bare)) return Scalar(Timestamp{*us});
  }
  return failed("invalid input: " + text);
}

}  // namespace

bool is_null(const Scalar& value) {
  return std::holds_alternative<std::monostate>(value);
}

bool is_aggregate(const Expr& e) {
  static const std::set<std::string> kNames{
      "count",      "sum",        "avg",         "min",
      "max",        "any_value",  "first_value", "last_value",
      "bit_and",    "bit_or",     "bit_xor",     "bool_and",
      "bool_or",    "string_agg", "jsonb_agg",   "jsonb_object_agg",
      "array_agg",  "variance",   "var_pop",     "stddev_samp",
      "stddev_pop", "stddev",     "var_samp",    "approx_count_distinct"};
  return e.kind == ExprKind::kCall && kNames.contains(e.text);
}

bool is_proctime(const Expr& e) {
  return e.kind == ExprKind::kCall && e.text == "proctime";
}

int naive_compare(const Scalar& a, const Scalar& b) {
  if (is_number(a) && is_number(b)) {
    if (std::holds_alternative<double>(a) || std::holds_alternative<double>(b)) {
      return compare_doubles(as_double(a), as_double(b));
    }
    return sign(numeric_of(a), numeric_of(b));
  }
  if (a.index() != b.index()) return sign(a.index(), b.index());
  if (const auto* s = std::get_if<std::string>(&a)) return sign(s->compare(std::get<std::string>(b)), 0);
  if (const auto* t = std::get_if<Timestamp>(&a)) return sign(t->micros, std::get<Timestamp>(b).micros);
  if (const auto* x = std::get_if<bool>(&a)) return sign(int{*x}, int{std::get<bool>(b)});
  if (const auto* i = std::get_if<Interval>(&a))
    return sign(interval_span(*i), interval_span(std::get<Interval>(b)));
  return 0;
}

Result<Scalar> naive_cast(const Scalar& value, Type to) {
  if (is_null(value) || type_of(value) == to) return value;
  if (to == Type::kText) return Scalar(text_of(value));
  if (to == Type::kDouble && is_number(value)) return Scalar(as_double(value));
  if (to == Type::kNumeric && std::holds_alternative<int64_t>(value))
    return numeric_scalar(numeric_of(value));
  if (to == Type::kBigint && is_numeric(value))
    return Scalar(static_cast<int64_t>(naive_whole(numeric_of(value))));
  if (const auto* s = std::get_if<std::string>(&value)) return cast_from_text(*s, to);
  if (to == Type::kBigint) {
    if (const auto* b = std::get_if<bool>(&value)) return Scalar(int64_t{*b ? 1 : 0});
    if (const auto* d = std::get_if<double>(&value)) {
      const double rounded = std::nearbyint(*d);
      if (!(rounded >= -0x1p63 && rounded < 0x1p63)) return failed("bigint out of range");
      return Scalar(static_cast<int64_t>(rounded));
    }
  }
  if (to == Type::kBoolean && std::holds_alternative<int64_t>(value))
    return Scalar(std::get<int64_t>(value) != 0);
  return failed("no such cast");
}

std::string naive_text(const Expr& e) {
  std::string out = fmt::format("{}:{}(", static_cast<int>(e.kind), e.text);
  for (const ExprPtr& arg : e.args) out += naive_text(*arg) + ",";
  return out + ")";
}

Result<Scalar> naive_evaluate(const Expr& e, const RowContext& context) {
  if (is_not_grouped(e, context)) return Scalar();
  switch (e.kind) {
    case ExprKind::kNumber:
      return number(e.text);
    case ExprKind::kString:
      return Scalar(e.text);
    case ExprKind::kBoolean:
      return Scalar(e.text == "true");
    case ExprKind::kNull:
      return Scalar();
    case ExprKind::kTypedString: {
      if (e.type.type != Type::kInterval) return naive_cast(Scalar(e.text), e.type.type);
      TRY_ASSIGN(const int64_t us, naive_interval_us(e));
      return Scalar(Interval{0, 0, us});
    }
    case ExprKind::kColumn:
      return column(e, context);
    case ExprKind::kUnary:
      return unary(e, context);
    case ExprKind::kBinary:
      return binary(e, context);
    case ExprKind::kAnd:
      return logical(e, context, false);
    case ExprKind::kOr:
      return logical(e, context, true);
    case ExprKind::kNot:
      return negation(e, context);
    case ExprKind::kIs:
      return is_test(e, context);
    case ExprKind::kIsDistinct:
      return is_distinct(e, context);
    case ExprKind::kBetween:
      return between(e, context);
    case ExprKind::kIn:
      return in_list(e, context);
    case ExprKind::kLike:
      return like_test(e, context);
    case ExprKind::kCase:
      return widened(e, context, case_of(e, context));
    case ExprKind::kCast: {
      TRY_ASSIGN(const Scalar v, naive_evaluate(*e.args[0], context));
      return naive_cast(v, e.type.type);
    }
    case ExprKind::kCall:
      if (is_proctime(e)) return Scalar(Timestamp{context.append_time.value});
      return call(e, context);
    case ExprKind::kSubscript:
      return element(e, context);
    case ExprKind::kQuantified:
      return any_equal(e, context);
    case ExprKind::kArray:
    case ExprKind::kSlice:
    case ExprKind::kRow:
    case ExprKind::kField:
    case ExprKind::kStar:
      break;
  }
  return failed("not an expression");
}

Result<bool> naive_holds(const Expr& e, const RowContext& context) {
  TRY_ASSIGN(const Scalar v, naive_evaluate(e, context));
  return !is_null(v) && std::get<bool>(v);
}

namespace {

Type wider(Type a, Type b) {
  if (a == Type::kNull || a == Type::kBigint) return b == Type::kNull ? a : b;
  return b == Type::kDouble ? b : a;
}

Type binary_type(const Expr& e, const Schema& columns) {
  if (is_comparison(e.text)) return Type::kBoolean;
  if (e.text == "||") return Type::kText;
  const Type a = naive_type(*e.args[0], columns);
  const Type b = naive_type(*e.args[1], columns);
  if (a == Type::kTimestamptz && b == Type::kTimestamptz) return Type::kInterval;
  if (a == Type::kTimestamptz || b == Type::kTimestamptz) return Type::kTimestamptz;
  return wider(a, b);
}

Type branches_type(const Expr& e, const Schema& columns) {
  Type type = Type::kNull;
  if (e.kind == ExprKind::kCall) {
    for (const ExprPtr& arg : e.args) type = wider(type, naive_type(*arg, columns));
    return type;
  }
  for (size_t i = e.has_operand ? 2 : 1; i < e.args.size(); i += 2) {
    type = wider(type, naive_type(*e.args[i], columns));
  }
  return e.has_else ? wider(type, naive_type(*e.args.back(), columns)) : type;
}

Type call_type(const Expr& e, const Schema& columns) {
  if (e.text == "count" || e.text == "grouping" || e.text == "cardinality") return Type::kBigint;
  if (is_proctime(e)) return Type::kTimestamptz;
  if (e.text == "avg" || e.text.starts_with("var") || e.text.starts_with("stddev"))
    return naive_type(*e.args[0], columns) == Type::kDouble ? Type::kDouble : Type::kNumeric;
  if (e.text.starts_with("jsonb_")) return Type::kJsonb;
  if (e.text == "array_agg") return array_of(naive_type(*e.args[0], columns));
  if (e.text == "coalesce") return branches_type(e, columns);
  return e.args.empty() ? Type::kText : naive_type(*e.args[0], columns);
}

}  // namespace

Type naive_type(const Expr& e, const Schema& columns) {
  switch (e.kind) {
    case ExprKind::kNumber:
      return e.text.find_first_of(".eE") == std::string::npos ? Type::kBigint : Type::kNumeric;
    case ExprKind::kNull:
      return Type::kNull;
    case ExprKind::kString:
      return Type::kText;
    case ExprKind::kTypedString:
    case ExprKind::kCast:
      return e.type.type;
    case ExprKind::kColumn:
      for (const auto& c : columns) {
        if (c.name == e.text) return c.type;
      }
      return Type::kTimestamptz;  // window_start, window_end
    case ExprKind::kUnary:
      return naive_type(*e.args[0], columns);
    case ExprKind::kBinary:
      return binary_type(e, columns);
    case ExprKind::kCase:
      return branches_type(e, columns);
    case ExprKind::kCall:
      return call_type(e, columns);
    case ExprKind::kSubscript:
      return element_of(naive_type(*e.args[0], columns));
    default:
      return Type::kBoolean;
  }
}

Result<int64_t> naive_interval_us(const Expr& e) {
  int64_t total = 0;
  std::string_view rest = e.text;
  while (true) {
    const size_t from = rest.find_first_not_of(' ');
    if (from == std::string_view::npos) return total;
    rest.remove_prefix(from);
    int64_t n = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), n);
    if (read.ec != std::errc()) break;
    rest.remove_prefix(static_cast<size_t>(read.ptr - rest.data()));
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view unit = rest.substr(0, rest.find(' '));
    rest.remove_prefix(unit.size());
    int64_t factor = 0;
    if (unit.starts_with("milli")) {
      factor = 1'000;
    } else if (unit.starts_with("sec")) {
      factor = 1'000'000;
    } else if (unit.starts_with("min")) {
      factor = 60'000'000;
    } else if (unit.starts_with("hour")) {
      factor = 3'600'000'000;
    } else if (unit.starts_with("day")) {
      factor = kDayUs;
    }
    if (factor == 0) break;
    total += n * factor;
  }
  return failed("not an interval the oracle reads: " + e.text);
}

std::optional<int64_t> naive_timestamp_us(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, used = 0;
  double seconds = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3) return std::nullopt;
  std::string rest = text.substr(static_cast<size_t>(used));
  if (!rest.empty()) {
    const int fields = std::sscanf(rest.c_str() + 1, "%2d:%2d:%lf%n", &hour, &minute, &seconds, &used);
    if ((rest[0] != 'T' && rest[0] != ' ') || fields != 3) return std::nullopt;
    rest = rest.substr(static_cast<size_t>(used) + 1);
  }
  int zone_minutes = 0;
  if (!rest.empty() && rest != "Z") {
    int zone_hour = 0, zone_minute = 0;
    if ((rest[0] != '+' && rest[0] != '-') ||
        std::sscanf(rest.c_str() + 1, "%2d:%2d", &zone_hour, &zone_minute) < 1) {
      return std::nullopt;
    }
    zone_minutes = (rest[0] == '-' ? -1 : 1) * (zone_hour * 60 + zone_minute);
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 24 || minute > 59 || seconds >= 61) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * kDayUs + (int64_t{hour} * 60 + minute - zone_minutes) * 60'000'000 +
         std::llround(seconds * 1e6);
}

std::string naive_timestamp_text(int64_t us) {
  const int64_t days = us >= 0 ? us / kDayUs : -((-us + kDayUs - 1) / kDayUs);
  const int64_t rest = us - days * kDayUs;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()),
                  unsigned(date.day()), rest / 3'600'000'000, rest / 60'000'000 % 60, rest / 1'000'000 % 60);
  std::string fraction = fmt::format("{:06}", rest % 1'000'000);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return out + (fraction.empty() ? "" : "." + fraction) + "Z";
}

std::string to_line(const Row& row) {
  std::string out;
  for (const Scalar& value : row) {
    if (!out.empty()) out += " | ";
    if (is_null(value)) {
      out += "null";
    } else if (const auto* d = std::get_if<double>(&value)) {
      out += fmt::format("{:.17g}d", *d);
    } else if (is_numeric(value)) {
      out += text_of(value) + "n";
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      out += "'" + *s + "'";
    } else if (const auto* t = std::get_if<Timestamp>(&value)) {
      out += naive_timestamp_text(t->micros);
    } else if (const auto* i = std::get_if<Interval>(&value)) {
      out += fmt::format("{}mon{}d{}us", i->months, i->days, i->micros);
    } else {
      out += text_of(value);
    }
  }
  return out;
}

}  // namespace millrace::sim
