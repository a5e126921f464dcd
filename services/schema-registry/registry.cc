#include "schema-registry/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/jsonb.h"
#include "schema-registry/api_error.h"
#include "schema-registry/json_members.h"
#include "schema-registry/references.h"
#include "schema-registry/reserved_fields.h"
#include "schema-registry/rule_sets.h"
#include "schema-registry/subject_name.h"

namespace millrace::registry {
namespace {

constexpr size_t kReadAtOnce = 32;  // a fact has up to some MiB
constexpr int kMaxAttempts = 100;   // against other servers that are faster each time
constexpr size_t kMaxParsed = 1'000;
constexpr ReferenceBounds kReferenceBounds{Registry::kMaxReferences, Registry::kMaxReferenceBytes};

// Of a candidate or a content, and all that is stored with it.
template <typename T>
Status check_size(const T& one, size_t most) {
  size_t bytes = one.text.size() + one.metadata.size() + one.rule_set.size();
  for (const auto& reference : one.references) bytes += reference.name.size() + reference.subject.size();
  return bytes > most ? Status(too_large()) : Status();
}

Status check_register_mode(const TenantState& state, const std::string& subject, const Candidate& candidate) {
  const std::string mode = state.mode_of(subject);
  const std::string where = fmt::format("Subject {} in context {}", subject, context_of(subject));
  if (mode.starts_with("READONLY")) return not_permitted(where + " is in read-only mode");
  if (candidate.id >= 0 && !is_import(mode)) return not_permitted(where + " is not in import mode");
  if (candidate.id < 0 && mode != kReadWrite) return not_permitted(where + " is not in read-write mode");
  return {};
}

std::string config_object(const TenantState& state, const std::string& subject, std::string_view key) {
  const std::string* value = state.config_value(subject, key);
  return value != nullptr && formats::jsonb_kind(*value) == formats::JsonbKind::kObject ? *value
                                                                                        : std::string();
}

Result<int32_t> next_version(const TenantState& state, const std::string& subject) {
  const Versions* all = state.versions(subject);
  if (all == nullptr) return 1;
  const int32_t last = all->rbegin()->first;
  if (last == INT32_MAX) return not_permitted("the subject's version numbers are used up");
  return last + 1;
}

// What the request leaves out is the latest version's; what a config says stands below and above it.
Status populate(const TenantState& state, const std::string& subject, Candidate& candidate) {
  const Version* latest = state.latest(subject);
  if (candidate.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    if (latest == nullptr) return invalid_schema("Empty schema");
    candidate.text = latest->content->text;
    candidate.type = schema::to_string(latest->content->type);
    candidate.references = latest->content->references;
  }
  if (candidate.metadata.empty() && latest != nullptr) candidate.metadata = latest->content->metadata;
  if (candidate.rule_set.empty() && latest != nullptr) candidate.rule_set = latest->content->rule_set;
  candidate.metadata =
      merge_metadata(merge_metadata(config_object(state, subject, "defaultMetadata"), candidate.metadata),
                     config_object(state, subject, "overrideMetadata"));
  candidate.rule_set =
      merge_rule_sets(merge_rule_sets(config_object(state, subject, "defaultRuleSet"), candidate.rule_set),
                      config_object(state, subject, "overrideRuleSet"));
  if (candidate.version != 0 || metadata_property(candidate.metadata, kVersionProperty)) {
    TRY_ASSIGN(const int32_t next, next_version(state, subject));
    candidate.metadata = with_property(candidate.metadata, kVersionProperty, std::to_string(next));
  }
  return {};
}

// An imported schema keeps its id, a known one the id that it has; below 0: a new one.
Result<int32_t> id_for(const TenantState& state, const std::string& subject, const Candidate& candidate,
                       const Content& content) {
  const std::string context = context_of(subject);
  if (candidate.id >= 0) {
    const StoredSchema* other = state.schema(context, candidate.id);
    const std::string* erased = state.erased_guid(context, candidate.id);
    const bool same =
        other != nullptr ? *other->content == content : erased == nullptr || *erased == guid_of(content);
    if (same) return candidate.id;
    return not_permitted(fmt::format("Overwrite new schema with id {} in context {} is not permitted.",
                                     candidate.id, context));
  }
  const auto in = state.contexts().find(context);
  if (in != state.contexts().end()) {
    const auto same = in->second.by_guid.find(guid_of(content));
    if (same != in->second.by_guid.end()) return *same->second.begin();
  }
  const int32_t last = state.last_id(context);
  if (last == INT32_MAX) return not_permitted("the context's ids are used up");
  return last + 1;
}

Result<int32_t> version_for(const TenantState& state, const std::string& subject, const Candidate& candidate,
                            const Content& content) {
  const bool imported = is_import(state.mode_of(subject));
  if (candidate.version <= 0 || !imported) {
    TRY_ASSIGN(const int32_t next, next_version(state, subject));
    if (candidate.version <= 0 || candidate.version == next) return next;
    return invalid_schema("Version is not one more than previous version");
  }
  const Version* there = state.find(subject, candidate.version);
  if (there == nullptr || there->deleted || *there->content == content) return candidate.version;
  return not_permitted(
      fmt::format("Overwrite of version {} of subject {} with another schema is not permitted.",
                  candidate.version, subject));
}

}  // namespace

Registry::Registry(std::unique_ptr<Store> store, std::span<const schema::SchemaFormat> formats,
                   Options options)
    : store_(std::move(store)), formats_(formats), options_(std::move(options)) {}

const TenantState& Registry::state(const std::string& tenant) {
  return tenants_[tenant];
}

// What the store has said.
template <typename T>
Result<T> Registry::counted(Result<T> said) {
  if (!said.ok()) usage_.count_store_failure();
  return said;
}

Status Registry::refresh() {
  if (loaded_ && !store_->is_shared()) return {};
  for (;;) {
    TRY_ASSIGN(const auto facts, counted(store_->read(known_, kReadAtOnce)));
    for (const auto& text : facts) {
      TRY_ASSIGN(const Fact fact, decode_fact(text));
      take(fact);
    }
    if (facts.size() < kReadAtOnce) break;
  }
  loaded_ = true;
  return {};
}

// What refers to a version that went means whatever has its number next.
void Registry::take(const Fact& fact) {
  TenantState& state = tenants_[fact.tenant];
  const uint64_t before = state.erasures();
  state.apply(fact);
  if (state.erasures() != before) forget_parsed();
  ++known_;
  usage_.set(fact.tenant, state.usage());
}

Status Registry::change(const std::string& tenant, const Decide& decide) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    TRY(refresh());
    TRY_ASSIGN(std::vector<Fact> facts, decide(tenants_[tenant]));
    if (facts.empty()) return {};
    std::vector<std::string> texts;
    for (const auto& fact : facts) {
      TRY_ASSIGN(std::string text, encode_fact(fact));
      texts.push_back(std::move(text));
    }
    TRY_ASSIGN(const bool appended, counted(store_->append(known_, texts)));
    if (!appended) continue;
    for (const auto& fact : facts) take(fact);
    change_ = std::move(facts);
    return {};
  }
  return error(Code::kUnavailable, "MR-REG-0003",
               "other servers changed the schema registry each time before this change was written",
               "send it again");
}

