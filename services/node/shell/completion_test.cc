#include "node/shell/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

CompletionNames names() {
  CompletionNames names;
  names.relations = [] { return std::vector<std::string>{"clicks", "per_page", "Odd name"}; };
  names.columns = [](const std::string& relation) {
    return relation == "clicks" ? std::vector<std::string>{"visitor", "page", "select"}
                                : std::vector<std::string>{"page", "views"};
  };
  names.commands = {"\\d", "\\df", "\\timing"};
  return names;
}

// | is the cursor.
Completion at(const std::string& text) {
  const size_t cursor = text.find('|');
  return complete(text.substr(0, cursor), text.substr(cursor + 1), names());
}
std::vector<std::string> words(const std::string& text) {
  return at(text).words;
}

TEST(Completion, StatementsAtTheBeginning) {
  EXPECT_THAT(words("|"), Contains("CREATE STREAM"));
  EXPECT_THAT(words("SEL|"), ElementsAre("SELECT"));
  EXPECT_THAT(words("sel|"), ElementsAre("select"));
  EXPECT_THAT(words("SELECT 1; sub|"), ElementsAre("subscribe to"));
  EXPECT_THAT(words("SHOW |"), ElementsAre("COLUMNS FROM", "FUNCTIONS", "QUERIES", "STREAMS", "VIEWS"));
  EXPECT_THAT(words("create m|"), ElementsAre("materialized view"));
}

TEST(Completion, NamesOfWhatCanBeRead) {
  EXPECT_THAT(words("SELECT * FROM |"), Contains("\"Odd name\""));
  EXPECT_THAT(words("SELECT * FROM c|"), ElementsAre("clicks", "cumulate("));
  EXPECT_THAT(words("SELECT * FROM TUMBLE(c|"), ElementsAre("clicks"));
  EXPECT_THAT(words("SUBSCRIBE TO p|"), ElementsAre("per_page"));
  EXPECT_THAT(words("DROP VIEW p|"), ElementsAre("per_page"));
  EXPECT_THAT(words("explain per|"), ElementsAre("per_page"));
}

TEST(Completion, ColumnsOfWhatIsNamed) {
  EXPECT_THAT(words("SELECT vis| FROM clicks"), ElementsAre("visitor"));
  EXPECT_THAT(words("SELECT * FROM clicks WHERE sel|"), ElementsAre("\"select\"", "select"));
  EXPECT_THAT(words("SELECT v.| FROM per_page AS v, clicks c"), ElementsAre("page", "views"));
  EXPECT_THAT(words("SELECT per_page.v| FROM per_page"), ElementsAre("views"));
  EXPECT_THAT(words("SELECT vis|"), IsEmpty());
}

TEST(Completion, FunctionsAndKeywords) {
  EXPECT_THAT(words("SELECT upp|"), ElementsAre("upper("));
  EXPECT_THAT(words("SELECT coun|"), Contains("count("));
  EXPECT_THAT(words("SELECT 1 FROM clicks wher|"), ElementsAre("where"));
  EXPECT_THAT(words("SELECT 1 FROM clicks |"), Not(Contains("upper(")));
}

TEST(Completion, NothingInsideOfTexts) {
  EXPECT_THAT(words("SELECT 'sel|"), IsEmpty());
  EXPECT_THAT(words("/* sel|"), IsEmpty());
}

TEST(Completion, Commands) {
  EXPECT_THAT(words("\\|"), ElementsAre("\\d", "\\df", "\\timing"));
  EXPECT_THAT(words("\\d cl|"), ElementsAre("clicks"));
  EXPECT_THAT(words("\\h create m|"), ElementsAre("create materialized view"));
  EXPECT_THAT(words("\\i /et|"), Each(StartsWith("/et")));
  EXPECT_EQ(at("SELECT\n\\d cl|").from, 10u);
}

TEST(Completion, WhatAllBeginWith) {
  EXPECT_EQ(common_prefix({"clicks", "clocks"}), "cl");
  EXPECT_EQ(common_prefix({"one"}), "one");
  EXPECT_EQ(common_prefix({}), "");
}

}  // namespace
}  // namespace millrace::cli
