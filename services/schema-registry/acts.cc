#include "schema-registry/acts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "formats/jsonb.h"

namespace millrace::registry {
namespace {

std::string words_of(const Config& config) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : config) {
    std::string& words = keys.emplace_back(key);
    if (formats::jsonb_kind(value) == formats::JsonbKind::kObject) continue;
    words += ' ';
    formats::append_jsonb_text(words, value);
  }
  return fmt::format("config {}", fmt::join(keys, ", "));
}

std::string words_of(const Fact& fact) {
  switch (fact.what) {
    case Fact::What::kRegister:
      return fmt::format("version {} id {}", fact.version, fact.id);
    case Fact::What::kDelete:
      return fmt::format("version {}", fact.version);
    case Fact::What::kErase:
      return fmt::format("version {} for good", fact.version);
    case Fact::What::kConfig:
      return fact.config ? words_of(*fact.config) : "no config";
    case Fact::What::kMode:
      return fact.mode ? "mode " + *fact.mode : "no mode";
    case Fact::What::kDropContext:
      return "dropped";
  }
  return {};
}

}  // namespace

std::string name_of_scope(const std::string& scope) {
  return scope.empty() ? "all subjects" : scope;
}

std::string words_of(const std::vector<Fact>& facts) {
  std::string out;
  const std::string* last = nullptr;
  for (const auto& fact : facts) {
    const bool same = last != nullptr && *last == fact.subject;
    if (last != nullptr) out += same ? ", " : "; ";
    if (!same) out += name_of_scope(fact.subject) + ": ";
    out += words_of(fact);
    last = &fact.subject;
  }
  return out;
}

}  // namespace millrace::registry