Fact Registry::fact(Fact::What what, const std::string& tenant, const std::string& subject) const {
  Fact fact;
  fact.what = what;
  fact.tenant = tenant;
  fact.subject = subject;
  fact.time_ms = options_.now_ms ? options_.now_ms() : 0;
  return fact;
}

Result<const schema::SchemaFormat*> Registry::format_of(const Content& content) const {
  const auto format =
      std::find_if(formats_.begin(), formats_.end(), [&](const auto& f) { return f.type == content.type; });
  if (format != formats_.end()) return &*format;
  return invalid_schema(fmt::format("Invalid schema type {}", schema::to_string(content.type)));
}

Result<schema::SchemaPtr> Registry::parse(const Content& content,
                                          std::span<const schema::NamedSchema> references) const {
  TRY_ASSIGN(const schema::SchemaFormat* format, format_of(content));
  const std::string_view type = schema::to_string(content.type);
  auto parsed = format->parse(content.text, references);
  if (parsed.ok()) return parsed;
  const Error& why = parsed.error();
  return invalid_schema(
      fmt::format("Invalid schema of type {}, details: {}{}", type, why.message,
                  why.span ? fmt::format(" (line {}, column {})", why.span->line, why.span->column) : ""));
}

Result<schema::SchemaPtr> Registry::parse_stored(const std::string& tenant, const std::string& subject,
                                                 const ContentPtr& content) {
  const auto known = parsed_.find(content);
  if (known != parsed_.end()) return known->second;
  TRY_ASSIGN(const auto references,
             resolve_references(tenants_[tenant], subject, content->references, true, kReferenceBounds));
  TRY_ASSIGN(auto schema, parse(*content, references));
  size_t bytes = content->text.size();
  for (const auto& one : references) bytes += one.text.size();
  if (bytes > kMaxParsedBytes) return schema;
  if (parsed_.size() >= kMaxParsed || parsed_bytes_ + bytes > kMaxParsedBytes) forget_parsed();
  parsed_[content] = schema;
  parsed_bytes_ += bytes;
  usage_.set_parsed_bytes(parsed_bytes_);
  return schema;
}

