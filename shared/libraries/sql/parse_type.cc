#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/keywords.h"
#include "sql/parser.h"

namespace millrace::sql {
namespace {

struct TypeWord {
  std::string_view word;
  Type type;
};
constexpr TypeWord kTypes[] = {
    {"boolean", Type::kBoolean},   {"bool", Type::kBoolean},
    {"bigint", Type::kBigint},     {"int8", Type::kBigint},
    {"float8", Type::kDouble},     {"text", Type::kText},
    {"varchar", Type::kText},      {"timestamptz", Type::kTimestamptz},
    {"interval", Type::kInterval},
};

// PostgreSQL's types that we do not have, and what to write instead.
struct Refused {
  std::string_view word;
  std::string_view instead;
};
constexpr Refused kRefused[] = {
    {"int", "BIGINT"},
    {"integer", "BIGINT"},
    {"int4", "BIGINT"},
    {"int2", "BIGINT"},
    {"smallint", "BIGINT"},
    {"serial", "BIGINT"},
    {"bigserial", "BIGINT"},
    {"real", "DOUBLE PRECISION"},
    {"float", "DOUBLE PRECISION"},
    {"float4", "DOUBLE PRECISION"},
    {"numeric", "DOUBLE PRECISION"},
    {"decimal", "DOUBLE PRECISION"},
    {"money", "DOUBLE PRECISION"},
    {"char", "TEXT"},
    {"character", "TEXT"},
    {"bpchar", "TEXT"},
    {"json", "TEXT"},
    {"jsonb", "TEXT"},
    {"uuid", "TEXT"},
    {"bytea", "TEXT"},
    {"string", "TEXT"},
    {"date", "TIMESTAMPTZ"},
    {"time", "TIMESTAMPTZ"},
};
constexpr std::string_view kAllTypes =
    "the types are BOOLEAN, BIGINT, DOUBLE PRECISION, TEXT, TIMESTAMPTZ and INTERVAL";

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
  if (word == "double") {
    TRY(expect_word("precision"));
    type = Type::kDouble;
  }
  if (word == "timestamp") {
    if (!is_word("with") || !is_word("time", 1) || !is_word("zone", 2)) {
      take_word("without") && take_word("time") && take_word("zone");
      return error_at(Code::kUnsupported, kUnknownType, span_from(first.span),
                      "type \"timestamp without time zone\" is not supported",
                      "use TIMESTAMPTZ: a point in time, shown in UTC");
    }
    for (int i = 0; i < 3; ++i) take();
    type = Type::kTimestamptz;
  }
  if (!type) return unknown_type(first.span, word);
  if (is_symbol("(")) {
    return unsupported_at(peek().span, fmt::format("type \"{}\" takes no length or precision", word),
                          "take it away");
  }
  if (is_symbol("["))
    return unsupported_at(peek().span, "array types are not supported", std::string(kAllTypes));
  return ast::TypeName{*type, span_from(first.span)};
}

// For literals like TIMESTAMPTZ '…' and DOUBLE PRECISION '…': how many words of a type stand before the
// string.
std::optional<size_t> Parser::type_words_before_string() const {
  if (is_reserved(name_value(text_, peek())) || is_type_or_function_word(name_value(text_, peek())))
    return std::nullopt;
  if (is_string(1)) return 1;
  if (is_word("double") && is_word("precision", 1) && is_string(2)) return 2;
  if (!is_word("timestamp")) return std::nullopt;
  if ((is_word("with", 1) || is_word("without", 1)) && is_word("time", 2) && is_word("zone", 3) &&
      is_string(4))
    return 4;
  return std::nullopt;
}

}  // namespace millrace::sql
