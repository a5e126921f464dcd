#include "schema-registry/api_bodies.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "formats/jsonb.h"
#include "schema-registry/api_error.h"
#include "schema-registry/json_members.h"
#include "schema-registry/rule_sets.h"

namespace millrace::registry {
namespace {

using formats::JsonbKind;

struct ConfigKey {
  std::string_view name;
  JsonbKind kind;
};
constexpr std::array<ConfigKey, 14> kConfigKeys = {{{"alias", JsonbKind::kString},
                                                    {"aliasForDeks", JsonbKind::kString},
                                                    {"normalize", JsonbKind::kBoolean},
                                                    {"validateFields", JsonbKind::kBoolean},
                                                    {"validateNewSchemas", JsonbKind::kBoolean},
                                                    {"validateNames", JsonbKind::kBoolean},
                                                    {"validateRules", JsonbKind::kBoolean},
                                                    {"compatibilityLevel", JsonbKind::kString},
                                                    {"compatibilityPolicy", JsonbKind::kString},
                                                    {"compatibilityGroup", JsonbKind::kString},
                                                    {"defaultMetadata", JsonbKind::kObject},
                                                    {"overrideMetadata", JsonbKind::kObject},
                                                    {"defaultRuleSet", JsonbKind::kObject},
                                                    {"overrideRuleSet", JsonbKind::kObject}}};

std::string in_upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// Each element of an array of {schemaEntity: {entityPath}, tags: […]}.
Status visit_tags(const JsonMembers& members, std::string_view name,
                  const std::function<void(const std::string& path, std::vector<std::string> tags)>& visit) {
  const auto list = members.value(name);
  if (!list) return {};
  if (formats::jsonb_kind(*list) != JsonbKind::kArray)
    return api_error(400, fmt::format("the body's member \"{}\" has to be an array", name));
  Status read;
  formats::visit_jsonb(*list, [&](std::string_view, std::string_view one) {
    const auto entity = JsonMembers(one).object("schemaEntity");
    const auto path = entity.ok() ? JsonMembers(*entity).text("entityPath")
                                  : Result<std::optional<std::string>>(entity.error());
    auto tags = JsonMembers(one).texts("tags");
    if (!path.ok() || !*path || !tags.ok()) {
      read = api_error(400, fmt::format("the body's member \"{}\" has to hold objects of a schemaEntity with "
                                        "its entityPath, and tags",
                                        name));
    } else {
      visit(**path, std::move(*tags));
    }
    return read.ok();
  });
  return read;
}

// Tags stand in the metadata, by the path of what they are about: the schema's text stays as it was written.
Result<std::string> with_tags(const JsonMembers& members, std::string metadata, const char* add,
                              const char* remove) {
  std::map<std::string, std::set<std::string>> tags;
  const auto known = metadata.empty() ? std::nullopt : JsonMembers(metadata).value("tags");
  if (known && formats::jsonb_kind(*known) == JsonbKind::kObject) {
    formats::visit_jsonb(*known, [&](std::string_view path, std::string_view value) {
      const auto list = texts_of(value);
      if (list) tags[text_of(path)].insert(list->begin(), list->end());
      return true;
    });
  }
  bool changed = false;
  TRY(visit_tags(members, add, [&](const std::string& path, std::vector<std::string> list) {
    tags[path].insert(list.begin(), list.end());
    changed = true;
  }));
  TRY(visit_tags(members, remove, [&](const std::string& path, const std::vector<std::string>& list) {
    for (const auto& one : list) tags[path].erase(one);
    changed = true;
  }));
  if (!changed) return metadata;
  std::erase_if(tags, [](const auto& one) { return one.second.empty(); });
  std::string object;
  formats::JsonText json(object);
  json.open('{').name("tags").open('{');
  for (const auto& [path, list] : tags) {
    json.name(path).open('[');
    for (const auto& tag : list) json.text(tag);
    json.close(']');
  }
  json.close('}').close('}');
  std::vector<formats::JsonbMember> others;
  if (!metadata.empty()) {
    formats::visit_jsonb(metadata, [&](std::string_view name, std::string_view value) {
      if (text_of(name) != "tags") others.push_back({text_of(name), std::string(value)});
      return true;
    });
  }
  std::string rest;
  formats::append_jsonb_object(rest, std::move(others));
  TRY_ASSIGN(const std::string added, formats::parse_jsonb(object));
  return merge_metadata(rest, added);
}

}  // namespace

Result<Candidate> read_candidate(const std::string& body) {
  TRY_ASSIGN(const std::string object, parse_object(body));
  const JsonMembers members(object);
  Candidate candidate;
  TRY_ASSIGN(auto text, members.text("schema"));
  TRY_ASSIGN(auto type, members.text("schemaType"));
  TRY_ASSIGN(const auto id, members.number("id"));
  TRY_ASSIGN(const auto version, members.number("version"));
  candidate.text = std::move(text).value_or("");
  candidate.type = std::move(type).value_or("");
  candidate.id = id.value_or(-1);
  candidate.version = version.value_or(0);
  TRY_ASSIGN(candidate.references, members.references());
  TRY_ASSIGN(std::string metadata, members.object("metadata"));
  TRY_ASSIGN(candidate.metadata,
             with_tags(members, std::move(metadata), "schemaTagsToAdd", "schemaTagsToRemove"));
  TRY_ASSIGN(candidate.rule_set, members.object("ruleSet"));
  return candidate;
}

Result<Candidate> read_tags(const std::string& body, const Version& of) {
  TRY_ASSIGN(const std::string object, parse_object(body));
  const JsonMembers members(object);
  const Content& content = *of.content;
  Candidate candidate;
  candidate.type = schema::to_string(content.type);
  candidate.text = content.text;
  candidate.references = content.references;
  TRY_ASSIGN(const auto version, members.number("newVersion"));
  candidate.version = version.value_or(-1);
  TRY_ASSIGN(std::string metadata, members.object("metadata"));
  TRY_ASSIGN(candidate.metadata,
             with_tags(members, metadata.empty() ? content.metadata : metadata, "tagsToAdd", "tagsToRemove"));
  TRY_ASSIGN(candidate.rule_set, members.object("ruleSet"));
  TRY_ASSIGN(const std::string merged, members.object("rulesToMerge"));
  TRY_ASSIGN(const auto removed, members.texts("rulesToRemove"));
  if (merged.empty() && removed.empty()) return candidate;
  candidate.rule_set = without_rules(merge_rule_sets(content.rule_set, merged), removed);
  return candidate;
}

Result<Config> read_config(const std::string& body) {
  TRY_ASSIGN(const std::string object, parse_object(body));
  Config config;
  Status read;
  formats::visit_jsonb(object, [&](std::string_view jsonb_name, std::string_view value) {
    std::string name = text_of(jsonb_name);
    if (name == "compatibility") name = kCompatibilityLevel;
    for (const auto& key : kConfigKeys) {
      if (key.name != name) continue;
      const JsonbKind kind = formats::jsonb_kind(value);
      if (kind != key.kind && kind != JsonbKind::kNull) {
        read = name == kCompatibilityLevel    ? invalid_level()
               : name == kCompatibilityPolicy ? invalid_policy()
                                              : api_error(400, fmt::format("\"{}\" has another type", name));
      }
      const bool is_word = name == kCompatibilityLevel || name == kCompatibilityPolicy;
      config[name] =
          is_word && kind == JsonbKind::kString ? in_upper_case(std::string(value)) : std::string(value);
    }
    return read.ok();
  });
  TRY(std::move(read));
  return config;
}

Result<std::string> read_mode(const std::string& body) {
  TRY_ASSIGN(const std::string object, parse_object(body));
  const auto mode = JsonMembers(object).text("mode");
  if (!mode.ok() || !*mode) return invalid_mode();
  return in_upper_case(**mode);
}

void write_content(formats::JsonText& json, const Content& content, const std::string& text, bool newer) {
  if (newer || content.type != schema::SchemaType::kAvro)
    json.name("schemaType").text(schema::to_string(content.type));
  if (!content.references.empty()) json.name("references").value(references_json(content.references));
  if (!content.metadata.empty()) json.name("metadata").value(content.metadata);
  if (!content.rule_set.empty()) json.name("ruleSet").value(content.rule_set);
  json.name("schema").text(text);
}

void write_version(formats::JsonText& json, const std::string& subject, const Version& version,
                   const std::string& text, bool newer) {
  json.name("subject").text(subject).name("version").number(version.number).name("id").number(version.id);
  if (newer) json.name("guid").text(guid_of(*version.content));
  write_content(json, *version.content, text, newer);
  if (!newer) return;
  json.name("ts").number(version.time_ms);
  if (version.deleted) json.name("deleted").flag(true);
}

std::string config_body(const Config& config, std::string_view level_name) {
  std::string out;
  formats::JsonText json(out);
  json.open('{');
  for (const auto& [key, value] : config)
    json.name(key == kCompatibilityLevel ? level_name : key).value(value);
  json.close('}');
  return out;
}

}  // namespace millrace::registry
