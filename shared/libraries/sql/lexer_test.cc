#include "sql/lexer.h"

#include <gtest/gtest.h>

namespace millrace::sql {
namespace {

std::vector<std::string> words(std::string_view text) {
  auto tokens = tokenize(text);
  EXPECT_TRUE(tokens.ok()) << tokens.error().to_string();
  std::vector<std::string> out;
  for (size_t i = 0; tokens.ok() && i + 1 < tokens->size(); ++i)
    out.emplace_back(token_text(text, (*tokens)[i]));
  return out;
}

std::string value(std::string_view text) {
  auto tokens = tokenize(text);
  EXPECT_TRUE(tokens.ok()) << tokens.error().to_string();
  if (!tokens.ok() || tokens->size() != 2) return "not one token";
  auto string = string_value(text, tokens->front());
  return string.ok() ? *string : string.error().id;
}

std::string failure(std::string_view text) {
  auto tokens = tokenize(text);
  return tokens.ok() ? "none" : tokens.error().message;
}

using Words = std::vector<std::string>;

TEST(Lexer, CutsOperatorsAsPostgresDoes) {
  EXPECT_EQ(words("10*-1"), (Words{"10", "*", "-", "1"}));
  EXPECT_EQ(words("a<=-b"), (Words{"a", "<=", "-", "b"}));
  EXPECT_EQ(words("a @- b"), (Words{"a", "@-", "b"}));
  EXPECT_EQ(words("1--2"), (Words{"1"}));
  EXPECT_EQ(words("1+/* x */2"), (Words{"1", "+", "2"}));
  EXPECT_EQ(words("a::b||c"), (Words{"a", "::", "b", "||", "c"}));
  EXPECT_EQ(words("a<>b!=c"), (Words{"a", "<>", "b", "!=", "c"}));
}

TEST(Lexer, ReadsNumbers) {
  EXPECT_EQ(words("1 1.5 .5 1. 1e3 1.5E-3 2."), (Words{"1", "1.5", ".5", "1.", "1e3", "1.5E-3", "2."}));
  EXPECT_EQ(failure("1e"), "trailing junk after a number");
  EXPECT_EQ(failure("0x1F"), "trailing junk after a number");
}

TEST(Lexer, SkipsComments) {
  EXPECT_EQ(words("a -- b\nc /* d /* e */ f */ g"), (Words{"a", "c", "g"}));
  EXPECT_EQ(words("/**/"), Words{});
}

TEST(Lexer, KnowsWhatATypedTextLeavesOpen) {
  using Open = TypedText::Open;
  const TypedText whole = read_typed("SELECT 1; ");
  EXPECT_EQ(whole.tokens.size(), 3u);
  EXPECT_EQ(whole.end, 10u);
  EXPECT_EQ(whole.open, Open::kNothing);
  const std::pair<std::string_view, Open> open[] = {
      {"a 'b", Open::kString},           {"a E'b\\'", Open::kString}, {"a \"b", Open::kQuotedName},
      {"a $x$ $$", Open::kDollarString}, {"a /* b", Open::kComment},  {"a {b}", Open::kNothing}};
  for (const auto& [text, what] : open) {
    const TypedText typed = read_typed(text);
    EXPECT_EQ(typed.open, what) << text;
    EXPECT_EQ(typed.tokens.size(), 1u) << text;
    EXPECT_EQ(typed.end, 2u) << text;
  }
}

TEST(Lexer, DecodesStrings) {
  EXPECT_EQ(value("'it''s'"), "it's");
  EXPECT_EQ(value("''"), "");
  EXPECT_EQ(value("'a\\n'"), "a\\n");
  EXPECT_EQ(value("E'a\\n\\t\\\\\\'\\x41\\101\\u00e9\\U0001F600'''"), "a\n\t\\'AA\xC3\xA9\xF0\x9F\x98\x80'");
  EXPECT_EQ(value("$$it's$$"), "it's");
  EXPECT_EQ(value("$tag$a $$ b$tag$"), "a $$ b");
  EXPECT_EQ(value("E'\\uD83D\\uDE00 \\uD83D\\U0000DE00'"), "\xF0\x9F\x98\x80 \xF0\x9F\x98\x80");
  for (const char* half : {"E'\\uD800'", "E'\\uDC00'", "E'\\uD83Dx'", "E'\\uD83D\\n'", "E'\\uD83D\\uD83D'",
                           "E'\\uD83D\\u12'", "E'\\uD83D\\u0041'", "E'\\UFFFFFFFF'", "E'\\0'"}) {
    EXPECT_EQ(value(half), "MR-SQL-0002") << half;
  }
  EXPECT_EQ(value("E'\\xFF'"), "MR-SQL-0002");  // not UTF-8
}

TEST(Lexer, FoldsNamesUnlessQuoted) {
  const std::string_view text = "FooBar \"Foo\"\"Bar\" GRÖßE";
  auto tokens = tokenize(text);
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(name_value(text, (*tokens)[0]), "foobar");
  EXPECT_EQ(name_value(text, (*tokens)[1]), "Foo\"Bar");
  EXPECT_EQ(name_value(text, (*tokens)[2]), "grÖße");  // ASCII only, as PostgreSQL in UTF-8 does
}

TEST(Lexer, KnowsThePlaceOfEveryToken) {
  auto tokens = tokenize("a\n  'ü' bc\r\nd");
  ASSERT_TRUE(tokens.ok());
  const SourceSpan& bc = (*tokens)[2].span;
  EXPECT_EQ(bc.line, 2u);
  EXPECT_EQ(bc.column, 7u);  // characters
  EXPECT_EQ(bc.offset, 9u);  // bytes
  EXPECT_EQ(bc.length, 2u);
  EXPECT_EQ((*tokens)[3].span.line, 3u);
}

TEST(Lexer, RefusesWhatIsNotText) {
  EXPECT_EQ(failure(std::string_view("a\0b", 3)), "the SQL text is not valid UTF-8, or holds a zero byte");
  EXPECT_EQ(failure("a\xFF"), "the SQL text is not valid UTF-8, or holds a zero byte");
  EXPECT_EQ(failure("\xC0\x80"), "the SQL text is not valid UTF-8, or holds a zero byte");      // overlong
  EXPECT_EQ(failure("\xED\xA0\x80"), "the SQL text is not valid UTF-8, or holds a zero byte");  // a surrogate
  EXPECT_EQ(failure("\xF4\x90\x80\x80"), "the SQL text is not valid UTF-8, or holds a zero byte");
  EXPECT_EQ(failure("a\xE2\x82"), "the SQL text is not valid UTF-8, or holds a zero byte");  // cut short
}

TEST(Lexer, BoundsTheText) {
  const auto long_text = tokenize(std::string(kMaxTextBytes + 1, ' '));
  ASSERT_FALSE(long_text.ok());
  EXPECT_EQ(long_text.error().id, "MR-SQL-0003");
  EXPECT_TRUE(tokenize(std::string(kMaxTextBytes, ' ')).ok());
}

TEST(Lexer, RefusesWhatDoesNotEnd) {
  for (const char* text : {"'a", "\"a", "E'a\\'", "$$a", "$x$a$$", "/* a", "E'"}) {
    auto tokens = tokenize(text);
    ASSERT_FALSE(tokens.ok()) << text;
    EXPECT_EQ(tokens.error().id, "MR-SQL-0002") << text;
    EXPECT_TRUE(tokens.error().span.has_value()) << text;
  }
}

}  // namespace
}  // namespace millrace::sql