void Registry::forget_parsed() {
  parsed_.clear();
  parsed_bytes_ = 0;
  usage_.set_parsed_bytes(0);
}

Result<Registry::Parsed> Registry::parse_candidate(const TenantState& state, const std::string& subject,
                                                   const Candidate& candidate, bool normalize) const {
  TRY(check_size(candidate, options_.max_schema_bytes));
  if (candidate.text.find_first_not_of(" \t\r\n") == std::string::npos) return invalid_schema("Empty schema");
  Content content;
  const auto type =
      candidate.type.empty() ? schema::SchemaType::kAvro : schema::schema_type_of(candidate.type);
  if (!type) return invalid_schema("Invalid schema type " + candidate.type);
  content.type = *type;
  content.text = candidate.text;
  content.metadata = candidate.metadata;
  content.rule_set = candidate.rule_set;
  TRY_ASSIGN(content.references, with_versions(state, subject, candidate.references, kReferenceBounds));
  TRY_ASSIGN(const auto references,
             resolve_references(state, subject, content.references, false, kReferenceBounds));
  TRY_ASSIGN(auto schema, parse(content, references));
  // What is stored is parsed again, within the same bound: a format may print more than was sent.
  content.text = normalize ? schema->normalized() : schema->text();
  TRY(check_size(content, options_.max_schema_bytes));
  return Parsed{std::move(schema), std::make_shared<const Content>(std::move(content))};
}

// The newest first. A request that says nothing of metadata and rules means whichever there are.
const Version* Registry::same_version(const TenantState& state, const std::string& subject,
                                      const Content& content, bool deleted) {
  const Versions* all = state.versions(subject);
  if (all == nullptr) return nullptr;
  const auto same = std::find_if(all->rbegin(), all->rend(), [&](const auto& entry) {
    const Version& version = entry.second;
    const Content& other = *version.content;
    return (deleted || !version.deleted) && other.same_schema(content) &&
           (content.metadata.empty() || content.metadata == other.metadata) &&
           (content.rule_set.empty() || content.rule_set == other.rule_set);
  });
  return same == all->rend() ? nullptr : &same->second;
}

Result<Version> Registry::add(const std::string& tenant, const std::string& subject,
                              const Candidate& candidate, bool normalize) {
  if (!is_subject_name(subject)) return invalid_subject(subject);
  TRY(check_rule_set(candidate.rule_set));
  std::optional<Version> result;
  TRY(change(tenant, [&](const TenantState& state) -> Result<std::vector<Fact>> {
    TRY(check_register_mode(state, subject, candidate));
    std::optional<Parsed> as_sent;
    if (!candidate.text.empty() && candidate.version == 0) {
      TRY_ASSIGN(as_sent, parse_candidate(state, subject, candidate, normalize));
      const Version* same = same_version(state, subject, *as_sent->content, false);
      if (same != nullptr && candidate.id >= 0 && candidate.id != same->id) {
        return id_differs(fmt::format("Schema already registered with id {} instead of input id {}", same->id,
                                      candidate.id));
      }
      if (same != nullptr) {
        result = *same;
        return std::vector<Fact>();
      }
    }
    TRY_ASSIGN(Fact fact, decide_add(state, tenant, subject, candidate, normalize, as_sent));
    const Version* same = same_version(state, subject, *fact.content, false);
    if (same != nullptr && same->id == fact.id && candidate.version <= 0) {
      result = *same;
      return std::vector<Fact>();
    }
    result = Version{fact.version, fact.id, false, fact.time_ms, fact.content};
    return std::vector<Fact>{std::move(fact)};
  }));
  return *result;
}

