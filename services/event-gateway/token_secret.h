// A token's secret: 256 random bits, shown once, kept as an argon2id hash.
//
//   mrt_<id>_<secret>   16 and 64 hexadecimal digits
//
// Why a check: 32 bits of the secret's SHA-256 are kept beside the hash. Whoever guesses is refused by them, at the price of
//              a SHA-256; argon2 is run for the one in four billion that fits. 224 bits are left to guess.
// Threads:     make_secret() and verify_secret() take milliseconds and memory: off the core loop.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::gateway {

struct TokenText {
  std::string_view id, secret;
};
// Nothing: it is no token of this form.
std::optional<TokenText> parse_token(std::string_view token);
std::string make_token_id();

struct KeptSecret {
  std::string hash;   // argon2id, with its parameters and salt
  std::string check;  // eight hexadecimal digits
};
struct MadeSecret {
  std::string secret;
  KeptSecret kept;
};
Result<MadeSecret> make_secret();  // MR-AUTH-0011
std::string check_of(std::string_view secret);
bool verify_secret(const std::string& hash, std::string_view secret);

// Digests that say nothing to who reads this process's memory later, and cannot be made outside of it.
class SecretDigests {
 public:
  using Digest = std::array<unsigned char, 32>;
  SecretDigests();
  Digest of(std::string_view secret) const;
  static bool same(const Digest& a, const Digest& b);

 private:
  std::array<unsigned char, 32> key_;
};

}  // namespace millrace::gateway
