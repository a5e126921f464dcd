#include "node/schema_proposal.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/event_checks.h"
#include "node/schema_columns.h"
#include "schema-registry/references.h"

namespace millrace::node {
namespace {

constexpr registry::ReferenceBounds kReferenceBounds{registry::Registry::kMaxReferences,
                                                     registry::Registry::kMaxReferenceBytes};

Error cannot_be_one(const std::string& subject, const Error& why) {
  if (why.code != Code::kUnavailable) {
    return error(Code::kInvalid, "MR-SCH-0007",
                 fmt::format("it cannot become a schema of \"{}\": {}", subject, why.message),
                 "correct the schema, or register first what it refers to");
  }
  return error(Code::kUnavailable, "MR-SCH-0005",
               fmt::format("the schema registry cannot say what \"{}\" is: {}", subject, why.message),
               "send it again");
}

registry::Candidate candidate_of(const gateway::ProposedSchema& proposed) {
  registry::Candidate out;
  out.type = proposed.type;
  out.text = proposed.text;
  for (const auto& [name, subject, version] : proposed.references)
    out.references.push_back({name, subject, version});
  return out;
}

// Of one that the registry has compared, and so can read.
Result<schema::SchemaPtr> parse(registry::Registry& registry, const std::string& tenant,
                                const std::string& subject, const registry::Candidate& candidate) {
  const auto type =
      candidate.type.empty() ? schema::SchemaType::kAvro : schema::schema_type_of(candidate.type);
  const auto formats = registry.formats();
  const auto format =
      std::find_if(formats.begin(), formats.end(), [&](const auto& f) { return f.type == type; });
  if (format == formats.end()) return error(Code::kInvalid, "MR-SCH-0007", "its format is not known");
  const auto& state = registry.state(tenant);
  TRY_ASSIGN(auto direct, registry::with_versions(state, subject, candidate.references, kReferenceBounds));
  TRY_ASSIGN(const auto all, registry::resolve_references(state, subject, direct, false, kReferenceBounds));
  return format->parse(candidate.text, all);
}

Result<gateway::ExaminedSchema> examine(registry::Registry& registry, const std::string& tenant,
                                        const std::string& subject, const registry::Candidate& candidate,
                                        const std::vector<int32_t>& ids) {
  TRY(registry.refresh());
  gateway::ExaminedSchema out;
  out.level = registry.level_of(tenant, subject).name;
  TRY_ASSIGN(out.messages,
             registry.check(tenant, subject, candidate, registry.is_on(tenant, subject, "normalize"),
                            registry.compared_versions(tenant, subject)));
  TRY_ASSIGN(const auto schema, parse(registry, tenant, subject, candidate));
  TRY_ASSIGN(out.check, make_event_check(schema));
  out.columns = column_tree_of(*schema);
  for (const int32_t id : ids) {
    const auto found = registry.find_schema_by_id(tenant, subject, id, 0);
    if (found.ok()) out.columns_of.emplace(id, column_tree_of(*found->schema));
  }
  return out;
}

}  // namespace

Result<gateway::ExaminedSchema> examine_schema(registry::Registry& registry, const std::string& tenant,
                                               const gateway::ProposedSchema& proposed,
                                               const std::vector<int32_t>& ids) {
  auto examined = examine(registry, tenant, proposed.subject, candidate_of(proposed), ids);
  if (!examined.ok()) return cannot_be_one(proposed.subject, examined.error());
  return examined;
}

}  // namespace millrace::node