// As it is registered: what it is compared as, too. `as_sent`: what its text was parsed to already.
Result<Registry::Parsed> Registry::parse_whole(const TenantState& state, const std::string& subject,
                                               Candidate candidate, bool normalize,
                                               const std::optional<Parsed>& as_sent) const {
  if (!is_import(state.mode_of(subject))) TRY(populate(state, subject, candidate));
  if (!as_sent) return parse_candidate(state, subject, candidate, normalize);
  TRY(check_size(candidate, options_.max_schema_bytes));
  Content content = *as_sent->content;
  content.metadata = candidate.metadata;
  content.rule_set = candidate.rule_set;
  TRY(check_size(content, options_.max_schema_bytes));
  return Parsed{as_sent->schema, std::make_shared<const Content>(std::move(content))};
}

Result<Fact> Registry::decide_add(const TenantState& state, const std::string& tenant,
                                  const std::string& subject, const Candidate& candidate, bool normalize,
                                  const std::optional<Parsed>& as_sent) {
  TRY_ASSIGN(const Parsed parsed, parse_whole(state, subject, candidate, normalize, as_sent));
  Fact fact = this->fact(Fact::What::kRegister, tenant, subject);
  fact.content = parsed.content;
  TRY_ASSIGN(fact.version, version_for(state, subject, candidate, *parsed.content));
  TRY_ASSIGN(fact.id, id_for(state, subject, candidate, *parsed.content));
  if (is_import(state.mode_of(subject))) return fact;
  TRY_ASSIGN(const auto found, compare(tenant, subject, parsed, compared_versions(tenant, subject)));
  if (!found.empty()) return incompatible(subject, fmt::format("[{}]", fmt::join(found, ", ")));
  return fact;
}

Result<Version> Registry::look_up(const std::string& tenant, const std::string& subject,
                                  const Candidate& candidate, bool normalize, bool deleted) {
  const TenantState& state = this->state(tenant);
  const Versions* all = state.versions(subject);
  if (all == nullptr || (!deleted && !state.has_live_versions(subject))) return no_subject(subject);
  TRY_ASSIGN(const Parsed parsed, parse_candidate(state, subject, candidate, normalize));
  const Version* same = same_version(state, subject, *parsed.content, deleted);
  if (same == nullptr) return no_schema("");
  return *same;
}

Level Registry::level_of(const std::string& tenant, const std::string& subject) {
  const std::string* value = state(tenant).config_value(subject, kCompatibilityLevel);
  const auto level = level_named(value == nullptr ? std::string(kDefaultLevel) : text_of(*value));
  return level.value_or(Level{kDefaultLevel, true});
}

Policy Registry::policy_of(const std::string& tenant, const std::string& subject) {
  const std::string* value = state(tenant).config_value(subject, kCompatibilityPolicy);
  return value == nullptr ? Policy::kStrict : policy_named(text_of(*value)).value_or(Policy::kStrict);
}

bool Registry::is_on(const std::string& tenant, const std::string& subject, std::string_view key) {
  const std::string* value = state(tenant).config_value(subject, key);
  return value != nullptr && *value == "true";
}

std::vector<Version> Registry::compared_versions(const std::string& tenant, const std::string& subject) {
  std::vector<Version> out;
  const Versions* all = state(tenant).versions(subject);
  if (all == nullptr) return out;
  for (auto at = all->rbegin(); at != all->rend(); ++at) {
    if (!at->second.deleted) out.push_back(at->second);
  }
  return out;
}

Result<std::vector<std::string>> Registry::check(const std::string& tenant, const std::string& subject,
                                                 const Candidate& candidate, bool normalize,
                                                 const std::vector<Version>& versions,
                                                 schema::SchemaPtr* parsed) {
  TRY_ASSIGN(const Parsed whole, parse_whole(state(tenant), subject, candidate, normalize, std::nullopt));
  if (parsed != nullptr) *parsed = whole.schema;
  return compare(tenant, subject, whole, versions);
}

