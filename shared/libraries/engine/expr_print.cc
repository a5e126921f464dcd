// to_string: an expression as SQL would write it, for EXPLAIN and messages.
#include "engine/row_kernel.h"
#include "event/row_type.h"
#include "event/text.h"
#include "formats/text_types.h"

namespace millrace::engine {
namespace {

using Names = std::vector<std::string>;

std::string_view infix(Op op) {
  switch (op) {
    case Op::kAdd:
    case Op::kTimestampPlusInterval:
    case Op::kIntervalPlus:
      return " + ";
    case Op::kSubtract:
    case Op::kTimestampMinusInterval:
    case Op::kTimestampMinusTimestamp:
    case Op::kIntervalMinus:
      return " - ";
    case Op::kMultiply:
    case Op::kIntervalTimes:
      return " * ";
    case Op::kDivide:
    case Op::kIntervalDivide:
      return " / ";
    case Op::kModulo:
      return " % ";
    case Op::kConcat:
      return " || ";
    case Op::kEqual:
      return " = ";
    case Op::kNotEqual:
      return " <> ";
    case Op::kLess:
      return " < ";
    case Op::kLessEqual:
      return " <= ";
    case Op::kGreater:
      return " > ";
    case Op::kGreaterEqual:
      return " >= ";
    case Op::kIsDistinct:
      return " IS DISTINCT FROM ";
    case Op::kIsNotDistinct:
      return " IS NOT DISTINCT FROM ";
    case Op::kAnd:
      return " AND ";
    case Op::kOr:
      return " OR ";
    case Op::kLike:
      return " LIKE ";
    default:
      return {};
  }
}

std::string_view prefix(Op op) {
  switch (op) {
    case Op::kNegate:
    case Op::kIntervalNegate:
      return "-";
    case Op::kNot:
      return "NOT ";
    default:
      return {};
  }
}

std::string_view postfix(Op op) {
  switch (op) {
    case Op::kIsNull:
      return " IS NULL";
    case Op::kIsNotNull:
      return " IS NOT NULL";
    case Op::kIsTrue:
      return " IS TRUE";
    case Op::kIsNotTrue:
      return " IS NOT TRUE";
    case Op::kIsFalse:
      return " IS FALSE";
    case Op::kIsNotFalse:
      return " IS NOT FALSE";
    default:
      return {};
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  out += '\'';
}

// DATE '2001-01-01': the value behind its type's word.
void append_typed(std::string& out, std::string_view word, std::string_view text) {
  append_quoted(out.append(word).append(" "), text);
}

std::string_view literal_word(Type type) {
  switch (type) {
    case Type::kDate:
      return "DATE";
    case Type::kTime:
      return "TIME";
    case Type::kTimestamp:
      return "TIMESTAMP";
    case Type::kTimestamptz:
      return "TIMESTAMPTZ";
    case Type::kBytea:
      return "BYTEA";
    case Type::kUuid:
      return "UUID";
    case Type::kJsonb:
      return "JSONB";
    default:
      return {};
  }
}

void append_integer_literal(std::string& out, Type type, int64_t value) {
  std::string text;
  append_integer_text(text, type, value);
  literal_word(type).empty() ? void(out += text) : append_typed(out, literal_word(type), text);
}

void append_literal(std::string& out, Type type, const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) out += "NULL";
  if (const auto* v = std::get_if<bool>(&value)) out += *v ? "TRUE" : "FALSE";
  if (const auto* v = std::get_if<double>(&value)) append_double_text(out, type, *v);
  if (const auto* v = std::get_if<std::string>(&value)) {
    std::string text;
    formats::append_text(text, type, *v);
    if (is_array(type) || is_row(type))
      return append_quoted(out, text), void(out.append("::").append(to_string(type)));
    if (type == Type::kNumeric)
      out += text;
    else
      type == Type::kText ? append_quoted(out, text) : append_typed(out, literal_word(type), text);
  }
  if (const auto* v = std::get_if<int64_t>(&value)) append_integer_literal(out, type, *v);
  if (const auto* v = std::get_if<Timestamp>(&value)) append_integer_literal(out, type, v->micros);
  if (const auto* v = std::get_if<Interval>(&value)) {
    std::string text;
    append_interval(text, *v);
    append_typed(out, "INTERVAL", text);
  }
}

// The left spine is printed in a loop, so that a long chain does not take a deep stack.
class Printer {
 public:
  Printer(std::string& out, const Names& names) : out_(out), names_(names) {}

  void print(const Expr& expr, bool outermost) {
    std::vector<const Expr*> spine;
    const Expr* at = &expr;
    for (; on_spine(at->op); at = at->args[0].get()) {
      open(*at, outermost && at == &expr);
      spine.push_back(at);
    }
    leaf(*at);
    for (; !spine.empty(); spine.pop_back()) close(*spine.back(), outermost && spine.back() == &expr);
  }

