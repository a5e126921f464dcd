// /schemas: by id, by guid, all of them.
#include <fmt/format.h>

#include <charconv>

#include "formats/jsonb.h"
#include "schema-registry/api_bodies.h"
#include "schema-registry/api_error.h"
#include "schema-registry/handlers.h"
#include "schema-registry/json_members.h"
#include "schema-registry/subject_lists.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

struct Found {
  std::string context;
  const StoredSchema* schema;
  int32_t id;
};

bool has_subject(const StoredSchema& schema, const std::string& subject) {
  return std::any_of(schema.versions.begin(), schema.versions.end(),
                     [&](const auto& one) { return one.first == subject; });
}

// Of the subject's context; a name without one may be a subject of another.
Result<Found> find_id(const Call& call) {
  const std::string& text = call.arguments[0];
  int32_t id = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failure != std::errc() || stop != text.data() + text.size())
    return api_error(404, "HTTP 404 Not Found");
  const SubjectName asked = SubjectName::parse(call.asked_subject());
  const StoredSchema* here = call.state().schema(asked.context, id);
  const bool elsewhere = asked.context == kDefaultContext && !asked.subject.empty() &&
                         (here == nullptr || !has_subject(*here, asked.subject));
  if (elsewhere) {
    for (const auto& [context, unused] : call.state().contexts()) {
      const StoredSchema* there = call.state().schema(context, id);
      if (there != nullptr && has_subject(*there, context_scope(context) + asked.subject))
        return Found{context, there, id};
    }
  }
  if (here == nullptr) return no_schema(text);
  return Found{asked.context, here, id};
}

Result<std::string> text_as_asked(Call& call, const StoredSchema& schema) {
  return call.registry.formatted(call.tenant(), schema.versions.begin()->first, schema.content,
                                 call.text("format"));
}

bool has_rule_of_type(const Content& content, const std::string& type) {
  bool found = false;
  if (content.rule_set.empty()) return false;
  formats::visit_jsonb(content.rule_set, [&](std::string_view, std::string_view rules) {
    if (formats::jsonb_kind(rules) != formats::JsonbKind::kArray) return true;
    formats::visit_jsonb(rules, [&](std::string_view, std::string_view rule) {
      const auto of = JsonMembers(rule).text("type");
      found |= of.ok() && *of == type;
      return !found;
    });
    return !found;
  });
  return found;
}

std::vector<SubjectVersion> listed_versions(const Call& call, const StoredSchema& schema) {
  const bool deleted = call.flag("deleted");
  std::vector<SubjectVersion> out;
  for (const auto& one : schema.versions) {
    if (deleted || call.state().is_live(one)) out.push_back(one);
  }
  return out;
}

// The subjects that are an alias of another, by that.
std::multimap<std::string, std::string> aliases(const TenantState& state) {
  std::multimap<std::string, std::string> out;
  for (const auto& [scope, config] : state.configs()) {
    const auto alias = config.find("alias");
    if (alias != config.end()) out.emplace(in_context_of(scope, text_of(alias->second)), scope);
  }
  return out;
}

}  // namespace

bool knows_id(const Call& call) {
  const auto found = find_id(call);
  if (!found.ok()) return false;
  const std::string asked = SubjectName::parse(call.asked_subject()).subject;
  return asked.empty() || has_subject(*found->schema, context_scope(found->context) + asked);
}

