#include "formats/row_text.h"

#include <gtest/gtest.h>

#include "formats/text_types.h"

namespace millrace::formats {
namespace {

Type text_and_number() {
  return *row_type({{.name = "a", .type = Type::kText}, {.name = "b", .type = Type::kInteger}});
}

// As it is printed; or the error.
std::string read(std::string_view text, Type type = text_and_number()) {
  const auto bytes = parse_text(type, text);
  if (!bytes.ok()) return std::string(bytes.error().id);
  std::string out;
  append_text(out, type, *bytes);
  return out;
}

TEST(RowText, ReadsWhatPostgresReads) {
  EXPECT_EQ(read(" (x,1) "), "(x,1)");
  EXPECT_EQ(read("(,)"), "(,)");
  EXPECT_EQ(read("(\"\", 2 )"), "(\"\",2)");
  EXPECT_EQ(read("( a b ,3)"), "(\" a b \",3)");
  EXPECT_EQ(read(R"((a"b,c"d,4))"), R"(("ab,cd",4))");
  EXPECT_EQ(read(R"(("q""x\\y\"",5))"), R"(("q""x\\y""",5))");
  EXPECT_EQ(read(R"((\(\,,6))"), R"(("(,",6))");
  EXPECT_EQ(read("(NULL,)"), "(NULL,)");
}

TEST(RowText, RefusesWhatIsNone) {
  for (const char* text :
       {"", "x", "(", "(x", "(x,", "(x,1", "(x)", "(x,1,2)", "(x,1) y", "(\"x,1)", "(x\\", "(x,\"1\""})
    EXPECT_EQ(read(text), "MR-EVT-0101") << text;
  EXPECT_EQ(read("(x,y)"), "MR-EVT-0101");
  EXPECT_EQ(read("(x,3000000000)"), "MR-EVT-0102");
}

TEST(RowText, NestsRowsAndArrays) {
  const Type outer = *row_type({{.name = "r", .type = text_and_number()},
                                {.name = "t", .type = array_of(Type::kBoolean)},
                                {.name = "rs", .type = array_of(text_and_number())}});
  const std::string text = R"x(("(""a b"",1)","{t,f}","{""(x,2)"",NULL,""(,)""}"))x";
  EXPECT_EQ(read(text, outer), text);
}

}  // namespace
}  // namespace millrace::formats
