#include <gtest/gtest.h>

#include "sql/errors.h"
#include "sql/sql.h"

namespace millrace::sql {
namespace {

Error at(uint32_t line, uint32_t column, uint32_t offset, uint32_t length) {
  return invalid_at("MR-SQL-0001", SourceSpan{line, column, offset, length}, "wrong", "right");
}

TEST(RenderError, UnderlinesTheSpan) {
  EXPECT_EQ(render_error(at(2, 3, 5, 2), "abc\nd ef g\nh"),
            "error MR-SQL-0001: wrong\n  --> line 2, column 3\n  |\n2 | d ef g\n  |  ^^\nhint: right\n");
}

TEST(RenderError, CountsCharactersAndTabs) {
  EXPECT_EQ(render_error(at(1, 5, 6, 4), "\tü\tü \xC3\xA4\xC3\xB6"),
            "error MR-SQL-0001: wrong\n  --> line 1, column 5\n  |\n1 |  ü ü äö\n  |     ^^^\nhint: right\n");
}

TEST(RenderError, WidensTheMarginForLongLineNumbers) {
  const std::string text = std::string(999, '\n') + "x";
  EXPECT_EQ(
      render_error(at(1000, 1, 999, 1), text),
      "error MR-SQL-0001: wrong\n     --> line 1000, column 1\n     |\n1000 | x\n     | ^\nhint: right\n");
}

TEST(RenderError, CutsALongLineAroundThePlace) {
  const std::string text = std::string(5000, 'a') + "bad" + std::string(5000, 'c');
  const std::string out = render_error(at(1, 5001, 5000, 3), text);
  EXPECT_LT(out.size(), 700u);
  EXPECT_NE(out.find("abadc"), std::string::npos);
  EXPECT_NE(out.find("^^^\n"), std::string::npos);
}

TEST(RenderError, SurvivesAPlaceOutsideTheText) {
  for (const uint32_t offset : {0u, 3u, 4u, 100u}) {
    EXPECT_NE(render_error(at(1, 1, offset, 1000), "abc").find("^"), std::string::npos) << offset;
    EXPECT_NE(render_error(at(1, 1, offset, 1000), "").find("^"), std::string::npos) << offset;
  }
  EXPECT_EQ(render_error(error(Code::kInvalid, "MR-SQL-0003", "too long"), "abc"),
            "error MR-SQL-0003: too long\n");
}

TEST(CloseNames, FindsTypingMistakes) {
  const std::vector<std::string> names{"earthquakes", "mag", "place", "net", "time"};
  EXPECT_EQ(did_you_mean("earthqaukes", names), "did you mean \"earthquakes\"?");
  EXPECT_EQ(did_you_mean("Magg", names), "did you mean \"mag\"?");
  EXPECT_EQ(did_you_mean("tiem", names), "did you mean \"time\"?");
  EXPECT_EQ(did_you_mean("customer", names), "");
  EXPECT_EQ(did_you_mean("", names), "");
  EXPECT_EQ(did_you_mean("cat", {"car", "cab", "bat", "at"}), "did you mean \"at\", \"bat\" or \"cab\"?");
}

}  // namespace
}  // namespace millrace::sql
