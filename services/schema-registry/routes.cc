#include "schema-registry/routes.h"

#include <algorithm>

#include "schema-registry/handlers.h"

namespace millrace::registry {
namespace {

using enum Access;

constexpr Route kRoutes[] = {
    {"GET", "/", "", kOpen, "Whether it answers", nothing},
    {"POST", "/", "", kOpen, "Whether it answers", nothing},
    {"GET", "/schemas", "subjectPrefix, aliases, deleted, latestOnly, ruleType, offset, limit", kRead,
     "Every version of every subject", list_schemas},
    {"GET", "/schemas/types", "", kRead, "The formats of schemas", list_types},
    {"GET", "/schemas/ids/{id}", "subject, format, fetchMaxId", kRead, "The schema of an id", schema_by_id},
    {"GET", "/schemas/ids/{id}/schema", "subject, format", kRead, "Its text alone", raw_schema_by_id},
    {"GET", "/schemas/ids/{id}/subjects", "subject, deleted, offset, limit", kRead,
     "The subjects that have it", subjects_of_id},
    {"GET", "/schemas/ids/{id}/versions", "subject, deleted, offset, limit", kRead,
     "The subjects and versions that have it", versions_of_id},
    {"GET", "/schemas/guids/{guid}", "format", kRead, "The schema of a GUID", schema_by_guid},
    {"GET", "/schemas/guids/{guid}/ids", "", kRead, "Its contexts, and its id in each", ids_of_guid},
    {"GET", "/subjects", "subjectPrefix, deleted, deletedOnly, offset, limit", kRead, "The subjects' names",
     list_subjects},
    {"POST", "/subjects/{subject}", "normalize, format, deleted", kRead,
     "The version that a schema has in the subject", look_up},
    {"DELETE", "/subjects/{subject}", "permanent", kAdmin, "Deletes all versions", delete_subject,
     "DELETE SUBJECT"},
    {"GET", "/subjects/{subject}/versions", "deleted, deletedOnly, deletedAsNegative, offset, limit", kRead,
     "The versions' numbers", list_versions},
    {"POST", "/subjects/{subject}/versions", "normalize, format", kWrite, "Registers a schema",
     register_schema, "REGISTER SCHEMA"},
    {"GET", "/subjects/{subject}/versions/{version}", "format, deleted", kRead, "A version", show_version},
    {"GET", "/subjects/{subject}/versions/{version}/schema", "format, deleted", kRead, "Its text alone",
     raw_version},
    {"GET", "/subjects/{subject}/versions/{version}/referencedby", "deleted, offset, limit", kRead,
     "The ids of the schemas that refer to it", referenced_by},
    {"DELETE", "/subjects/{subject}/versions/{version}", "permanent", kAdmin, "Deletes a version",
     delete_version, "DELETE SCHEMA"},
    {"POST", "/subjects/{subject}/versions/{version}/tags", "", kWrite,
     "Registers it anew with other tags, metadata, rules", register_tags, "REGISTER SCHEMA"},
    {"GET", "/subjects/{subject}/metadata", "key, value, format, deleted", kRead,
     "The latest version whose metadata has these properties", latest_with_metadata},
    {"POST", "/compatibility/subjects/{subject}/versions/{version}", "normalize, verbose", kRead,
     "Whether a schema is compatible with a version", check_version},
    {"POST", "/compatibility/subjects/{subject}/versions", "normalize, verbose", kRead,
     "Whether it is with those that the level names", check_all},
    {"GET", "/config", "", kRead, "What holds for all subjects", show_config},
    {"PUT", "/config", "", kAdmin, "Sets it", set_config, "SET CONFIG"},
    {"DELETE", "/config", "", kAdmin, "Takes it back", drop_config, "DROP CONFIG"},
    {"GET", "/config/{subject}", "defaultToGlobal", kRead, "What holds for a subject or context",
     show_config},
    {"PUT", "/config/{subject}", "", kAdmin, "Sets it", set_config, "SET CONFIG"},
    {"DELETE", "/config/{subject}", "", kAdmin, "Takes it back", drop_config, "DROP CONFIG"},
    {"GET", "/mode", "", kRead, "The mode of all subjects", show_mode},
    {"PUT", "/mode", "force", kAdmin, "Sets it", set_mode, "SET MODE"},
    {"DELETE", "/mode", "recursive", kAdmin, "Takes it back", drop_mode, "DROP MODE"},
    {"GET", "/mode/{subject}", "defaultToGlobal", kRead, "The mode of a subject or context", show_mode},
    {"PUT", "/mode/{subject}", "force", kAdmin, "Sets it", set_mode, "SET MODE"},
    {"DELETE", "/mode/{subject}", "recursive", kAdmin, "Takes it back", drop_mode, "DROP MODE"},
    {"GET", "/contexts", "contextPrefix, offset, limit", kRead, "The contexts' names", list_contexts},
    {"DELETE", "/contexts/{context}", "", kAdmin, "Deletes a context without subjects", drop_context,
     "DROP CONTEXT"},
    {"GET", "/v1/metadata/id", "", kOpen, "What the registry is called", server_id},
    {"GET", "/v1/metadata/version", "", kOpen, "Its version", server_version},
    {"GET", "/v1/metadata/deployment", "", kOpen, "How it is deployed", server_deployment},
};

bool fits(std::string_view pattern, const std::vector<std::string>& path) {
  if (pattern == "/") return path.empty() || (path.size() == 1 && path[0].empty());
  size_t i = 0;
  for (; !pattern.empty(); ++i) {
    pattern.remove_prefix(1);
    const size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view segment = pattern.substr(0, end);
    if (i >= path.size()) return false;
    if (segment.starts_with('{') ? path[i].empty() : segment != path[i]) return false;
    pattern.remove_prefix(end);
  }
  return i == path.size();
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

std::string_view name_of(Access access) {
  constexpr std::string_view kNames[] = {"", "read", "write", "admin"};
  return kNames[static_cast<size_t>(access)];
}

const Route* find_route(std::string_view method, const std::vector<std::string>& path, std::string& allowed) {
  for (const auto& route : kRoutes) {
    if (!fits(route.path, path)) continue;
    if (route.method == method) return &route;
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (!allowed.empty()) allowed += ", OPTIONS";
  return nullptr;
}

}  // namespace millrace::registry
