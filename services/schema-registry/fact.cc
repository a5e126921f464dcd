#include "schema-registry/fact.h"

#include <array>
#include <utility>

#include "formats/json_text.h"
#include "formats/jsonb.h"
#include "schema-registry/api_error.h"
#include "schema-registry/json_members.h"

namespace millrace::registry {
namespace {

using What = Fact::What;

constexpr std::array<std::pair<What, std::string_view>, 6> kNames = {{{What::kRegister, "register"},
                                                                      {What::kDelete, "delete"},
                                                                      {What::kErase, "erase"},
                                                                      {What::kConfig, "config"},
                                                                      {What::kMode, "mode"},
                                                                      {What::kDropContext, "drop_context"}}};

Error unknown_fact(const std::string& why) {
  return error(Code::kCorrupt, "MR-REG-0001", "the schema registry's store holds what is no fact: " + why,
               "start the version of Millrace that wrote it, or restore the store from a backup");
}

void write_content(formats::JsonText& json, const Content& content) {
  json.name("type").text(schema::to_string(content.type)).name("schema").text(content.text);
  if (!content.references.empty()) json.name("references").value(references_json(content.references));
  if (!content.metadata.empty()) json.name("metadata").value(content.metadata);
  if (!content.rule_set.empty()) json.name("ruleSet").value(content.rule_set);
}

void write_config(formats::JsonText& json, const std::optional<Config>& config) {
  json.name("config");
  if (!config) {
    json.value("null");
    return;
  }
  json.open('{');
  for (const auto& [key, value] : *config) json.name(key).value(value);
  json.close('}');
}

Result<ContentPtr> read_content(const JsonMembers& members) {
  auto content = std::make_shared<Content>();
  TRY_ASSIGN(const auto type, members.text("type"));
  const auto known = schema::schema_type_of(type.value_or(""));
  if (!known) return unknown_fact("its type of schema is \"" + type.value_or("") + "\"");
  content->type = *known;
  TRY_ASSIGN(auto text, members.text("schema"));
  content->text = std::move(text).value_or("");
  TRY_ASSIGN(content->references, members.references());
  TRY_ASSIGN(content->metadata, members.object("metadata"));
  TRY_ASSIGN(content->rule_set, members.object("ruleSet"));
  return ContentPtr(std::move(content));
}

Result<std::optional<Config>> read_config(const JsonMembers& members) {
  TRY_ASSIGN(const std::string object, members.object("config"));
  if (object.empty()) return std::optional<Config>();
  Config config;
  formats::visit_jsonb(object, [&](std::string_view name, std::string_view value) {
    config.emplace(text_of(name), value);
    return true;
  });
  return std::optional(std::move(config));
}

Result<Fact> read_fact(std::string_view text) {
  TRY_ASSIGN(const std::string object, parse_object(text));
  const JsonMembers members(object);
  TRY_ASSIGN(const auto what, members.text("fact"));
  Fact fact;
  bool known = false;
  for (const auto& [kind, name] : kNames) {
    if (what != name) continue;
    fact.what = kind;
    known = true;
  }
  if (!known) return unknown_fact("it says \"" + what.value_or("") + "\"");
  TRY_ASSIGN(auto tenant, members.text("tenant"));
  TRY_ASSIGN(auto subject, members.text("subject"));
  fact.tenant = std::move(tenant).value_or("");
  fact.subject = std::move(subject).value_or("");
  TRY_ASSIGN(const auto version, members.number("version"));
  TRY_ASSIGN(const auto id, members.number("id"));
  TRY_ASSIGN(const auto time, members.long_number("time"));
  fact.version = version.value_or(0);
  fact.id = id.value_or(0);
  fact.time_ms = time.value_or(0);
  if (fact.what == What::kRegister) {
    TRY_ASSIGN(fact.content, read_content(members));
  }
  if (fact.what == What::kConfig) {
    TRY_ASSIGN(fact.config, read_config(members));
  }
  if (fact.what == What::kMode) {
    TRY_ASSIGN(fact.mode, members.text("mode"));
  }
  return fact;
}

std::string text_of_fact(const Fact& fact) {
  std::string out;
  formats::JsonText json(out);
  json.open('{').name("fact").text(kNames[static_cast<size_t>(fact.what)].second);
  json.name("tenant").text(fact.tenant).name("subject").text(fact.subject).name("time").number(fact.time_ms);
  if (fact.version != 0) json.name("version").number(fact.version);
  if (fact.what == What::kRegister) {
    json.name("id").number(fact.id);
    write_content(json, *fact.content);
  }
  if (fact.what == What::kConfig) write_config(json, fact.config);
  if (fact.what == What::kMode && fact.mode) json.name("mode").text(*fact.mode);
  json.close('}');
  return out;
}

}  // namespace

// Whatever came this far: one fact that cannot be read stops every later start.
Result<std::string> encode_fact(const Fact& fact) {
  std::string text = text_of_fact(fact);
  const auto again = read_fact(text);
  if (!again.ok()) return invalid_schema("the request cannot be stored: " + again.error().message);
  return text;
}

Result<Fact> decode_fact(std::string_view text) {
  auto fact = read_fact(text);
  if (fact.ok() || fact.error().id.starts_with("MR-REG-")) return fact;
  return unknown_fact(fact.error().message);
}

}  // namespace millrace::registry
