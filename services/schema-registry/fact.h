// Fact: one thing that happened to a tenant's registry. The registry's state is its facts, taken in order.
//
// Stored: as a JSON object a fact (docs/adr/0023-schema-registry.md); what a later version adds, an earlier one refuses.
// Errors: MR-REG-0001: the bytes are no fact that this program knows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema-registry/content.h"

namespace millrace::registry {

using Config =
    std::map<std::string, std::string>;  // a key of the API (compatibilityLevel, …) and its value as jsonb

struct Fact {
  enum class What : uint8_t { kRegister, kDelete, kErase, kConfig, kMode, kDropContext };

  What what = What::kRegister;
  std::string tenant;
  std::string subject;              // config, mode: the scope; kDropContext: the context
  int32_t version = 0;              // kRegister, kDelete, kErase
  int32_t id = 0;                   // kRegister
  int64_t time_ms = 0;              // when it happened
  ContentPtr content;               // kRegister
  std::optional<Config> config;     // kConfig; nothing: it was taken away
  std::optional<std::string> mode;  // kMode, likewise
};

Result<std::string> encode_fact(const Fact& fact);  // 42201: what it holds could not be read again
Result<Fact> decode_fact(std::string_view text);

}  // namespace millrace::registry
