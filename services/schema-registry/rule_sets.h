// Metadata and rules as they are registered with a schema: merged with a config's, checked, never run here: clients run them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::registry {

inline constexpr std::string_view kVersionProperty = "confluent:version";

inline constexpr size_t kMaxRules = 10'000;  // of a rule set

// All jsonb objects; empty: none. What both have is the second's.
std::string merge_metadata(const std::string& first, const std::string& second);
std::string merge_rule_sets(const std::string& first, const std::string& second);
std::string without_rules(const std::string& rule_set, const std::vector<std::string>& names);

std::optional<std::string> metadata_property(const std::string& metadata, std::string_view name);
std::string with_property(const std::string& metadata, std::string_view name, std::string_view value);

Status check_rule_set(const std::string& rule_set);  // 42210

}  // namespace millrace::registry
