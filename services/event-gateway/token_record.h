// A token as it is kept: who may do what until when, and the hashes of its secrets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event-gateway/token_scopes.h"
#include "event-gateway/token_secret.h"

namespace millrace::gateway {

inline constexpr int64_t kNeverUs = INT64_MAX;

struct TokenSecret {
  KeptSecret kept;
  int64_t until_us = kNeverUs;
};

struct Token {
  static constexpr size_t kMaxName = 100;

  std::string id, tenant;
  std::string name;  // what it is for; may be empty
  Scopes scopes;
  bool all_tenants = false;
  int64_t created_us = 0, expires_us = kNeverUs;
  int64_t used_us = 0;               // 0: never
  std::vector<TokenSecret> secrets;  // the newest first; two while it is rotated

  bool administers() const { return scopes.has_any(static_cast<ScopeSet>(Scope::kAdmin)); }
};

bool is_tenant_name(std::string_view name);

// JSON, in the metadata store.
std::string encode_token(const Token& token);
Result<Token> decode_token(std::string_view json);  // MR-AUTH-0012

}  // namespace millrace::gateway
