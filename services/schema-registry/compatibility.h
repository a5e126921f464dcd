// Compatibility: which earlier versions a new schema is held against, in which direction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/schema.h"

namespace millrace::registry {

struct Level {
  std::string_view name;
  bool backward = false, forward = false;
  bool transitive = false;  // every version, not the newest alone
};

inline constexpr std::string_view kDefaultLevel = "BACKWARD";
std::optional<Level> level_named(std::string_view name);  // in whichever case

// How much writers are trusted: Schema::what_hinders_trusting().
enum class Policy : uint8_t { kStrict, kLenient };
std::optional<Policy> policy_named(std::string_view name);  // in whichever case

struct Earlier {
  int32_t version;
  schema::SchemaPtr schema;
};

// What stands against it, in the words that clients of the API know; empty: nothing. Code::kExhausted as the format says.
Result<std::vector<std::string>> differences(const schema::Schema& candidate, const Earlier& earlier,
                                             const Level& level, Policy policy);

}  // namespace millrace::registry
