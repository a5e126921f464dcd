// tests/schemas/protobuf/*.test: pairs of schemas and how they differ. MILLRACE_REWRITE=1 writes what was found into the
// files, for review as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "protobuf/differences.h"
#include "protobuf/protobuf_schema.h"

namespace millrace::protobuf {
namespace {

struct Side {
  std::string text;
  std::vector<schema::NamedSchema> references;
};

struct Case {
  std::string title, head;  // the lines up to `--- expect`
  Side reader, writer;
  std::string expected;
};

// `=== title` begins a case, `--- reader`, `--- reader NAME` (a file that it imports), `--- writer`, `--- expect` its parts.
std::vector<Case> read_cases(std::istream& in) {
  std::vector<Case> out;
  std::string* part = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("===")) {
      out.push_back({line, {}, {}, {}, {}});
      part = nullptr;
    }
    if (out.empty()) continue;
    if (line.starts_with("--- ")) {
      std::istringstream words(line.substr(4));
      std::string side, name;
      words >> side >> name;
      Side& of = side == "reader" ? out.back().reader : out.back().writer;
      if (!name.empty()) of.references.push_back({name, {}});
      part = side == "expect" ? &out.back().expected : name.empty() ? &of.text : &of.references.back().text;
      if (side == "expect") continue;
    } else if (part != nullptr) {
      *part += line + "\n";
    }
    if (part != &out.back().expected) out.back().head += line + "\n";
  }
  return out;
}

std::string found_in(const Case& c) {
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

bool rewrites() {
  return std::getenv("MILLRACE_REWRITE") != nullptr;
}

void run_file(const std::filesystem::path& path, std::string& all) {
  std::ifstream in(path);
  std::string rewritten;
  for (const Case& c : read_cases(in)) {
    const std::string found = found_in(c);
    const std::string expected = c.expected.substr(0, c.expected.find_last_not_of('\n') + 1) + "\n";
    if (!rewrites()) {
      EXPECT_EQ(found, expected) << path.filename() << ": " << c.title;
    }
    rewritten += (rewritten.empty() ? "" : "\n") + c.head + "--- expect\n" + found;
    all += found;
  }
  if (rewrites()) std::ofstream(path) << rewritten;
}

TEST(Cases, GiveTheDifferencesTheyExpect) {
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(MILLRACE_CASES)) {
    if (file.path().extension() == ".test") run_file(file.path(), all);
  }
  for (size_t i = 0; i < kDifferenceTypes; ++i) {
    const std::string name(to_string(static_cast<DifferenceType>(i)));
    EXPECT_NE(("\n" + all).find("\n" + name + " "), std::string::npos) << "no case has " << name;
  }
}

}  // namespace
}  // namespace millrace::protobuf
