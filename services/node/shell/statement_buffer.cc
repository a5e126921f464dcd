#include "node/shell/statement_buffer.h"

#include <algorithm>

#include "sql/lexer.h"

namespace millrace::cli {
namespace {

using Open = sql::TypedText::Open;

size_t lines_of(std::string_view text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

constexpr std::string_view kSpace = " \t\r\n\v\f";

}  // namespace

void StatementBuffer::add_line(std::string_view line) {
  text_.append(line).append("\n");
}

StatementBuffer::Statement StatementBuffer::taken(size_t bytes, size_t skipped) {
  const std::string_view all = std::string_view(text_).substr(0, bytes);
  const size_t start = std::min(all.find_first_not_of(kSpace), all.size());
  std::string_view trimmed = all.substr(start);
  trimmed = trimmed.substr(0, trimmed.find_last_not_of(kSpace) + 1);
  Statement statement{std::string(trimmed), line_ + lines_of(all.substr(0, start))};
  line_ += lines_of(std::string_view(text_).substr(0, bytes + skipped));
  text_.erase(0, bytes + skipped);
  return statement;
}

std::optional<StatementBuffer::Statement> StatementBuffer::take_statement() {
  while (true) {
    const sql::TypedText typed = sql::read_typed(text_);
    const auto end = std::find_if(typed.tokens.begin(), typed.tokens.end(), [this](const sql::Token& token) {
      return sql::token_text(text_, token) == ";";
    });
    if (end == typed.tokens.end()) break;
    const bool nothing = end == typed.tokens.begin();
    Statement statement = taken(end->span.offset, 1);
    if (!nothing) return statement;
  }
  const sql::TypedText typed = sql::read_typed(text_);
  // No token: the server says what is wrong, once the statement ends.
  const bool is_bad = typed.open == Open::kNothing && typed.end < text_.size() && text_[typed.end] != '\\';
  const size_t last = text_.find_last_not_of(kSpace);
  if (!is_bad || text_[last] != ';') return std::nullopt;
  return taken(last, text_.size() - last);
}

std::optional<std::string> StatementBuffer::take_command() {
  const sql::TypedText typed = sql::read_typed(text_);
  if (typed.open != Open::kNothing || typed.end >= text_.size() || text_[typed.end] != '\\')
    return std::nullopt;
  const size_t end = std::min(text_.find('\n', typed.end), text_.size());
  std::string command = text_.substr(typed.end, end - typed.end);
  text_.erase(typed.end, end - typed.end);
  if (empty()) clear();
  command.erase(command.find_last_not_of(kSpace) + 1);
  return command;
}

StatementBuffer::Statement StatementBuffer::take_rest() {
  return taken(text_.size(), 0);
}

void StatementBuffer::clear() {
  line_ += lines_of(text_);
  text_.clear();
}

bool StatementBuffer::empty() const {
  const sql::TypedText typed = sql::read_typed(text_);
  return typed.tokens.empty() && typed.open == Open::kNothing && typed.end == text_.size();
}

char StatementBuffer::open() const {
  const sql::TypedText typed = sql::read_typed(text_);
  switch (typed.open) {
    case Open::kString:
      return '\'';
    case Open::kQuotedName:
      return '"';
    case Open::kDollarString:
      return '$';
    case Open::kComment:
      return '*';
    case Open::kNothing:
      break;
  }
  int depth = 0;
  for (const auto& token : typed.tokens) {
    const std::string_view text = sql::token_text(text_, token);
    if (text == "(" || text == "[") ++depth;
    if (text == ")" || text == "]") --depth;
  }
  if (depth > 0) return '(';
  return typed.tokens.empty() ? '=' : '-';
}

}  // namespace millrace::cli
