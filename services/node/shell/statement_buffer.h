// StatementBuffer: what has been typed, until it is run: statements up to their semicolons, and commands like \d.
//
// Where a statement ends the SQL lexer knows: a semicolon in a string, a comment or a quoted name ends none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::cli {

class StatementBuffer {
 public:
  struct Statement {
    std::string text;
    size_t line = 0;  // its first, counted from 1 since the buffer was made
  };

  void add_line(std::string_view line);
  std::optional<Statement> take_statement();  // the next that is whole
  // Behind the whole statements: a backslash where no token can begin, to the end of its line.
  std::optional<std::string> take_command();
  Statement take_rest();
  void clear();

  bool empty() const;  // nothing but space and comments
  const std::string& text() const { return text_; }
  char open()
      const;  // for a prompt: ' " $ * of a comment, ( or - if only the semicolon is missing; = if it is empty

 private:
  Statement taken(size_t bytes, size_t skipped);
  std::string text_;
  size_t line_ = 1;  // of text_'s start
};

}  // namespace millrace::cli
