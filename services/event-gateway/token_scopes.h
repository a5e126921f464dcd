// Scopes: what a token may do, and to which streams and views of its tenant: "read", "ingest:orders", "query:clicks*".
//
// A name's pattern is the name, or what it begins with and a `*`; without one all of the tenant's names are meant. `admin`
// is of the whole tenant.
// Bounds: kMaxScopes a token, kMaxPattern bytes each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::gateway {

enum class Scope : uint8_t { kIngest = 1, kRead = 2, kQuery = 4, kAdmin = 8 };
using ScopeSet = uint8_t;  // of Scope's values
std::string_view name_of(Scope scope);
std::string names_of(ScopeSet set);  // "read or query"

class Scopes {
 public:
  static constexpr size_t kMaxScopes = 32;
  static constexpr size_t kMaxPattern = 100;

  static Scopes all();
  static Result<Scopes> parse(const std::vector<std::string>& texts);  // MR-AUTH-0004

  bool has_any(ScopeSet set) const;  // of some name
  bool allows(Scope scope, std::string_view name) const;
  bool allows_all(Scope scope) const;      // whatever the name
  bool sees(std::string_view name) const;  // by any scope
  std::vector<std::string> texts() const;

 private:
  struct One {
    Scope scope;
    std::string name;
    bool prefix;
    bool fits(std::string_view other) const { return prefix ? other.starts_with(name) : other == name; }
  };
  static Result<One> parse_one(std::string_view text);

  std::vector<One> list_;
};

}  // namespace millrace::gateway
