#include "sql/lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/errors.h"
#include "sql/escapes.h"

namespace millrace::sql {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c) || c == '$';
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_operator(char c) {
  return std::string_view("+-*/<>=~!@#%^&|`?").find(c) != std::string_view::npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    TRY(read_all());
    tokens_.push_back(Token{TokenKind::kEnd, start_});
    return std::move(tokens_);
  }

  TypedText run_typed() {
    (void)read_all();
    return {std::move(tokens_), start_.offset, open_};
  }

 private:
  using Open = TypedText::Open;

  Status read_all() {
    TRY(check_text());
    for (;;) {
      TRY(skip_space());
      start_ = here();
      if (position_ == text_.size()) return {};
      TRY(next());
    }
  }

  char at(size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  bool starts(std::string_view s) const { return text_.substr(position_, s.size()) == s; }
  bool at_end() const { return position_ >= text_.size(); }
  SourceSpan here() const { return SourceSpan{line_, column_, static_cast<uint32_t>(position_), 0}; }
  // Columns count characters, so a continuation byte of UTF-8 does not move them.
  void advance(size_t bytes) {
    for (; bytes > 0 && position_ < text_.size(); --bytes, ++position_) {
      if (text_[position_] == '\n') {
        ++line_;
        column_ = 1;
      } else if ((static_cast<unsigned char>(text_[position_]) & 0xC0) != 0x80) {
        ++column_;
      }
    }
  }
  void emit(TokenKind kind) {
    SourceSpan span = start_;
    span.length = static_cast<uint32_t>(position_) - span.offset;
    tokens_.push_back(Token{kind, span});
  }
  Error unterminated(Open what, std::string message, std::string hint) {
    open_ = what;
    return bad(std::move(message), std::move(hint));
  }
  Error bad(std::string message, std::string hint = {}) const {
    SourceSpan span = start_;
    const size_t end = std::max<size_t>(position_, span.offset + 1);
    span.length = static_cast<uint32_t>(std::min<size_t>(end - span.offset, 64));
    return invalid_at(kBadToken, span, std::move(message), std::move(hint));
  }

  Status check_text() {
    if (text_.size() > kMaxTextBytes) {
      return error(
          Code::kInvalid, kTextTooLong,
          fmt::format("the SQL text has {} bytes, more than the bound of {}", text_.size(), kMaxTextBytes),
          "send the statements in several requests");
    }
    for (size_t i = 0; i < text_.size();) {
      const size_t n = utf8_length(text_.substr(i));
      if (n == 0) {
        advance(i - position_);
        start_ = here();
        return bad("the SQL text is not valid UTF-8, or holds a zero byte", "save the text as UTF-8");
      }
      i += n;
    }
    return {};
  }

  Status skip_space() {
    for (;;) {
      if (is_space(at())) {
        advance(1);
      } else if (starts("--")) {
        while (!at_end() && at() != '\n') advance(1);
      } else if (starts("/*")) {
        TRY(skip_comment());
      } else {
        return {};
      }
      if (at_end()) return {};
    }
  }

  Status skip_comment() {
    start_ = here();
    size_t depth = 0;
    do {
      if (at_end())
        return unterminated(Open::kComment, "unterminated /* comment", "close it with */ (comments nest)");
      if (starts("/*")) {
        ++depth;
        advance(2);
      } else if (starts("*/")) {
        --depth;
        advance(2);
      } else {
        advance(1);
      }
    } while (depth > 0);
    return {};
  }

  Status next() {
    const char c = at();
    if ((c == 'e' || c == 'E') && at(1) == '\'') return escape_string();
    if (is_name_start(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(at(1)))) return number();
    if (c == '\'') return quoted('\'', TokenKind::kString, "string");
    if (c == '"') return quoted('"', TokenKind::kQuotedName, "quoted identifier");
    if (c == '$') return dollar();
    if (is_operator(c)) return operators();
    return punctuation();
  }

  Status check_name(size_t bytes) const {
    if (bytes <= kMaxNameBytes) return {};
    return bad(fmt::format("the name has {} bytes, more than the bound of {}", bytes, kMaxNameBytes),
               "use a shorter name");
  }

  Status word() {
    while (is_name_part(at())) advance(1);
    TRY(check_name(position_ - start_.offset));
    emit(TokenKind::kWord);
    return {};
  }

  Status quoted(char quote, TokenKind kind, std::string_view what) {
    advance(1);
    for (;;) {
      if (at_end()) {
        position_ = std::min<size_t>(text_.size(), start_.offset + 1);
        return unterminated(kind == TokenKind::kString ? Open::kString : Open::kQuotedName,
                            fmt::format("unterminated {}", what), fmt::format("close it with {}", quote));
      }
      if (at() != quote) {
        advance(1);
      } else if (at(1) == quote) {
        advance(2);
      } else {
        break;
      }
    }
    advance(1);
    if (kind == TokenKind::kQuotedName) {
      if (position_ - start_.offset == 2)
        return bad("a quoted identifier is empty", "write a name between the quotes");
      TRY(check_name(position_ - start_.offset - 2));
    }
    emit(kind);
    return {};
  }

  Status escape_string() {
    advance(2);
    while (!at_end()) {
      if (at() == '\\' && position_ + 1 < text_.size()) {
        advance(2);
      } else if (at() != '\'') {
        advance(1);
      } else if (at(1) == '\'') {
        advance(2);
      } else {
        advance(1);
        emit(TokenKind::kEscapeString);
        return {};
      }
    }
    position_ = start_.offset + 2;
    return unterminated(Open::kString, "unterminated string", "close it with '");
  }

  Status dollar() {
    if (is_digit(at(1))) {
      advance(1);
      while (is_digit(at())) advance(1);
      emit(TokenKind::kParameter);
      return {};
    }
    size_t n = 1;
    while (is_name_part(at(n)) && at(n) != '$') ++n;
    if (at(n) != '$') return bad("\"$\" starts neither a parameter nor a dollar-quoted string");
    const std::string_view tag = text_.substr(position_, n + 1);
    const size_t close = text_.find(tag, position_ + tag.size());
    if (close == std::string_view::npos) {
      advance(tag.size());
      return unterminated(Open::kDollarString, "unterminated dollar-quoted string",
                          fmt::format("close it with {}", tag));
    }
    advance(close + tag.size() - position_);
    emit(TokenKind::kDollarString);
    return {};
  }

  Status number() {
    bool decimal = false;
    while (is_digit(at())) advance(1);
    if (at() == '.') {
      decimal = true;
      advance(1);
      while (is_digit(at())) advance(1);
    }
    const size_t sign = at(1) == '+' || at(1) == '-' ? 1 : 0;
    if ((at() == 'e' || at() == 'E') && is_digit(at(1 + sign))) {
      decimal = true;
      advance(1 + sign);
      while (is_digit(at())) advance(1);
    }
    if (is_name_part(at())) {
      while (is_name_part(at())) advance(1);
      return bad("trailing junk after a number", "put a space between a number and a word");
    }
    emit(decimal ? TokenKind::kDecimal : TokenKind::kInteger);
    return {};
  }

  // PostgreSQL's rule: a comment ends an operator, and an operator of several characters ends in + or - only
  // if it holds one of ~ ! @ # % ^ & | ` ?
  Status operators() {
    size_t n = 0;
    while (is_operator(at(n))) {
      if (n > 0 && ((at(n) == '-' && at(n + 1) == '-') || (at(n) == '/' && at(n + 1) == '*'))) break;
      ++n;
    }
    const std::string_view all = text_.substr(position_, n);
    const bool special = all.find_first_of("~!@#%^&|`?") != std::string_view::npos;
    while (n > 1 && !special && (at(n - 1) == '+' || at(n - 1) == '-')) --n;
    advance(n);
    emit(TokenKind::kOperator);
    return {};
  }

  Status punctuation() {
    if (starts("::")) {
      advance(2);
    } else if (std::string_view("()[],;:.").find(at()) != std::string_view::npos) {
      advance(1);
    } else {
      return bad(fmt::format("the character \"{}\" means nothing here", at() < ' ' ? ' ' : at()));
    }
    emit(TokenKind::kPunctuation);
    return {};
  }

  std::string_view text_;
  size_t position_ = 0;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
  SourceSpan start_;
  Open open_ = Open::kNothing;
  std::vector<Token> tokens_;
};

std::string undouble(std::string_view in, char quote) {
  std::string out;
  out.reserve(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    out += in[i];
    if (in[i] == quote) ++i;
  }
  return out;
}

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text) {
  return Lexer(text).run();
}

TypedText read_typed(std::string_view text) {
  return Lexer(text).run_typed();
}

std::string_view token_text(std::string_view text, const Token& token) {
  return text.substr(token.span.offset, token.span.length);
}

std::string name_value(std::string_view text, const Token& token) {
  const std::string_view raw = token_text(text, token);
  if (token.kind == TokenKind::kQuotedName) return undouble(raw.substr(1, raw.size() - 2), '"');
  std::string name(raw);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

Result<std::string> string_value(std::string_view text, const Token& token) {
  const std::string_view raw = token_text(text, token);
  if (token.kind == TokenKind::kEscapeString) return escaped_value(raw.substr(2, raw.size() - 3), token.span);
  if (token.kind == TokenKind::kString) return undouble(raw.substr(1, raw.size() - 2), '\'');
  const size_t tag = raw.find('$', 1) + 1;
  return std::string(raw.substr(tag, raw.size() - 2 * tag));
}

}  // namespace millrace::sql
