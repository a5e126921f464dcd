#include "node/shell/statement_buffer.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

std::vector<std::string> statements(StatementBuffer& buffer) {
  std::vector<std::string> out;
  while (auto statement = buffer.take_statement()) out.push_back(statement->text);
  return out;
}

using Texts = std::vector<std::string>;

TEST(StatementBuffer, AStatementEndsWithItsSemicolon) {
  StatementBuffer buffer;
  buffer.add_line("SELECT 1; ; SELECT");
  EXPECT_EQ(statements(buffer), Texts{"SELECT 1"});
  EXPECT_EQ(buffer.open(), '-');
  buffer.add_line("  2 -- ; a comment");
  EXPECT_EQ(statements(buffer), Texts{});
  buffer.add_line(";");
  EXPECT_EQ(statements(buffer), Texts{"SELECT\n  2 -- ; a comment"});
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.open(), '=');
}

TEST(StatementBuffer, TheLexerKnowsWhatIsOpen) {
  const std::pair<const char*, char> cases[] = {{"SELECT 'a;", '\''},         {"SELECT E'a\\';", '\''},
                                                {"SELECT \"a;", '"'},         {"SELECT $x$ ; $$", '$'},
                                                {"SELECT /* ; /* */ ;", '*'}, {"SELECT count(", '('},
                                                {"SELECT ARRAY[1,", '('},     {"-- only a comment", '='}};
  for (const auto& [text, open] : cases) {
    StatementBuffer buffer;
    buffer.add_line(text);
    EXPECT_EQ(statements(buffer), Texts{}) << text;
    EXPECT_EQ(buffer.open(), open) << text;
  }
}

TEST(StatementBuffer, WhatIsNoTokenWaitsForTheEndOfTheStatement) {
  StatementBuffer buffer;
  buffer.add_line("SELECT {1");
  EXPECT_EQ(statements(buffer), Texts{});
  buffer.add_line("};");
  EXPECT_EQ(statements(buffer), Texts{"SELECT {1\n}"});
  EXPECT_TRUE(buffer.empty());
}

TEST(StatementBuffer, ACommandStandsWhereNoTokenCan) {
  StatementBuffer buffer;
  buffer.add_line("\\d clicks ");
  EXPECT_EQ(buffer.take_command(), "\\d clicks");
  EXPECT_TRUE(buffer.empty());
  buffer.add_line("SELECT '\\d' \\watch 2");
  EXPECT_EQ(statements(buffer), Texts{});
  EXPECT_EQ(buffer.take_command(), "\\watch 2");
  EXPECT_EQ(buffer.take_rest().text, "SELECT '\\d'");
  buffer.add_line("SELECT 'open");
  buffer.add_line("\\d'");
  EXPECT_EQ(buffer.take_command(), std::nullopt);
}

TEST(StatementBuffer, LinesAreCounted) {
  StatementBuffer buffer;
  buffer.add_line("\nSELECT 1;\n\n  SELECT\n 2; SELECT 3;");
  EXPECT_EQ(buffer.take_statement()->line, 2u);
  EXPECT_EQ(buffer.take_statement()->line, 4u);
  EXPECT_EQ(buffer.take_statement()->line, 5u);
}

}  // namespace
}  // namespace millrace::cli
