#include "node/registry_event_schemas.h"

#include <fmt/format.h>

#include "node/event_checks.h"
#include "node/registry_errors.h"
#include "node/schema_columns.h"

namespace millrace::node {
namespace {

// `version`: the one of the subject that has the id, or 0.
Error another_id(const engine::SchemaRef& asked, int32_t version) {
  const std::string whose =
      version == 0 ? "no version" : fmt::format("version {}, not {},", version, asked.version);
  return error(Code::kNotFound, "MR-SCH-0001",
               fmt::format("{} of \"{}\" has the schema with the id {}", whose, asked.subject, asked.id),
               "leave out schema_id, or schema_version");
}

Error not_taken(const std::string& subject, const Error& why) {
  if (!is_an_answer(why)) return cannot_say('"' + subject + '"', why);
  return error(Code::kConflict, "MR-SCH-0012",
               fmt::format("the rows' schema cannot become a version of \"{}\": {}", subject, why.message),
               "name another subject, or change the columns: new ones go to the end");
}

Error not_there_yet(const engine::StreamDef& stream, const std::optional<Error>& failure) {
  return error(Code::kUnavailable, "MR-SCH-0003",
               fmt::format("version {} of \"{}\", which the events of stream \"{}\" have to fit, {}",
                           stream.schema.version, stream.schema.subject, stream.name,
                           failure ? "cannot be had: " + failure->message : "is being looked up"),
               failure ? "the schema registry has to have it" : "send again shortly");
}

}  // namespace

void RegistryEventSchemas::expect(const sql::Catalog& catalog) {
  for (const auto* entry : catalog.all()) {
    if (entry->stream == nullptr || entry->stream->schema.subject.empty()) continue;
    look_up({entry->stream->tenant, entry->stream->schema});
  }
}

void RegistryEventSchemas::find(TenantId tenant, const engine::SchemaRef& asked,
                                std::function<void(Result<gateway::FoundSchema>)> done) {
  const auto found = [this, tenant, asked, done](SchemaRegistryService::Found found) {
    if (!found.ok()) return done(schema_not_found(asked.subject, found.error()));
    if (found->version == 0 || (asked.version != 0 && asked.version != found->version))
      return done(another_id(asked, found->version));
    if (const auto check = make_event_check(found->schema); !check.ok()) return done(check.error());
    const engine::SchemaRef whole{asked.subject, found->version, found->id};
    keep({tenant, whole}).schema = found->schema;
    done(gateway::FoundSchema{whole, columns_of(*found->schema)});
  };
  registry_.find_schema(tenant_name_(tenant), asked, found);
}

void RegistryEventSchemas::examine(TenantId tenant, gateway::ProposedSchema schema, std::vector<int32_t> ids,
                                   std::function<void(Result<gateway::ExaminedSchema>)> done) {
  auto examined = [subject = schema.subject, done = std::move(done)](Result<gateway::ExaminedSchema> found) {
    done(found.ok() ? std::move(found) : no_next_schema(subject, found.error()));
  };
  registry_.examine(tenant_name_(tenant), std::move(schema), std::move(ids), std::move(examined));
}

void RegistryEventSchemas::add(TenantId tenant, gateway::OutputSchema schema, gateway::CallerPtr caller,
                               std::function<void(Result<engine::SchemaRef>)> done) {
  const std::string subject = schema.subject;
  registry_.add_schema(tenant_name_(tenant), std::move(schema), std::move(caller),
                       [subject, done = std::move(done)](Result<registry::Version> added) {
                         if (!added.ok()) return done(not_taken(subject, added.error()));
                         done(engine::SchemaRef{subject, added->number, added->id});
                       });
}

RegistryEventSchemas::Kept& RegistryEventSchemas::keep(const Key& key) {
  if (kept_.size() >= kMaxKept && !kept_.contains(key)) kept_.clear();
  return kept_[key];
}

Result<std::unique_ptr<gateway::EventSchema>> RegistryEventSchemas::of(const engine::StreamDef& stream) {
  const Key key{stream.tenant, stream.schema};
  Kept& kept = keep(key);
  if (kept.schema != nullptr) return make_event_check(kept.schema, {writers_, stream.tenant, stream.schema});
  const auto failure = kept.failure;
  look_up(key);
  return not_there_yet(stream, failure);
}

void RegistryEventSchemas::learn(const engine::StreamDef& stream, Writers writers,
                                 std::function<void(Status)> done) {
  const Key key{stream.tenant, stream.schema};
  const Kept& kept = keep(key);
  if (kept.schema == nullptr) return done(not_there_yet(stream, kept.failure));
  const auto learnt = [this, key, writers, done](Result<std::vector<SchemaRegistryService::Learnt>> learnt) {
    if (!learnt.ok()) return done(cannot_say("a value's schema", learnt.error()));
    writers_->make_room();
    for (size_t i = 0; i < writers.size(); ++i) {
      auto& one = (*learnt)[i];
      if (one.ok()) {
        writers_->keep({key.first, key.second, writers[i]}, std::move(*one));
      } else if (!is_an_answer(one.error())) {
        return done(cannot_say("schema " + schema::to_string(writers[i]), one.error()));
      } else if (one.error().code != Code::kNotFound) {  // it is there, and cannot be carried out
        writers_->keep({key.first, key.second, writers[i]}, {.failure = one.error()});
      }
    }
    done({});
  };
  registry_.learn_writers(tenant_name_(stream.tenant), stream.schema.subject, kept.schema, writers, learnt);
}

bool RegistryEventSchemas::knows(const engine::StreamDef& stream, const schema::WriterSchema& writer) const {
  return writers_->find({stream.tenant, stream.schema, writer}) != nullptr;
}

void RegistryEventSchemas::look_up(const Key& key) {
  Kept& kept = keep(key);
  if (kept.asked || kept.schema != nullptr) return;
  kept.asked = true;
  registry_.find_schema(tenant_name_(key.first), key.second, [this, key](SchemaRegistryService::Found found) {
    Kept& answered = keep(key);
    answered.asked = false;
    if (found.ok()) {
      answered.schema = found->schema;
    } else {
      answered.failure = found.error();
    }
  });
}

}  // namespace millrace::node
