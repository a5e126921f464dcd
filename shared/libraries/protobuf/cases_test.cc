// tests/schemas/protobuf/*.test
#include "tests/schemas/cases.h"

#include <algorithm>

#include "protobuf/differences.h"
#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {
namespace {

std::string found_in(const schema_cases::Case& c) {
  const auto reader = kFormat.parse(c.reader.text, c.reader.references);
  const auto writer = kFormat.parse(c.writer.text, c.writer.references);
  if (!reader.ok()) return "reader: " + reader.error().to_string() + "\n";
  if (!writer.ok()) return "writer: " + writer.error().to_string() + "\n";
  const auto found = differences(**reader, **writer);
  if (!found.ok()) return found.error().to_string() + "\n";
  const bool hinders =
      std::any_of(found->begin(), found->end(), [](const auto& d) { return !is_compatible(d.type); });
  std::string out = hinders ? "incompatible\n" : "compatible\n";
  for (const Difference& difference : *found) {
    out += std::string(to_string(difference.type)) + " " + difference.path;
    out += is_compatible(difference.type) ? "\n" : ": " + message_of(difference) + "\n";
  }
  return out;
}

TEST(Cases, GiveTheDifferencesTheyExpect) {
  const std::string all = schema_cases::run_folder(MILLRACE_CASES, found_in);
  for (size_t i = 0; i < kDifferenceTypes; ++i) {
    const std::string_view name = to_string(static_cast<DifferenceType>(i));
    EXPECT_TRUE(schema_cases::has_line_of(all, name)) << "no case has " << name;
  }
}

}  // namespace
}  // namespace millrace::protobuf
