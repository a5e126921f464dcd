// Any text as a value of every type, by the casts of SQL. What is read is written as a text that is read as the same value,
// and is the same text again; what is not is an error of a row that can be shown. A number that becomes one of another type
// is the nearest there, or out of its range. JSON that is read is JSON to simdjson, too.
#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/expr.h"
#include "event/text.h"
#include "formats/text_types.h"
#include "tests/fuzz/require.h"

namespace {

using namespace millrace;  // NOLINT
using fuzz::require;

constexpr size_t kMostBytes = 4'096;
constexpr Type kTypes[] = {Type::kBoolean,
                           Type::kSmallint,
                           Type::kInteger,
                           Type::kBigint,
                           Type::kReal,
                           Type::kDouble,
                           Type::kNumeric,
                           Type::kDate,
                           Type::kTime,
                           Type::kTimestamp,
                           Type::kTimestamptz,
                           Type::kInterval,
                           Type::kBytea,
                           Type::kUuid,
                           Type::kJsonb,
                           array_of(Type::kText),
                           array_of(Type::kBigint),
                           array_of(Type::kNumeric),
                           array_of(Type::kJsonb),
                           array_of(Type::kInterval)};
constexpr Type kWholes[] = {Type::kSmallint, Type::kInteger, Type::kBigint};

// nullopt: the row fails.
std::optional<Scalar> cast(const Scalar& value, Type from, Type to) {
  auto literal = std::make_shared<engine::Expr>();
  literal->type = from;
  literal->literal = value;
  engine::Expr made;
  made.op = engine::Op::kCast;
  made.type = to;
  made.args.push_back(std::move(literal));
  const auto answer = engine::evaluate_constant(made);
  if (answer.ok()) return *answer;
  const Error& error = answer.error();
  require(error.code != Code::kInternal && error.id.starts_with("MR-SQL-"), "an error of a row", error.id);
  require(!error.message.empty() && formats::is_utf8(error.message), "an error can be shown", error.message);
  return std::nullopt;
}

std::string text_of(const Scalar& value, Type type) {
  const auto text = cast(value, type, Type::kText);
  require(text && std::holds_alternative<std::string>(*text), "every value has a text",
          std::string(to_string(type)));
  return std::get<std::string>(*text);
}

void check_json(std::string_view text) {
  static simdjson::dom::parser parser;
  simdjson::dom::element element;
  const auto verdict = parser.parse(simdjson::padded_string(text)).get(element);
  // simdjson refuses numbers beyond 64 bits or a double.
  require(verdict == simdjson::SUCCESS || verdict == simdjson::NUMBER_ERROR, "jsonb is JSON",
          std::string(text));
}

// A numeric as a whole number of each width, and back: half a unit away at most.
void check_wholes(const Scalar& numeric, const std::string& text) {
  const bool whole = text.find('.') == std::string::npos;
  std::optional<std::string> narrower;
  for (const Type type : kWholes) {
    const auto made = cast(numeric, Type::kNumeric, type);
    if (!made) {
      require(!narrower, "what fits a type fits the wider ones", text);
      continue;
    }
    const std::string digits = text_of(*made, type);
    require(!narrower || *narrower == digits, "the widths agree", text);
    require(!whole || digits == text, "a whole number stays what it is", text + " " + digits);
    const auto back = cast(*made, type, Type::kNumeric);
    require(back && text_of(*back, Type::kNumeric) == digits, "a whole number is a numeric", digits);
    const auto value = parse_double(text);
    require(!value.ok() || std::abs(*value - std::stod(digits)) <= 0.5 + std::abs(*value) * 1e-15,
            "the nearest whole number", text + " " + digits);
    narrower = digits;
  }
}

// A numeric is read as a double as its text is.
void check_double(const Scalar& numeric, const std::string& text) {
  const auto made = cast(numeric, Type::kNumeric, Type::kDouble);
  const auto read = cast(Scalar(text), Type::kText, Type::kDouble);
  require(made.has_value() == read.has_value(), "a numeric and its text are doubles alike", text);
  if (!made) return;
  const std::string shown = text_of(*made, Type::kDouble);
  require(shown == text_of(*read, Type::kDouble), "a numeric and its text are one double",
          text + " " + shown);
  const auto back = cast(*made, Type::kDouble, Type::kNumeric);
  require(back.has_value(), "a finite double is a numeric", shown);
}

void check_value(const Scalar& value, Type type) {
  const std::string text = text_of(value, type);
  const auto again = cast(Scalar(text), Type::kText, type);
  require(again.has_value(), "a value's text is read", text);
  require(text_of(*again, type) == text, "a value's text is read as the value", text);
  if (type == Type::kNumeric) {
    check_wholes(value, text);
    check_double(value, text);
  }
  if (type == Type::kJsonb) {
    check_json(text);
    for (const Type to : {Type::kBoolean, Type::kBigint, Type::kNumeric, Type::kDouble}) {
      if (const auto made = cast(value, type, to)) text_of(*made, to);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Texts of SQL are these.
  if (size > kMostBytes || !formats::is_utf8(text) || text.find('\0') != std::string::npos) return 0;
  for (const Type type : kTypes) {
    if (const auto value = cast(Scalar(text), Type::kText, type)) check_value(*value, type);
  }
  return 0;
}
