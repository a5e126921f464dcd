#include "schema-registry/reserved_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "event/text.h"
#include "schema-registry/rule_sets.h"

namespace millrace::registry {
namespace {

using Names = std::set<std::string, std::less<>>;

Names reserved_of(const Content& content) {
  Names out;
  const std::string list = metadata_property(content.metadata, kReservedProperty).value_or("");
  for (size_t from = 0; from < list.size();) {
    const size_t comma = std::min(list.find(',', from), list.size());
    const std::string_view name = trimmed(std::string_view(list).substr(from, comma - from));
    if (!name.empty()) out.emplace(name);
    from = comma + 1;
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> reserved_field_conflicts(const schema::Schema& schema,
                                                          const Content& content, const Content* earlier,
                                                          const schema::SchemaFormat& format) {
  std::vector<std::string> out;
  const Names reserved = reserved_of(content);
  for (const auto& name : earlier == nullptr ? Names() : reserved_of(*earlier)) {
    if (reserved.contains(name)) continue;
    out.push_back(
        fmt::format("The new schema has reserved field {} removed from its metadata which is present "
                    "in the old schema's metadata.",
                    name));
  }
  if (reserved.empty() || format.field_names == nullptr) return out;
  TRY_ASSIGN(const auto fields, format.field_names(schema));
  const Names there(fields.begin(), fields.end());
  for (const auto& name : reserved) {
    if (!there.contains(name)) continue;
    out.push_back(fmt::format("The new schema has field that conflicts with the reserved field {}.", name));
  }
  return out;
}

}  // namespace millrace::registry
