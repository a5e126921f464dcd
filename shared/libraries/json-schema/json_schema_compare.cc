// How pairs of schemas differ, for programs: reads lines of READER tab WRITER, writes a line each: what hinders reading, as
// TYPE PATH separated by tabs; nothing: it is compatible. "ERROR …": a schema is none, or they take too long to compare.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "json-schema/diff.h"

namespace millrace::json_schema {
namespace {

std::string answer(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return "ERROR a line is READER, a tab, WRITER";
  const auto reader = Document::parse(line.substr(0, tab), {}),
             writer = Document::parse(line.substr(tab + 1), {});
  if (!reader.ok()) return "ERROR " + reader.error().to_string();
  if (!writer.ok()) return "ERROR " + writer.error().to_string();
  const auto found = diff(**reader, **writer);
  if (!found.ok()) return "ERROR " + found.error().to_string();
  std::string out;
  for (const auto& one : *found) out += fmt::format("{}{} {}", out.empty() ? "" : "\t", one.type, one.path);
  return out;
}

}  // namespace
}  // namespace millrace::json_schema

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << millrace::json_schema::answer(line) << std::endl;
}
