// /subjects and /compatibility: registering, looking up, comparing, deleting.
#include <fmt/format.h>

#include <algorithm>

#include "schema-registry/api_bodies.h"
#include "schema-registry/api_error.h"
#include "schema-registry/handlers.h"
#include "schema-registry/json_members.h"
#include "schema-registry/rule_sets.h"
#include "schema-registry/subject_lists.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

bool normalizes(const Call& call, const std::string& subject) {
  return call.flag("normalize") || call.registry.is_on(call.tenant(), subject, "normalize");
}

Result<std::string> version_body(Call& call, const std::string& subject, const Version& version) {
  TRY_ASSIGN(const std::string text,
             call.registry.formatted(call.tenant(), subject, version.content, call.text("format")));
  std::string out;
  formats::JsonText json(out);
  json.open('{');
  write_version(json, subject, version, text, call.request.accept_unknown);
  json.close('}');
  return out;
}

// The schema itself only where it is not what the client sent: clients take its text for the one that they know.
Result<std::string> registered_body(Call& call, const std::string& subject, const Candidate& sent,
                                    const Version& version) {
  if (!call.request.accept_unknown) return fmt::format("{{\"id\":{}}}", version.id);
  const Content& content = *version.content;
  const bool as_sent =
      !sent.text.empty() && sent.metadata == content.metadata && sent.rule_set == content.rule_set;
  if (!as_sent) return version_body(call, subject, version);
  return fmt::format("{{\"id\":{},\"version\":{},\"guid\":\"{}\",\"schemaType\":\"{}\",\"ts\":{}}}",
                     version.id, version.number, guid_of(content), schema::to_string(content.type),
                     version.time_ms);
}

std::string numbers_json(const std::vector<int32_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

std::string verdict_json(const Call& call, const std::vector<std::string>& found) {
  std::string out;
  formats::JsonText json(out);
  json.open('{').name("is_compatible").flag(found.empty());
  if (call.flag("verbose") && !found.empty()) {
    json.name("messages").open('[');
    for (const auto& one : found) json.text(one);
    json.close(']');
  }
  json.close('}');
  return out;
}

}  // namespace

bool has_prefix(const Call& call, const std::string& subject) {
  std::string prefix = call.parameter("subjectPrefix") == nullptr
                           ? call.context.empty() ? std::string(kEveryContext) : std::string()
                           : call.text("subjectPrefix");
  if (!call.context.empty()) {
    if (context_of(subject) != call.context) return false;
    return SubjectName::parse(subject).subject.starts_with(SubjectName::parse(prefix).subject);
  }
  if (prefix.starts_with(kEveryContext))
    return SubjectName::parse(subject).subject.starts_with(prefix.substr(kEveryContext.size()));
  return subject.starts_with(prefix);
}

std::string names_json(const Call& call, std::vector<std::string> names) {
  const Call::Page page = call.page(names.size());
  std::string out;
  formats::JsonText json(out);
  json.open('[');
  for (size_t i = page.from; i < page.to; ++i) json.text(names[i]);
  json.close(']');
  return out;
}

Result<std::string> list_subjects(Call& call) {
  std::vector<std::string> names;
  for (const auto& [subject, versions] : call.state().subjects()) {
    const bool live = call.state().has_live_versions(subject);
    const bool wanted = call.flag("deletedOnly") ? !live : live || call.flag("deleted");
    if (wanted && has_prefix(call, subject)) names.push_back(subject);
  }
  return names_json(call, std::move(names));
}

Result<std::string> look_up(Call& call) {
  TRY_ASSIGN(const Candidate candidate, read_candidate(call.request.body));
  const std::string subject = call.subject();
  TRY_ASSIGN(const Version version, call.registry.look_up(call.tenant(), subject, candidate,
                                                          normalizes(call, subject), call.flag("deleted")));
  return version_body(call, subject, version);
}

Result<std::string> delete_subject(Call& call) {
  TRY_ASSIGN(const auto deleted,
             call.registry.delete_subject(call.tenant(), call.subject(), call.flag("permanent")));
  return numbers_json(deleted);
}

