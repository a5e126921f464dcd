#include "node/registry_event_schemas.h"

#include <fmt/format.h>

#include "node/event_checks.h"
#include "node/schema_columns.h"

namespace millrace::node {
namespace {

Error not_found(const std::string& subject, const Error& why) {
  return error(
      why.code == Code::kInvalid || why.code == Code::kNotFound ? Code::kNotFound : Code::kUnavailable,
      "MR-SCH-0001", fmt::format("the schema registry has no schema for \"{}\": {}", subject, why.message),
      "register it: millrace schema register SUBJECT FILE");
}

Error not_there_yet(const engine::StreamDef& stream, const std::optional<Error>& failure) {
  return error(Code::kUnavailable, "MR-SCH-0003",
               fmt::format("version {} of \"{}\", which the events of stream \"{}\" have to fit, {}",
                           stream.schema_version, stream.schema_subject, stream.name,
                           failure ? "cannot be had: " + failure->message : "is being looked up"),
               failure ? "the schema registry has to have it" : "send again shortly");
}

}  // namespace

void RegistryEventSchemas::expect(const sql::Catalog& catalog) {
  for (const auto* entry : catalog.all()) {
    if (entry->stream == nullptr || entry->stream->schema_subject.empty()) continue;
    look_up({entry->stream->tenant, entry->stream->schema_subject, entry->stream->schema_version});
  }
}

void RegistryEventSchemas::find(TenantId tenant, const std::string& subject, int32_t version,
                                std::function<void(Result<gateway::SubjectVersion>)> done) {
  const auto found = [this, tenant, subject, done](SchemaRegistryService::Found found) {
    if (!found.ok()) return done(not_found(subject, found.error()));
    if (const auto check = make_event_check(found->schema); !check.ok()) return done(check.error());
    kept_[{tenant, subject, found->version}].schema = found->schema;
    done(gateway::SubjectVersion{found->version, columns_of(*found->schema)});
  };
  registry_.find_schema(tenant_name_(tenant), subject, version, found);
}

Result<std::unique_ptr<gateway::EventSchema>> RegistryEventSchemas::of(const engine::StreamDef& stream) {
  const Key key{stream.tenant, stream.schema_subject, stream.schema_version};
  Kept& kept = kept_[key];
  if (kept.schema != nullptr) return make_event_check(kept.schema);
  const auto failure = kept.failure;
  look_up(key);
  return not_there_yet(stream, failure);
}

void RegistryEventSchemas::look_up(const Key& key) {
  if (kept_.size() > kMaxKept) kept_.clear();
  Kept& kept = kept_[key];
  if (kept.asked || kept.schema != nullptr) return;
  kept.asked = true;
  const auto& [tenant, subject, version] = key;
  registry_.find_schema(tenant_name_(tenant), subject, version,
                        [this, key](SchemaRegistryService::Found found) {
                          Kept& answered = kept_[key];
                          answered.asked = false;
                          if (found.ok()) {
                            answered.schema = found->schema;
                          } else {
                            answered.failure = found.error();
                          }
                        });
}

}  // namespace millrace::node
