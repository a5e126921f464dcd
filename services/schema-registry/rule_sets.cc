#include "schema-registry/rule_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "formats/json_text.h"
#include "formats/jsonb.h"
#include "schema-registry/api_error.h"
#include "schema-registry/json_members.h"

namespace millrace::registry {
namespace {

using formats::JsonbKind;

struct RuleList {
  std::string_view name;
  bool migrates;
};
constexpr std::array<RuleList, 3> kRuleLists = {
    {{"migrationRules", true}, {"domainRules", false}, {"encodingRules", false}}};

std::vector<formats::JsonbMember> members_of(const std::string& object) {
  std::vector<formats::JsonbMember> out;
  if (object.empty()) return out;
  formats::visit_jsonb(object, [&](std::string_view name, std::string_view value) {
    out.push_back({text_of(name), std::string(value)});
    return true;
  });
  return out;
}

std::string object_of(std::vector<formats::JsonbMember> members) {
  std::string out;
  formats::append_jsonb_object(out, std::move(members));
  return out;
}

std::string array_of(const std::vector<std::string>& elements) {
  std::string out = "[";
  for (const auto& one : elements) out += (out.size() > 1 ? ", " : "") + one;
  return out + "]";
}

std::vector<std::string> elements_of(std::string_view array) {
  std::vector<std::string> out;
  if (formats::jsonb_kind(array) != JsonbKind::kArray) return out;
  formats::visit_jsonb(array, [&](std::string_view, std::string_view value) {
    out.emplace_back(value);
    return true;
  });
  return out;
}

std::string name_of(std::string_view rule) {
  const auto name = JsonMembers(rule).text("name");
  return name.ok() ? name->value_or("") : std::string();
}

// Objects member by member, arrays without what is in them twice; else the second.
std::string merge_values(const std::string& first, const std::string& second) {
  const JsonbKind kind = formats::jsonb_kind(first);
  if (kind != formats::jsonb_kind(second)) return second;
  if (kind == JsonbKind::kObject) {
    auto members = members_of(first);
    for (auto& one : members_of(second)) members.push_back(std::move(one));
    return object_of(std::move(members));
  }
  if (kind != JsonbKind::kArray) return second;
  auto elements = elements_of(first);
  std::unordered_set<std::string> known(elements.begin(), elements.end());
  for (auto& one : elements_of(second)) {
    if (known.insert(one).second) elements.push_back(std::move(one));
  }
  return array_of(elements);
}

using Names = std::unordered_set<std::string>;

std::vector<std::string> without(std::vector<std::string> rules, const Names& names) {
  std::erase_if(rules, [&](const std::string& rule) { return names.contains(name_of(rule)); });
  return rules;
}

// Of several of one name the last stays.
std::string merge_rules(const std::string& first, const std::string& second) {
  Names names;
  std::vector<std::string> later;
  auto added = elements_of(second);
  for (auto rule = added.rbegin(); rule != added.rend(); ++rule) {
    if (names.insert(name_of(*rule)).second) later.push_back(std::move(*rule));
  }
  auto rules = without(elements_of(first), names);
  std::move(later.rbegin(), later.rend(), std::back_inserter(rules));
  return array_of(rules);
}

template <typename Merge>
std::string merge(const std::string& first, const std::string& second, Merge merge_members) {
  if (first.empty() || second.empty()) return first.empty() ? second : first;
  auto members = members_of(first);
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < members.size(); ++i) places.emplace(members[i].name, i);
  for (auto& one : members_of(second)) {
    const auto same = places.find(one.name);
    if (same == places.end()) {
      members.push_back(std::move(one));
    } else {
      members[same->second].value = merge_members(members[same->second].value, one.value);
    }
  }
  return object_of(std::move(members));
}

Status check_rule(std::string_view rule, bool migrates, Names& names) {
  if (formats::jsonb_kind(rule) != JsonbKind::kObject) return invalid_rules("a rule has to be an object");
  const std::string name = name_of(rule);
  if (name.empty()) return invalid_rules("Missing rule name");
  if (!names.insert(name).second)
    return invalid_rules(fmt::format("Found rule with duplicate name '{}'", name));
  const auto mode = JsonMembers(rule).text("mode");
  if (!mode.ok()) return invalid_rules(fmt::format("the mode of rule '{}' is no string", name));
  if (!*mode) return {};
  const std::string& word = **mode;
  const bool of_migration = word == "UPGRADE" || word == "DOWNGRADE" || word == "UPDOWN";
  const bool of_domain = word == "WRITE" || word == "READ" || word == "WRITEREAD";
  if (migrates ? of_migration : of_domain) return {};
  return invalid_rules(
      fmt::format("{} rules cannot have mode '{}'", migrates ? "Migration" : "Domain", word));
}

}  // namespace

std::string merge_metadata(const std::string& first, const std::string& second) {
  return merge(first, second, merge_values);
}

std::string merge_rule_sets(const std::string& first, const std::string& second) {
  return merge(first, second, [](const std::string& a, const std::string& b) {
    return formats::jsonb_kind(a) == JsonbKind::kArray ? merge_rules(a, b) : b;
  });
}

std::string without_rules(const std::string& rule_set, const std::vector<std::string>& names) {
  auto members = members_of(rule_set);
  const Names gone(names.begin(), names.end());
  for (auto& list : members) {
    if (formats::jsonb_kind(list.value) != JsonbKind::kArray) continue;
    list.value = array_of(without(elements_of(list.value), gone));
  }
  return members.empty() ? std::string() : object_of(std::move(members));
}

std::optional<std::string> metadata_property(const std::string& metadata, std::string_view name) {
  if (metadata.empty()) return std::nullopt;
  const auto properties = JsonMembers(metadata).value("properties");
  if (!properties) return std::nullopt;
  const auto value = JsonMembers(*properties).text(name);
  return value.ok() ? *value : std::nullopt;
}

std::string with_property(const std::string& metadata, std::string_view name, std::string_view value) {
  std::string text;
  formats::append_jsonb_string(text, value);
  const std::string properties = object_of({{std::string(name), std::move(text)}});
  return merge_metadata(metadata, object_of({{"properties", properties}}));
}

Status check_rule_set(const std::string& rule_set) {
  if (rule_set.empty()) return {};
  Names names;
  for (const auto& list : kRuleLists) {
    const auto rules = JsonMembers(rule_set).value(list.name);
    if (!rules) continue;
    if (formats::jsonb_kind(*rules) != JsonbKind::kArray)
      return invalid_rules(fmt::format("\"{}\" has to be an array", list.name));
    for (const auto& rule : elements_of(*rules)) TRY(check_rule(rule, list.migrates, names));
    if (names.size() > kMaxRules)
      return invalid_rules(fmt::format("there are more than {} rules", kMaxRules));
  }
  return {};
}

}  // namespace millrace::registry
