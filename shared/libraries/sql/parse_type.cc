#include <fmt/format.h>

#include "event/decimal.h"
#include "event/row_type.h"
#include "sql/errors.h"
#include "sql/keywords.h"
#include "sql/parser.h"

namespace millrace::sql {
namespace {

constexpr int64_t kMaxVarcharLength = 10'485'760;  // PostgreSQL's

struct TypeWord {
  std::string_view word;
  Type type;
};
constexpr TypeWord kTypes[] = {
    {"boolean", Type::kBoolean},   {"bool", Type::kBoolean},    {"smallint", Type::kSmallint},
    {"int2", Type::kSmallint},     {"integer", Type::kInteger}, {"int", Type::kInteger},
    {"int4", Type::kInteger},      {"bigint", Type::kBigint},   {"int8", Type::kBigint},
    {"real", Type::kReal},         {"float4", Type::kReal},     {"float", Type::kDouble},
    {"float8", Type::kDouble},     {"text", Type::kText},       {"varchar", Type::kText},
    {"date", Type::kDate},         {"time", Type::kTime},       {"timestamp", Type::kTimestamp},
    {"numeric", Type::kNumeric},   {"decimal", Type::kNumeric}, {"bytea", Type::kBytea},
    {"uuid", Type::kUuid},         {"jsonb", Type::kJsonb},     {"timestamptz", Type::kTimestamptz},
    {"interval", Type::kInterval},
};

// PostgreSQL's types that we do not have, and what to write instead.
struct Refused {
  std::string_view word;
  std::string_view instead;
};
constexpr Refused kRefused[] = {
    {"serial", "INTEGER"}, {"bigserial", "BIGINT"}, {"money", "NUMERIC(20, 2)"}, {"char", "TEXT"},
    {"bpchar", "TEXT"},    {"json", "JSONB"},       {"string", "TEXT"},          {"timetz", "TIME"},
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
  std::vector<std::string> names{"double precision"};
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
  if (word == "double") {
    TRY(expect_word("precision"));
    type = Type::kDouble;
  }
  if (word == "character") {
    if (!take_word("varying")) return unknown_type(first.span, "char");
    type = Type::kText;
  }
  if (word == "timestamp" || word == "time") {
    const bool with = is_word("with");
    if ((with || is_word("without")) && is_word("time", 1) && is_word("zone", 2)) {
      for (int i = 0; i < 3; ++i) take();
      if (with && word == "time") return unknown_type(first.span, "timetz");
      if (with) type = Type::kTimestamptz;
    }
  }
  if (!type) return unknown_type(first.span, word);
  ast::TypeName made{*type, first.span};
  if (is_symbol("(") && (word == "varchar" || word == "character")) {
    take();
    TRY_ASSIGN(made.length, type_number(1, kMaxVarcharLength, "VARCHAR(100)"));
    TRY(expect_symbol(")"));
  }
  if (is_symbol("(") && type == Type::kNumeric) {
    take();
    TRY_ASSIGN(made.length, type_number(1, kMaxDecimalDigits, "NUMERIC(20, 2)"));
    if (take_symbol(",")) {
      TRY_ASSIGN(made.scale, type_number(0, made.length, "NUMERIC(20, 2)"));
    }
    TRY(expect_symbol(")"));
  }
  if (is_symbol("(") && !is_row(*type)) {
    return unsupported_at(peek().span, fmt::format("type \"{}\" takes no length or precision", word),
                          "take it away");
  }
  TRY(array_suffix(made));
  made.span = span_from(first.span);
  return made;
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

}  // namespace millrace::sql
