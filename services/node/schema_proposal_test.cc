#include "node/schema_proposal.h"

#include <gtest/gtest.h>

#include "base/buffer.h"
#include "node/registry_errors.h"
#include "schema-registry/formats.h"
#include "schema-registry/registry_testing.h"

namespace millrace::node {
namespace {

using registry::Registry;

class SchemaProposal : public testing::Test {
 protected:
  void add(const std::string& subject, const std::string& text) {
    registry::Candidate candidate;
    candidate.type = "JSON";
    candidate.text = text;
    const auto added = registry_.add("t", subject, candidate, false);
    ASSERT_TRUE(added.ok()) << added.error().to_string();
  }
  Result<gateway::ExaminedSchema> examine(gateway::ProposedSchema proposed, std::vector<int32_t> ids = {}) {
    return examine_schema(registry_, "t", proposed, ids);
  }
  static bool takes(const gateway::ExaminedSchema& examined, std::string_view event) {
    const Buffer padded = Buffer::copy(event);
    return examined.check->check(padded.view()).ok();
  }

  registry::MemoryStore::Facts facts_;
  Registry registry_{std::make_unique<registry::MemoryStore>(facts_), registry::known_formats(), {}};
};

TEST_F(SchemaProposal, IsComparedAndTriedAsOneParsedText) {
  add("s", R"({"type": "object", "properties": {"n": {"type": "integer"}}})");
  add("part", R"({"type": "object", "properties": {"n": {"type": "string"}}})");
  const auto examined =
      examine({"s", "JSON", R"({"$ref": "part.json"})", {{"part.json", "part", -1}}}, {1, 7});
  ASSERT_TRUE(examined.ok()) << examined.error().to_string();
  EXPECT_EQ(examined->level, "BACKWARD");
  EXPECT_FALSE(examined->messages.empty());
  EXPECT_TRUE(takes(*examined, R"({"n": "x"})"));
  EXPECT_FALSE(takes(*examined, R"({"n": 1})"));
  ASSERT_EQ(examined->columns_of.size(), 1u) << "7 is no id of it";
  EXPECT_EQ(examined->columns_of.at(1)->front().type, "BIGINT");
}

TEST_F(SchemaProposal, OfWhatCannotBecomeOne) {
  for (const gateway::ProposedSchema& proposed :
       {gateway::ProposedSchema{"s", "JSON", "{", {}}, gateway::ProposedSchema{"s", "XML", "{}", {}},
        gateway::ProposedSchema{"s", "JSON", R"({"$ref": "x"})", {{"x", "x", 1}}},
        gateway::ProposedSchema{"s", "JSON", R"json({"pattern": "(?=x)"})json", {}}}) {
    const auto examined = examine(proposed);
    ASSERT_FALSE(examined.ok()) << proposed.text;
    EXPECT_EQ(no_next_schema("s", examined.error()).id, "MR-SCH-0007") << examined.error().to_string();
  }
}

// A store that is damaged is not the schema's fault.
TEST_F(SchemaProposal, WhereTheRegistryCannotSay) {
  facts_.push_back("no fact");
  const auto examined = examine({"s", "JSON", "{}", {}});
  ASSERT_FALSE(examined.ok());
  EXPECT_EQ(examined.error().id, "MR-REG-0001");
  EXPECT_EQ(no_next_schema("s", examined.error()).id, "MR-SCH-0005");
}

TEST(RegistryErrors, AreReadAlikeByBoth) {
  for (const Code code : {Code::kInvalid, Code::kNotFound, Code::kConflict, Code::kUnsupported}) {
    EXPECT_EQ(schema_not_found("s", error(code, "x", "why")).id, "MR-SCH-0001");
    EXPECT_EQ(no_next_schema("s", error(code, "x", "why")).id, "MR-SCH-0007");
  }
  for (const Code code : {Code::kCorrupt, Code::kExhausted, Code::kUnavailable, Code::kDeadline,
                          Code::kCancelled, Code::kInternal}) {
    for (const Error& told :
         {schema_not_found("s", error(code, "x", "why")), no_next_schema("s", error(code, "x", "why"))}) {
      EXPECT_EQ(told.id, "MR-SCH-0005");
      EXPECT_EQ(told.code, Code::kUnavailable);
    }
  }
}

}  // namespace
}  // namespace millrace::node
