#include "node/registry_check.h"

#include <fmt/format.h>

#include "node/registry_copy.h"
#include "schema-registry/formats.h"
#include "schema-registry/registry.h"
#include "schema-registry/subject_name.h"

namespace millrace::cli {

Status check_registry(Files& files, const std::string& data, const std::vector<node::NamedSchema>& named) {
  TRY_ASSIGN(auto store, registry::open_sqlite_store(files, data + "/" + node::kRegistryFile));
  registry::Registry registry(std::move(store), registry::known_formats(), {.now_ms = nullptr});
  TRY(registry.refresh());
  for (const auto& [tenant, stream, schema] : named) {
    const auto found = registry.find_schema_by_id(tenant, schema.subject, schema.id, schema.version);
    if (found.ok()) continue;
    const auto& state = registry.state(tenant);
    if (state.erased_guid(registry::context_of(schema.subject), schema.id) != nullptr) continue;
    return error(
        Code::kCorrupt, "MR-NODE-0030",
        fmt::format("the restored schema registry cannot say what the events of stream \"{}\" have to "
                    "fit, the schema {} of \"{}\": {}",
                    stream, schema.id, schema.subject, found.error().message),
        "restore another backup of the folder");
  }
  return {};
}

}  // namespace millrace::cli
