// tests/schemas/json-compatibility/*.test
#include <algorithm>

#include "json-schema/diff.h"
#include "json-schema/internal/diff_types.h"
#include "tests/schemas/cases.h"

namespace millrace::json_schema {
namespace {

std::string verdict_of(const Document& reader, const Document& writer) {
  const auto lenient = diff(reader, writer, Policy::kLenient), strict = diff(reader, writer);
  if (!strict->empty()) return lenient->empty() ? "incompatible, compatible if lenient\n" : "incompatible\n";
  return "compatible\n";
}

std::string found_in(const schema_cases::Case& c) {
  const auto reader = Document::parse(c.reader.text, c.reader.references);
  const auto writer = Document::parse(c.writer.text, c.writer.references);
  if (!reader.ok()) return "reader: " + reader.error().to_string() + "\n";
  if (!writer.ok()) return "writer: " + writer.error().to_string() + "\n";
  const auto found = differences(**reader, **writer);
  if (!found.ok()) return found.error().to_string() + "\n";
  std::string out = verdict_of(**reader, **writer);
  for (const Difference& difference : *found) {
    out += std::string(difference.type) + " " + difference.path;
    out += difference.is_compatible ? "\n" : ": " + difference.message + "\n";
  }
  return out;
}

TEST(Cases, GiveTheDifferencesTheyExpect) {
  const std::string all = schema_cases::run_folder(MILLRACE_CASES, found_in);
  for (const DifferenceType& type : kDifferenceTypes) {
    EXPECT_TRUE(schema_cases::has_line_of(all, type.name)) << "no case has " << type.name;
  }
}

}  // namespace
}  // namespace millrace::json_schema
