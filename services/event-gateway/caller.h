// Caller: whom a request's token has shown its sender to be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "event-gateway/token_scopes.h"

namespace millrace::gateway {

struct Caller {
  std::string tenant;
  Scopes scopes = Scopes::all();
  bool all_metrics = false;        // sees every tenant's series, and all tenants
  bool all_tenants = false;        // with the scope admin: administers every tenant
  std::string token;               // its id; of the tokens file: the first digits of its hash
  bool in_file = false;            // a token of the tokens file
  int64_t ends_at_us = INT64_MAX;  // of the secret that was shown, or of the token
  bool revoked = false;            // since it was shown
  mutable int64_t used_us = 0;     // last

  bool is_good(int64_t now_us) const { return !revoked && now_us < ends_at_us; }
};
// Shared by the store, which revokes it, and by the connections that go on under it. Null: an open server's.
using CallerPtr = std::shared_ptr<const Caller>;

// For people: "token k3j…"; empty: an open server's.
std::string who(const CallerPtr& caller);

// MR-AUTH-0002 where it is not allowed.
Status check_scope(const CallerPtr& caller, Scope scope, std::string_view name);
bool sees(const CallerPtr& caller, std::string_view name);  // by any scope
Error lacks_scope(const Caller& caller, std::string_view needed);

}  // namespace millrace::gateway
