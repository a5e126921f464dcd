#include "node/schema_proposal.h"

#include "node/event_checks.h"
#include "node/schema_columns.h"

namespace millrace::node {
namespace {

registry::Candidate candidate_of(const gateway::ProposedSchema& proposed) {
  registry::Candidate out;
  out.type = proposed.type;
  out.text = proposed.text;
  for (const auto& [name, subject, version] : proposed.references)
    out.references.push_back({name, subject, version});
  return out;
}

}  // namespace

Result<gateway::ExaminedSchema> examine_schema(registry::Registry& registry, const std::string& tenant,
                                               const gateway::ProposedSchema& proposed,
                                               const std::vector<int32_t>& ids) {
  TRY(registry.refresh());
  const std::string& subject = proposed.subject;
  gateway::ExaminedSchema out;
  out.level = registry.level_of(tenant, subject).name;
  schema::SchemaPtr schema;
  TRY_ASSIGN(out.messages, registry.check(tenant, subject, candidate_of(proposed),
                                          registry.is_on(tenant, subject, "normalize"),
                                          registry.compared_versions(tenant, subject), &schema));
  TRY_ASSIGN(out.check, make_event_check(schema));
  out.columns = column_tree_of(*schema);
  for (const int32_t id : ids) {
    const auto found = registry.find_schema_by_id(tenant, subject, id, 0);
    if (found.ok()) out.columns_of.emplace(id, column_tree_of(*found->schema));
  }
  return out;
}

}  // namespace millrace::node
