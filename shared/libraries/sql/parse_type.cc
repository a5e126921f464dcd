#include <fmt/format.h>

#include "event/decimal.h"
#include "event/row_type.h"
#include "sql/errors.h"
#include "sql/keywords.h"
#include "sql/parser.h"

namespace millrace::sql {
namespace {

constexpr int64_t kMaxVarcharLength = 10'485'760;  // PostgreSQL's
// FLOAT(n) has at least n bits.
constexpr int64_t kMaxRealBits = 24;
constexpr int64_t kMaxFloatBits = 53;
constexpr int64_t kMaxTimePrecision = 6;  // microseconds

struct TypeWord {
  std::string_view word;
  Type type;
};
// PostgreSQL's, and Flink's: string, bytes, varbinary, timestamp_ltz.
constexpr TypeWord kTypes[] = {
    {"boolean", Type::kBoolean},
    {"bool", Type::kBoolean},
    {"smallint", Type::kSmallint},
    {"int2", Type::kSmallint},
    {"integer", Type::kInteger},
    {"int", Type::kInteger},
    {"int4", Type::kInteger},
    {"bigint", Type::kBigint},
    {"int8", Type::kBigint},
    {"real", Type::kReal},
    {"float4", Type::kReal},
    {"float", Type::kDouble},
    {"float8", Type::kDouble},
    {"double", Type::kDouble},
    {"text", Type::kText},
    {"varchar", Type::kText},
    {"string", Type::kText},
    {"date", Type::kDate},
    {"time", Type::kTime},
    {"timestamp", Type::kTimestamp},
    {"timestamptz", Type::kTimestamptz},
    {"timestamp_ltz", Type::kTimestamptz},
    {"numeric", Type::kNumeric},
    {"decimal", Type::kNumeric},
    {"dec", Type::kNumeric},
    {"bytea", Type::kBytea},
    {"bytes", Type::kBytea},
    {"varbinary", Type::kBytea},
    {"uuid", Type::kUuid},
    {"jsonb", Type::kJsonb},
    {"interval", Type::kInterval},
};

// PostgreSQL's types that we do not have, and what to write instead.
struct Refused {
  std::string_view word;
  std::string_view instead;
};
constexpr Refused kRefused[] = {
    {"serial", "INTEGER"}, {"bigserial", "BIGINT"}, {"money", "NUMERIC(20, 2)"}, {"char", "TEXT"},
    {"bpchar", "TEXT"},    {"json", "JSONB"},       {"timetz", "TIME"},
};
constexpr std::string_view kAllTypes =
    "the types are BOOLEAN, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE PRECISION, NUMERIC, TEXT, DATE, TIME, "
    "TIMESTAMP, "
    "TIMESTAMPTZ, INTERVAL, BYTEA, UUID, JSONB, arrays of them like TEXT[], and rows like ROW<a TEXT, b "
    "BIGINT>";

Error unknown_type(const SourceSpan& span, const std::string& word) {
  for (const Refused& refused : kRefused) {
    if (refused.word != word) continue;
    return error_at(Code::kUnsupported, kUnknownType, span, fmt::format("type \"{}\" is not supported", word),
                    fmt::format("use {}", refused.instead));
  }
  std::vector<std::string> names;
  for (const TypeWord& type : kTypes) names.emplace_back(type.word);
  std::string hint = did_you_mean(word, names);
  return invalid_at(kUnknownType, span, fmt::format("type \"{}\" does not exist", word),
                    hint.empty() ? std::string(kAllTypes) : hint);
}

}  // namespace

Result<ast::TypeName> Parser::type_name() {
  if (peek().kind != TokenKind::kWord && peek().kind != TokenKind::kQuotedName) {
    return unexpected("a type is expected here: " + std::string(kAllTypes));
  }
  const Token first = take();
  const std::string word = name_value(text_, first);
  std::optional<Type> type;
  for (const TypeWord& known : kTypes) {
    if (known.word == word) type = known.type;
  }
  if (word == "row") {
    TRY_ASSIGN(type, row_type_fields(first.span));
  }
  if (word == "double") take_word("precision");
  if (word == "character" || word == "char") {
    if (!take_word("varying")) return unknown_type(first.span, "char");
    type = Type::kText;
  }
  if (!type) return unknown_type(first.span, word);
  ast::TypeName made{*type, first.span};
  const bool varying = *type == Type::kText && word != "text" && word != "string";
  if (is_symbol("(") && !is_row(*type)) TRY(type_modifiers(made, word == "float", varying));
  if (word == "timestamp" || word == "time") TRY(time_zone_suffix(made));
  if (is_symbol("(") && !is_row(*type)) {
    return unsupported_at(peek().span, fmt::format("type \"{}\" takes no length or precision", word),
                          "take it away");
  }
  TRY(array_suffix(made));
  made.span = span_from(first.span);
  return made;
}

// What stands in parentheses behind a type's word; those of a type that has none stay.
Status Parser::type_modifiers(ast::TypeName& made, bool is_float, bool varying) {
  const bool time = is_timestamp(made.type) || made.type == Type::kTime;
  if (!is_float && !varying && !time && made.type != Type::kNumeric) return {};
  take();
  if (is_float) {
    TRY_ASSIGN(const uint32_t bits, type_number(1, kMaxFloatBits, "FLOAT(53)"));
    if (bits <= kMaxRealBits) made.type = Type::kReal;
  } else if (varying) {
    TRY_ASSIGN(made.length, type_number(1, kMaxVarcharLength, "VARCHAR(100)"));
  } else if (time) {
    TRY_ASSIGN(made.precision, type_number(0, kMaxTimePrecision, "TIMESTAMP(3)"));
  } else {
    TRY_ASSIGN(made.length, type_number(1, kMaxDecimalDigits, "NUMERIC(20, 2)"));
    if (take_symbol(",")) {
      TRY_ASSIGN(made.scale, type_number(0, made.length, "NUMERIC(20, 2)"));
    }
  }
  return expect_symbol(")");
}

// WITH | WITHOUT TIME ZONE, and Flink's WITH LOCAL TIME ZONE.
Status Parser::time_zone_suffix(ast::TypeName& made) {
  const bool with = is_word("with");
  const size_t local = with && is_word("local", 1) ? 1 : 0;
  if ((!with && !is_word("without")) || !is_word("time", 1 + local) || !is_word("zone", 2 + local)) return {};
  const SourceSpan span = made.span;
  for (size_t i = 0; i < 3 + local; ++i) take();
  if (with && made.type == Type::kTime) return unknown_type(span, "timetz");
  if (with) made.type = Type::kTimestamptz;
  return {};
}

// A length, a precision or a scale.
Result<uint32_t> Parser::type_number(int64_t least, int64_t most, std::string_view example) {
  const Token token = peek();
  const auto value = token.kind == TokenKind::kInteger ? parse_bigint(raw(token)) : Result<int64_t>(-1);
  if (!value.ok() || *value < least || *value > most) {
    return invalid_at(kBadLiteral, token.span,
                      fmt::format("a number from {} to {} is expected here", least, most),
                      fmt::format("write {}", example));
  }
  take();
  return static_cast<uint32_t>(*value);
}

// For literals like TIMESTAMPTZ '…' and DOUBLE PRECISION '…': how many words of a type stand before the
// string.
std::optional<size_t> Parser::type_words_before_string() const {
  if (is_reserved(name_value(text_, peek())) || is_type_or_function_word(name_value(text_, peek())))
    return std::nullopt;
  if (is_string(1)) return 1;
  if (is_word("double") && is_word("precision", 1) && is_string(2)) return 2;
  if (!is_word("timestamp") && !is_word("time")) return std::nullopt;
  if ((is_word("with", 1) || is_word("without", 1)) && is_word("time", 2) && is_word("zone", 3) &&
      is_string(4))
    return 4;
  return std::nullopt;
}

// A column keeps microseconds: of the others only the one that nearly every definition for Flink has is read as that.
Status check_time_precision(const ast::TypeName& type) {
  constexpr uint32_t kMilliseconds = 3;
  constexpr uint32_t kMicroseconds = 6;
  const uint32_t precision = type.precision.value_or(kMicroseconds);
  if (precision == kMilliseconds || precision == kMicroseconds) return {};
  return unsupported_at(
      type.span, fmt::format("a column or field with {} digits of a second is not supported", precision),
      "a column keeps microseconds: write (3) or (6), and round in a query");
}

}  // namespace millrace::sql
