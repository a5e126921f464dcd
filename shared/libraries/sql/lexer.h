// Lexer: a statement's text as tokens, by PostgreSQL's lexical rules.
//
// Knows: quoted identifiers, '…' with '' inside, E'…', $tag$…$tag$, numbers, operators (longest match, no
//        comment inside, no trailing + or - unless PostgreSQL's exception holds), :: and nested /* */
//        comments.
// Owns:  nothing; a Token is a place in the text, values are decoded when somebody asks.
// Bound: kMaxTextBytes of text, kMaxNameBytes a name. The text has to be UTF-8 without zero bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::sql {

inline constexpr size_t kMaxTextBytes = 1u << 20;
inline constexpr size_t kMaxNameBytes = 63;  // PostgreSQL's

enum class TokenKind : uint8_t {
  kWord,          // identifier or keyword, not quoted
  kQuotedName,    // "…"
  kString,        // '…'
  kEscapeString,  // E'…'
  kDollarString,
  kInteger,
  kDecimal,
  kOperator,     // one or more of + - * / < > = ~ ! @ # % ^ & | ` ?
  kPunctuation,  // ( ) [ ] , ; : . ::
  kParameter,    // $1
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  SourceSpan span;
};

// The last token is kEnd, behind the text.
Result<std::vector<Token>> tokenize(std::string_view text);

// A text that is still being typed.
struct TypedText {
  enum class Open : uint8_t { kNothing, kString, kQuotedName, kDollarString, kComment };

  std::vector<Token> tokens;   // as far as they can be read; no kEnd
  size_t end = 0;              // behind the text, or where what is open, or is no token, begins
  Open open = Open::kNothing;  // what the text does not close
};
TypedText read_typed(std::string_view text);

std::string_view token_text(std::string_view text, const Token& token);
// A name as the catalog knows it: folded to lower case unless it was quoted.
std::string name_value(std::string_view text, const Token& token);
// The value of a string token; E'…' may hold a bad escape.
Result<std::string> string_value(std::string_view text, const Token& token);

}  // namespace millrace::sql
