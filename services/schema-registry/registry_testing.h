// What tests of the registry share: a store in memory, and a format that fits on a line.
//
// A schema of the test format is words: `a` is a field that a writer has to have written, `a?` one that it need not have,
// `a~` one that a trusted writer has written, `@name` one that refers to another schema. `!` is no schema.
#pragma once

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "schema-registry/store.h"
#include "schema/schema.h"

namespace millrace::registry {

class MemoryStore final : public Store {
 public:
  using Facts = std::vector<std::string>;
  explicit MemoryStore(Facts& facts) : facts_(facts) {}

  Result<Facts> read(uint64_t after, size_t most) override {
    const auto from = facts_.begin() + static_cast<ptrdiff_t>(std::min<size_t>(after, facts_.size()));
    const auto left = static_cast<size_t>(facts_.end() - from);
    return Facts(from, from + static_cast<ptrdiff_t>(std::min(left, most)));
  }
  Result<bool> append(uint64_t after, const Facts& facts) override {
    if (after != facts_.size()) return false;
    facts_.insert(facts_.end(), facts.begin(), facts.end());
    return true;
  }
  bool is_shared() const override { return true; }

 private:
  Facts& facts_;
};

class WordSchema final : public schema::Schema {
 public:
  WordSchema(schema::SchemaType type, std::vector<std::string> words)
      : type_(type), words_(std::move(words)) {
    for (const auto& word : words_) text_ += (text_.empty() ? "" : " ") + word;
  }
  schema::SchemaType type() const override { return type_; }
  const std::string& text() const override { return text_; }
  std::string normalized() const override {
    auto sorted = words_;
    std::sort(sorted.begin(), sorted.end());
    return WordSchema(type_, sorted).text();
  }
  Result<std::string> formatted(std::string_view format) const override {
    if (format == "unspeakable") return error(Code::kInvalid, "MR-TEST-0002", "no words for it", "");
    return format == "resolved" ? "resolved: " + text_ : text_;
  }
  // A writer that is trusted has written `a~`, too, whatever it has declared.
  Result<std::vector<schema::Incompatibility>> what_hinders_trusting(const Schema& writer) const override {
    TRY_ASSIGN(auto out, what_hinders_reading(writer));
    std::erase_if(out, [](const auto& one) { return one.path.ends_with('~'); });
    return out;
  }
  Result<std::vector<schema::Incompatibility>> what_hinders_reading(const Schema& writer) const override {
    const auto& other = dynamic_cast<const WordSchema&>(writer).words_;
    std::vector<schema::Incompatibility> out;
    for (const auto& word : words_) {
      const bool written = std::find(other.begin(), other.end(), word) != other.end() ||
                           std::find(other.begin(), other.end(), word + "?") != other.end();
      if (!written && !word.ends_with('?')) out.push_back({"MISSING", "/" + word, "no " + word});
    }
    return out;
  }

 private:
  schema::SchemaType type_;
  std::vector<std::string> words_;
  std::string text_;
};

inline Result<std::vector<std::string>> fields_of_words(const schema::Schema& schema) {
  std::vector<std::string> out;
  std::istringstream in{schema.text()};
  for (std::string word; in >> word;)
    out.push_back(word.ends_with('?') ? word.substr(0, word.size() - 1) : word);
  return out;
}

template <schema::SchemaType type>
Result<schema::SchemaPtr> parse_words(std::string_view text,
                                      std::span<const schema::NamedSchema> references) {
  std::vector<std::string> words;
  std::istringstream in{std::string(text)};
  for (std::string word; in >> word;) {
    const bool known = word[0] != '@' || std::any_of(references.begin(), references.end(),
                                                     [&](const auto& r) { return r.name == word.substr(1); });
    if (!known || word == "!") return error(Code::kInvalid, "MR-TEST-0001", "\"" + word + "\" is no word");
    words.push_back(word);
  }
  return schema::SchemaPtr(std::make_shared<WordSchema>(type, std::move(words)));
}

inline constexpr std::array<schema::SchemaFormat, 3> kWordFormats = {
    {{schema::SchemaType::kJson, parse_words<schema::SchemaType::kJson>, fields_of_words},
     {schema::SchemaType::kProtobuf, parse_words<schema::SchemaType::kProtobuf>, fields_of_words},
     {schema::SchemaType::kAvro, parse_words<schema::SchemaType::kAvro>, fields_of_words}}};

}  // namespace millrace::registry
