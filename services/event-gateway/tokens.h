// Tokens: who may call, and as which tenant. A file of hashes, so that reading it gives nobody a token.
//
//   tokens:
//     - {tenant: acme, sha256: 9f86d0…, events_per_s: 50000, bytes_per_s: 20000000}   # quotas are optional
//     - {tenant: ops, sha256: 60303a…, metrics: all}   # /metrics/full shows it every tenant's series, not its own only
//
// A tenant may have many tokens; its quota is the largest that one of them names. They have every scope of their tenant, and no
// end: those that have are the data directory's (token_store.h).
// Comparison takes the same time whatever the token, so nothing can be learnt byte by byte.
// Threads: immutable after load().
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event-gateway/caller.h"
#include "event-gateway/quota.h"

namespace millrace::gateway {

class Tokens {
 public:
  static constexpr size_t kMaxTokens = 10'000;
  static constexpr size_t kMaxFileBytes = 8u << 20;

  static Result<std::unique_ptr<Tokens>> load(const std::string& path);  // MR-API-0031, MR-API-0032
  static Result<std::unique_ptr<Tokens>> parse(const std::string& yaml);

  CallerPtr caller_of(std::string_view token) const;  // null: nobody's
  const std::map<std::string, Quota>& tenants() const { return tenants_; }

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Entry {
    Digest digest{};
    CallerPtr caller;
  };
  static Digest digest_of(std::string_view token);
  Status add(const Caller& caller, const std::string& hex, Quota quota);

  std::vector<Entry> entries_;
  std::map<std::string, Quota> tenants_;
};

// What stands in the file for a token: the lower-case hexadecimal SHA-256 of its bytes.
std::string token_hash(std::string_view token);

}  // namespace millrace::gateway
