#include "schema-registry/compatibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace millrace::registry {
namespace {

constexpr std::array<Level, 7> kLevels = {{{"NONE"},
                                           {"BACKWARD", true},
                                           {"BACKWARD_TRANSITIVE", true, false, true},
                                           {"FORWARD", false, true},
                                           {"FORWARD_TRANSITIVE", false, true, true},
                                           {"FULL", true, true},
                                           {"FULL_TRANSITIVE", true, true, true}}};

void add(std::vector<std::string>& out, const std::vector<schema::Incompatibility>& found) {
  for (const auto& one : found) {
    out.push_back(fmt::format("{{errorType:'{}', description:'{}', additionalInfo:'{}'}}", one.type,
                              one.message, one.path));
  }
}

std::string in_upper_case(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

}  // namespace

std::optional<Policy> policy_named(std::string_view name) {
  const std::string upper = in_upper_case(name);
  if (upper == "STRICT") return Policy::kStrict;
  return upper == "LENIENT" ? std::optional(Policy::kLenient) : std::nullopt;
}

std::optional<Level> level_named(std::string_view name) {
  const std::string upper = in_upper_case(name);
  const auto found =
      std::find_if(kLevels.begin(), kLevels.end(), [&](const Level& l) { return l.name == upper; });
  return found == kLevels.end() ? std::nullopt : std::optional(*found);
}

Result<std::vector<std::string>> differences(const schema::Schema& candidate, const Earlier& earlier,
                                             const Level& level, Policy policy) {
  const auto hindrances = [&](const schema::Schema& reader, const schema::Schema& writer) {
    return policy == Policy::kLenient ? reader.what_hinders_trusting(writer)
                                      : reader.what_hinders_reading(writer);
  };
  std::vector<std::string> out;
  if (candidate.type() != earlier.schema->type()) {
    out.push_back(
        fmt::format("{{errorType:'TYPE_MISMATCH', description:'the schema is {}, the earlier one {}', "
                    "additionalInfo:''}}",
                    schema::to_string(candidate.type()), schema::to_string(earlier.schema->type())));
  } else {
    if (level.backward) {
      TRY_ASSIGN(const auto found, hindrances(candidate, *earlier.schema));
      add(out, found);
    }
    if (level.forward) {
      TRY_ASSIGN(const auto found, hindrances(*earlier.schema, candidate));
      add(out, found);
    }
  }
  if (out.empty()) return out;
  out.push_back(fmt::format("{{oldSchemaVersion: {}}}", earlier.version));
  out.push_back(fmt::format("{{oldSchema: '{}'}}", earlier.schema->text()));
  return out;
}

}  // namespace millrace::registry
