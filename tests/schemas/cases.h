// Cases of compatibility as text: pairs of schemas and how they differ.
//
// `=== title` begins a case; `--- reader` and `--- writer` the schemas, with a name a file that they refer to;
// `--- expect` what is found. MILLRACE_REWRITE=1 writes what was found into the files, for review as a diff.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "schema/schema.h"

namespace millrace::schema_cases {

struct Side {
  std::string text;
  std::vector<schema::NamedSchema> references;
};

struct Case {
  std::string title, head;  // the lines up to `--- expect`
  Side reader, writer;
  std::string expected;
};

inline std::string* part_of(Case& c, const std::string& line) {
  std::istringstream words(line.substr(4));
  std::string side, name;
  words >> side >> name;
  if (side == "expect") return &c.expected;
  Side& of = side == "reader" ? c.reader : c.writer;
  if (name.empty()) return &of.text;
  of.references.push_back({name, {}});
  return &of.references.back().text;
}

inline std::vector<Case> read_cases(std::istream& in) {
  std::vector<Case> out;
  std::string* part = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("===")) {
      out.push_back({line, {}, {}, {}, {}});
      part = nullptr;
    }
    if (out.empty()) continue;
    const bool begins = line.starts_with("--- ");
    if (begins) part = part_of(out.back(), line);
    if (part != &out.back().expected) out.back().head += line + "\n";
    if (!begins && part != nullptr) *part += line + "\n";
  }
  return out;
}

// Runs the files of a folder; answers all that was found.
template <typename FoundIn>
std::string run_folder(const std::filesystem::path& folder, FoundIn found_in) {
  const bool rewrites = std::getenv("MILLRACE_REWRITE") != nullptr;
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".test") continue;
    std::ifstream in(file.path());
    std::string rewritten;
    for (const Case& c : read_cases(in)) {
      const std::string found = found_in(c);
      const std::string expected = c.expected.substr(0, c.expected.find_last_not_of('\n') + 1) + "\n";
      if (!rewrites) {
        EXPECT_EQ(found, expected) << file.path().filename() << ": " << c.title;
      }
      rewritten += (rewritten.empty() ? "" : "\n") + c.head + "--- expect\n" + found;
      all += found;
    }
    if (rewrites) std::ofstream(file.path()) << rewritten;
  }
  return all;
}

inline bool has_line_of(const std::string& all, std::string_view type) {
  return ("\n" + all).find("\n" + std::string(type) + " ") != std::string::npos;
}

}  // namespace millrace::schema_cases