Result<std::string> list_schemas(Call& call) {
  const std::string rule_type = call.text("ruleType");
  const bool deleted = call.flag("deleted"), latest_only = call.flag("latestOnly");
  std::vector<std::pair<const std::string*, const Version*>> found;
  for (const auto& [subject, versions] : call.state().subjects()) {
    if (!has_prefix(call, subject)) continue;
    const size_t before = found.size();
    for (const auto& [number, version] : versions) {
      if (version.deleted && !deleted) continue;
      if (latest_only) found.resize(before);
      found.emplace_back(&subject, &version);
    }
  }
  if (!rule_type.empty())
    std::erase_if(found, [&](const auto& one) { return !has_rule_of_type(*one.second->content, rule_type); });
  const auto by_alias =
      call.flag("aliases") ? aliases(call.state()) : std::multimap<std::string, std::string>();
  Call::Page page = call.page(found.size());
  page.to = std::min(page.to, page.from + kMaxPage);
  std::string out;
  formats::JsonText json(out);
  json.open('[');
  for (size_t i = page.from; i < page.to && out.size() < kMaxPageBytes; ++i) {
    json.open('{');
    write_version(json, *found[i].first, *found[i].second, found[i].second->content->text,
                  call.request.accept_unknown);
    const auto [from, to] = by_alias.equal_range(*found[i].first);
    if (from != to) {
      json.name("aliases").open('[');
      for (auto at = from; at != to; ++at) json.text(at->second);
      json.close(']');
    }
    json.close('}');
  }
  json.close(']');
  return out;
}

Result<std::string> schema_by_id(Call& call) {
  TRY_ASSIGN(const Found found, find_id(call));
  TRY_ASSIGN(const std::string text, text_as_asked(call, *found.schema));
  std::string out;
  formats::JsonText json(out);
  json.open('{');
  if (call.request.accept_unknown) {
    const auto& [subject, version] = *found.schema->versions.begin();
    json.name("subject").text(subject).name("version").number(version);
    json.name("guid").text(found.schema->guid);
  }
  write_content(json, *found.schema->content, text, call.request.accept_unknown);
  if (call.flag("fetchMaxId")) json.name("maxId").number(call.state().last_id(found.context));
  json.close('}');
  return out;
}

Result<std::string> raw_schema_by_id(Call& call) {
  TRY_ASSIGN(const Found found, find_id(call));
  return text_as_asked(call, *found.schema);
}

Result<std::string> subjects_of_id(Call& call) {
  TRY_ASSIGN(const Found found, find_id(call));
  std::set<std::string> subjects;
  for (const auto& [subject, version] : listed_versions(call, *found.schema)) subjects.insert(subject);
  return names_json(call, {subjects.begin(), subjects.end()});
}

Result<std::string> versions_of_id(Call& call) {
  TRY_ASSIGN(const Found found, find_id(call));
  std::string out;
  formats::JsonText json(out);
  json.open('[');
  const auto listed = listed_versions(call, *found.schema);
  const Call::Page page = call.page(listed.size());
  for (size_t i = page.from; i < page.to; ++i) {
    const auto& [subject, version] = listed[i];
    json.open('{').name("subject").text(subject).name("version").number(version).close('}');
  }
  json.close(']');
  return out;
}

Result<std::string> schema_by_guid(Call& call) {
  const std::string& guid = call.arguments[0];
  for (const auto& [name, context] : call.state().contexts()) {
    const auto ids = context.by_guid.find(guid);
    if (ids == context.by_guid.end()) continue;
    const StoredSchema& schema = context.ids.at(*ids->second.begin());
    TRY_ASSIGN(const std::string text, text_as_asked(call, schema));
    std::string out;
    formats::JsonText json(out);
    json.open('{');
    if (call.request.accept_unknown) json.name("guid").text(guid);
    write_content(json, *schema.content, text, call.request.accept_unknown);
    json.close('}');
    return out;
  }
  return no_schema(guid);
}

Result<std::string> ids_of_guid(Call& call) {
  const std::string& guid = call.arguments[0];
  std::string out;
  formats::JsonText json(out);
  json.open('[');
  for (const auto& [name, context] : call.state().contexts()) {
    const auto ids = context.by_guid.find(guid);
    if (ids == context.by_guid.end()) continue;
    for (const int32_t id : ids->second)
      json.open('{').name("context").text(name).name("id").number(id).close('}');
  }
  json.close(']');
  if (out == "[]") return no_schema(guid);
  return out;
}

Result<std::string> list_types(Call& call) {
  std::vector<std::string> names;
  for (const auto& format : call.registry.formats()) names.emplace_back(schema::to_string(format.type));
  return names_json(call, std::move(names));
}

}  // namespace millrace::registry