 private:
  static bool on_spine(Op op) {
    return op == Op::kCast || !infix(op).empty() || !prefix(op).empty() || !postfix(op).empty();
  }
  void open(const Expr& expr, bool bare) {
    if (expr.op == Op::kCast) {
      out_ += expr.tries ? "TRY_CAST(" : "CAST(";
      return;
    }
    if (!bare) out_ += '(';
    out_ += prefix(expr.op);
  }
  void close(const Expr& expr, bool bare) {
    if (expr.op == Op::kCast) {
      out_.append(" AS ").append(to_string(expr.type)).append(")");
      return;
    }
    for (size_t i = 1; i < expr.args.size(); ++i) {
      out_ += infix(expr.op);
      print(*expr.args[i], false);
    }
    out_ += postfix(expr.op);
    if (!bare) out_ += ')';
  }
  void leaf(const Expr& expr) {
    switch (expr.op) {
      case Op::kColumn:
        return column(expr.column);
      case Op::kLiteral:
        return append_literal(out_, expr.type, expr.literal);
      case Op::kCase:
        return print_case(expr);
      case Op::kCoalesce:
        return call("COALESCE", expr);
      case Op::kNullIf:
        return call("NULLIF", expr);
      case Op::kTumbleStart:
        return tumble("TUMBLE_START", expr);
      case Op::kTumbleEnd:
        return tumble("TUMBLE_END", expr);
      case Op::kRowsStart:
      case Op::kRowsEnd:
        return count_window(expr);
      case Op::kInList:
        return in_list(expr);
      case Op::kGrouping:
        return call("GROUPING", expr);
      case Op::kProctime:
        out_ += "PROCTIME()";
        return;
      case Op::kCall:
        if (expr.function->name == "array") return array(expr);
        if (expr.function == &row_constructor()) return call("ROW", expr);
        if (expr.function == &row_field()) return field(expr);
        if (expr.function == &row_is_null()) return row_test(expr, " IS NULL");
        if (expr.function == &row_is_not_null()) return row_test(expr, " IS NOT NULL");
        return call(expr.function->name, expr);
      default:
        out_ += '?';
    }
  }
  void column(int index) {
    const bool known = index >= 0 && static_cast<size_t>(index) < names_.size();
    out_ += known ? names_[static_cast<size_t>(index)] : "$" + std::to_string(index + 1);
  }
  void list(const Expr& expr, size_t from) {
    for (size_t i = from; i < expr.args.size(); ++i) {
      if (i > from) out_ += ", ";
      print(*expr.args[i], true);
    }
  }
  void call(std::string_view name, const Expr& expr) {
    out_.append(name).append("(");
    list(expr, 0);
    out_ += ')';
  }
  void array(const Expr& expr) {
    out_ += "ARRAY[";
    list(expr, 0);
    out_ += ']';
  }
  void field(const Expr& expr) {
    const auto place = static_cast<size_t>(std::get<int64_t>(expr.args[1]->literal));
    out_ += '(';
    print(*expr.args[0], true);
    out_.append(").").append(fields_of(expr.args[0]->type)[place].name);
  }
  void row_test(const Expr& expr, std::string_view test) {
    out_ += '(';
    print(*expr.args[0], false);
    out_.append(test).append(")");
  }
  void in_list(const Expr& expr) {
    out_ += '(';
    print(*expr.args[0], false);
    out_ += " IN (";
    list(expr, 1);
    out_ += "))";
  }
  void tumble(std::string_view name, const Expr& expr) {
    out_.append(name).append("(");
    print(*expr.args[0], true);
    for (const int64_t micros : {expr.window_us, expr.window_offset_us}) {
      if (micros == 0) continue;
      out_ += ", ";
      append_literal(out_, Type::kInterval, Interval{0, 0, micros});
    }
    out_ += ')';
  }
  void count_window(const Expr& expr) {
    const bool hop = expr.window_offset_us < expr.window_us;
    out_.append(hop ? "HOP_" : "TUMBLE_").append(expr.op == Op::kRowsStart ? "START(" : "END(");
    if (hop) out_ += "ROWS " + std::to_string(expr.window_offset_us) + ", ";
    out_ += "ROWS " + std::to_string(expr.window_us) + ")";
  }
  void print_case(const Expr& expr) {
    out_ += "CASE";
    for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
      out_ += " WHEN ";
      print(*expr.args[i], true);
      out_ += " THEN ";
      print(*expr.args[i + 1], true);
    }
    out_ += " ELSE ";
    print(*expr.args.back(), true);
    out_ += " END";
  }

  std::string& out_;
  const Names& names_;
};

}  // namespace

std::string to_string(const Expr& expr, const std::vector<std::string>& columns) {
  std::string out;
  Printer(out, columns).print(expr, true);
  return out;
}

}  // namespace millrace::engine
