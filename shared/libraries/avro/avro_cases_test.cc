// Runs the text cases of tests/schemas/avro: what is said of schemas and of data, as its README describes.
// MILLRACE_REWRITE=1 writes what is said now into the files, to be read as a diff.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "avro/codec.h"

namespace millrace::avro {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string title;
  std::string given;                           // as it stands in the file
  std::multimap<std::string, std::string> of;  // the same by word: reader, writer, schema …
  std::vector<schema::NamedSchema> references;
  std::string expected;

  const std::string& at(const std::string& word) const { return of.find(word)->second; }
  bool has(const std::string& word) const { return of.contains(word); }
};

// "word text" begins what is given, a line that is indented goes on with it.
void read_given(Case& c, const std::string& line, std::string*& open) {
  c.given += line + "\n";
  if (line.starts_with(' ')) {
    ASSERT_NE(open, nullptr) << c.title;
    *open += "\n" + line;
    return;
  }
  if (line.empty() || line.starts_with('#')) return;
  const size_t space = std::min(line.find(' '), line.size());
  const std::string word = line.substr(0, space), text = line.substr(std::min(space + 1, line.size()));
  if (word == "reference") {
    const size_t end = text.find(' ');
    open = &c.references.emplace_back(schema::NamedSchema{text.substr(0, end), text.substr(end + 1)}).text;
  } else {
    open = &c.of.emplace(word, text)->second;
  }
}

struct CaseFile {
  std::string head;
  std::vector<Case> cases;
};

CaseFile read_file(const fs::path& path) {
  CaseFile file;
  std::ifstream in(path);
  std::string* open = nullptr;
  bool answer = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      file.cases.push_back({.title = line});
      open = nullptr;
      answer = false;
    } else if (file.cases.empty()) {
      file.head += line + "\n";
    } else if (line == "----") {
      answer = true;
    } else if (answer) {
      if (!line.empty()) file.cases.back().expected += line + "\n";
    } else {
      read_given(file.cases.back(), line, open);
    }
  }
  return file;
}

void write_file(const fs::path& path, const CaseFile& file) {
  std::ofstream out(path);
  out << file.head;
  for (const Case& c : file.cases)
    out << c.title << "\n" << c.given << "----\n" << c.expected << (&c == &file.cases.back() ? "" : "\n");
}

std::string told(const Error& error) {
  std::string out = fmt::format("{} {}: {}\n", to_string(error.code), error.id, error.message);
  if (error.span) out += fmt::format("line {}, column {}\n", error.span->line, error.span->column);
  return out;
}

Result<std::string> texts(const Case& c) {
  TRY_ASSIGN(const auto schema, AvroSchema::parse(c.at("schema"), c.references));
  TRY_ASSIGN(const std::string resolved, schema->formatted("resolved"));
  TRY_ASSIGN(const auto again, AvroSchema::parse(schema->text(), c.references));
  EXPECT_EQ(again->text(), schema->text()) << c.title;
  EXPECT_EQ(again->canonical(), schema->canonical()) << c.title;
  TRY_ASSIGN(const auto alone, AvroSchema::parse(resolved));
  EXPECT_EQ(alone->canonical(), schema->canonical()) << c.title;
  std::string out = "text " + schema->text() + "\n";
  if (schema->normalized() != schema->text()) out += "normalized " + schema->normalized() + "\n";
  if (resolved != schema->text()) out += "resolved " + resolved + "\n";
  if (schema->canonical() != schema->text()) out += "canonical " + schema->canonical() + "\n";
  return out + fmt::format("fingerprint {:016x}\n", schema->fingerprint());
}

Result<std::string> comparison(const Case& c) {
  TRY_ASSIGN(const auto reader, AvroSchema::parse(c.at("reader"), c.references));
  TRY_ASSIGN(const auto writer, AvroSchema::parse(c.at("writer"), c.references));
  TRY_ASSIGN(const auto found, reader->what_hinders_reading(*writer));
  std::string out = found.empty() ? "compatible\n" : "";
  for (const auto& i : found) out += fmt::format("{} {} {}\n", i.type, i.path, i.message);
  return out;
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}
std::string bytes_of(const std::string& hex) {
  std::string digits, out;
  for (const char c : hex)
    if (c != ' ' && c != '\n') digits += c;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return out;
}

Result<std::string> decoded(const Case& c) {
  TRY_ASSIGN(const auto writer, AvroSchema::parse(c.at("writer"), c.references));
  TRY_ASSIGN(const auto reader, AvroSchema::parse(c.at(c.has("reader") ? "reader" : "writer"), c.references));
  TRY_ASSIGN(const auto resolution, Resolution::make(writer, reader));
  TRY_ASSIGN(const auto plain, to_json(*resolution, bytes_of(c.at("bytes")), JsonForm::kPlain));
  TRY_ASSIGN(const auto avro, to_json(*resolution, bytes_of(c.at("bytes")), JsonForm::kAvro));
  return "plain " + plain + "\n" + (avro == plain ? "" : "avro " + avro + "\n");
}

// The bytes, and that they are read as what was written.
Result<std::string> encoded(const Case& c, JsonForm form) {
  TRY_ASSIGN(const auto writer, AvroSchema::parse(c.at("writer"), c.references));
  TRY_ASSIGN(const auto bytes, from_json(*writer, c.at(form == JsonForm::kPlain ? "plain" : "avro"), form));
  TRY_ASSIGN(const auto resolution, Resolution::make(writer, writer));
  TRY_ASSIGN(const auto again, to_json(*resolution, bytes, form));
  return "bytes " + hex_of(bytes) + "\nagain " + again + "\n";
}

Result<std::string> answer(const Case& c) {
  if (c.has("bytes")) return decoded(c);
  if (c.has("plain")) return encoded(c, JsonForm::kPlain);
  if (c.has("avro")) return encoded(c, JsonForm::kAvro);
  return c.has("schema") ? texts(c) : comparison(c);
}

std::string outcome(const Case& c) {
  const auto said = answer(c);
  return said.ok() ? *said : told(said.error());
}

TEST(AvroCases, SayWhatTheFilesExpect) {
  const bool rewrite = std::getenv("MILLRACE_REWRITE") != nullptr;
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(MILLRACE_AVRO_CASES)) {
    if (entry.path().extension() != ".test") continue;
    CaseFile file = read_file(entry.path());
    for (Case& c : file.cases) {
      const std::string said = outcome(c);
      if (!rewrite) {
        EXPECT_EQ(said, c.expected) << entry.path().filename() << " " << c.title;
      }
      c.expected = said;
      ++count;
    }
    if (rewrite) write_file(entry.path(), file);
  }
  EXPECT_GT(count, 50u);
}

}  // namespace
}  // namespace millrace::avro