Result<std::string> list_versions(Call& call) {
  const std::string subject = call.subject();
  const bool only = call.flag("deletedOnly"), negative = call.flag("deletedAsNegative");
  const bool deleted = only || negative || call.flag("deleted");
  const Versions* all = call.state().versions(subject);
  if (all == nullptr || (!deleted && !call.state().has_live_versions(subject))) return no_subject(subject);
  std::vector<int32_t> numbers;
  for (const auto& [number, version] : *all) {
    if (only ? version.deleted : deleted || !version.deleted)
      numbers.push_back(negative && version.deleted ? -number : number);
  }
  const Call::Page page = call.page(numbers.size());
  return numbers_json({numbers.begin() + static_cast<ptrdiff_t>(page.from),
                       numbers.begin() + static_cast<ptrdiff_t>(page.to)});
}

Result<std::string> register_schema(Call& call) {
  TRY_ASSIGN(const Candidate candidate, read_candidate(call.request.body));
  const std::string subject = call.subject();
  TRY_ASSIGN(const Version version,
             call.registry.add(call.tenant(), subject, candidate, normalizes(call, subject)));
  return registered_body(call, subject, candidate, version);
}

Result<std::string> show_version(Call& call) {
  TRY_ASSIGN(const Version version, call.version(call.flag("deleted")));
  return version_body(call, call.subject(), version);
}

Result<std::string> raw_version(Call& call) {
  TRY_ASSIGN(const Version version, call.version(call.flag("deleted")));
  return call.registry.formatted(call.tenant(), call.subject(), version.content, call.text("format"));
}

Result<std::string> referenced_by(Call& call) {
  TRY_ASSIGN(const Version version, call.version(true));
  std::set<int32_t> ids;
  for (const auto& [subject, number] :
       call.state().referrers({call.subject(), version.number}, call.flag("deleted")))
    ids.insert(call.state().find(subject, number)->id);
  const std::vector<int32_t> list(ids.begin(), ids.end());
  const Call::Page page = call.page(list.size());
  return numbers_json(
      {list.begin() + static_cast<ptrdiff_t>(page.from), list.begin() + static_cast<ptrdiff_t>(page.to)});
}

Result<std::string> delete_version(Call& call) {
  TRY_ASSIGN(const Version version, call.version(true));
  TRY(call.registry.delete_version(call.tenant(), call.subject(), version.number, call.flag("permanent")));
  return std::to_string(version.number);
}

Result<std::string> register_tags(Call& call) {
  TRY_ASSIGN(const Version version, call.version(false));
  TRY_ASSIGN(const Candidate candidate, read_tags(call.request.body, version));
  const std::string subject = call.subject();
  TRY_ASSIGN(const Version made, call.registry.add(call.tenant(), subject, candidate, false));
  return registered_body(call, subject, candidate, made);
}

Result<std::string> latest_with_metadata(Call& call) {
  const std::string subject = call.subject();
  const bool deleted = call.flag("deleted");
  const auto keys = call.all("key"), values = call.all("value");
  const Versions* all = call.state().versions(subject);
  if (all == nullptr || (!deleted && !call.state().has_live_versions(subject))) return no_subject(subject);
  for (auto at = all->rbegin(); at != all->rend(); ++at) {
    const Version& version = at->second;
    bool fits = deleted || !version.deleted;
    for (size_t i = 0; i < keys.size() && fits; ++i)
      fits = i < values.size() && metadata_property(version.content->metadata, keys[i]) == values[i];
    if (fits) return version_body(call, subject, version);
  }
  return no_schema("");
}

// A subject without versions has none that stands against it.
Result<std::string> check_version(Call& call) {
  const std::string subject = call.subject();
  TRY_ASSIGN(const int32_t number, parse_version(call.arguments[1]));
  TRY_ASSIGN(const Candidate candidate, read_candidate(call.request.body));
  std::vector<Version> versions;
  if (number != 0 || call.state().has_live_versions(subject)) {
    TRY_ASSIGN(const Version version, call.version(false));
    versions.push_back(version);
  }
  TRY_ASSIGN(const auto found,
             call.registry.check(call.tenant(), subject, candidate, normalizes(call, subject), versions));
  return verdict_json(call, found);
}

Result<std::string> check_all(Call& call) {
  const std::string subject = call.subject();
  TRY_ASSIGN(const Candidate candidate, read_candidate(call.request.body));
  TRY_ASSIGN(const auto found,
             call.registry.check(call.tenant(), subject, candidate, normalizes(call, subject),
                                 call.registry.compared_versions(call.tenant(), subject)));
  return verdict_json(call, found);
}

}  // namespace millrace::registry