// Reserved fields whatever the level, against the newest whatever its group.
Result<std::vector<std::string>> Registry::compare(const std::string& tenant, const std::string& subject,
                                                   const Parsed& parsed,
                                                   const std::vector<Version>& versions) {
  std::vector<std::string> out;
  const bool validates = is_on(tenant, subject, "validateFields");
  if (validates) {
    TRY_ASSIGN(const schema::SchemaFormat* format, format_of(*parsed.content));
    const Content* newest = versions.empty() ? nullptr : versions.front().content.get();
    TRY_ASSIGN(out, reserved_field_conflicts(*parsed.schema, *parsed.content, newest, *format));
  }
  TRY_ASSIGN(auto found, compare_by_level(tenant, subject, parsed, versions));
  std::move(found.begin(), found.end(), std::back_inserter(out));
  if (out.empty()) return out;
  out.push_back(fmt::format("{{validateFields: '{}', compatibility: '{}'}}", validates,
                            level_of(tenant, subject).name));
  return out;
}

// The newest of its group first; the first that stands against it decides.
Result<std::vector<std::string>> Registry::compare_by_level(const std::string& tenant,
                                                            const std::string& subject, const Parsed& parsed,
                                                            const std::vector<Version>& versions) {
  const Level level = level_of(tenant, subject);
  if (!level.backward && !level.forward) return std::vector<std::string>();
  const std::string* property = state(tenant).config_value(subject, "compatibilityGroup");
  const auto group_of = [&](const Content& content) {
    return property == nullptr ? std::nullopt : metadata_property(content.metadata, text_of(*property));
  };
  const auto group = group_of(*parsed.content);
  for (const auto& version : versions) {
    if (group_of(*version.content) != group) continue;
    TRY_ASSIGN(auto earlier, parse_stored(tenant, subject, version.content));
    auto found =
        differences(*parsed.schema, {version.number, std::move(earlier)}, level, policy_of(tenant, subject));
    if (!found.ok()) return invalid_schema("the schema cannot be compared: " + found.error().message);
    if (!found->empty()) return found;
    if (!level.transitive) break;
  }
  return std::vector<std::string>();
}

Result<Registry::FoundSchema> Registry::find_schema(const std::string& tenant, const std::string& subject,
                                                    int32_t version) {
  TRY(refresh());
  const TenantState& known = state(tenant);
  const Version* found = version == 0 ? known.latest(subject) : known.find(subject, version);
  if (found == nullptr) return version == 0 ? no_subject(subject) : no_version(version);
  TRY_ASSIGN(auto schema, parse_stored(tenant, subject, found->content));
  return FoundSchema{found->number, found->id, std::move(schema)};
}

Result<Registry::FoundSchema> Registry::find_schema_by_id(const std::string& tenant,
                                                          const std::string& subject, int32_t id,
                                                          int32_t named) {
  TRY(refresh());
  const StoredSchema* found = state(tenant).schema(context_of(subject), id);
  if (found == nullptr) return no_schema(std::to_string(id));
  int32_t version = 0;
  for (const auto& [of, number] : found->versions) {
    if (of == subject && (named == 0 || version != named)) version = number;
  }
  TRY_ASSIGN(auto schema, parse_stored(tenant, subject, found->content));
  return FoundSchema{version, id, std::move(schema)};
}

Result<Registry::FoundSchema> Registry::find_writer(const std::string& tenant, const std::string& subject,
                                                    const schema::WriterSchema& writer) {
  if (const auto* id = std::get_if<schema::SchemaId>(&writer))
    return find_schema_by_id(tenant, subject, *id, 0);
  TRY(refresh());
  const std::string guid = schema::to_string(std::get<schema::SchemaGuid>(writer));
  for (const auto& [name, context] : state(tenant).contexts()) {
    const auto ids = context.by_guid.find(guid);
    if (ids != context.by_guid.end())
      return find_schema_by_id(tenant, context_scope(name), *ids->second.begin(), 0);
  }
  return no_schema(guid);
}

Result<std::string> Registry::formatted(const std::string& tenant, const std::string& subject,
                                        const ContentPtr& content, const std::string& format) {
  if (format.empty()) return content->text;
  TRY_ASSIGN(const auto schema, parse_stored(tenant, subject, content));
  return schema->formatted(format);
}

}  // namespace millrace::registry
