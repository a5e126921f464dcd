#include "event-gateway/token_secret.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

#include "formats/text_types.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kPrefix = "mrt_";
constexpr size_t kIdDigits = 16, kSecretDigits = 64;
constexpr size_t kSaltBytes = 16, kHashBytes = 32, kCheckBytes = 4;
// OWASP's second choice for passwords; a secret of 256 bits needs less.
constexpr uint32_t kMemoryKib = 19 * 1024, kPasses = 2, kLanes = 1;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

template <size_t Bytes>
std::array<unsigned char, Bytes> random_bytes() {
  std::array<unsigned char, Bytes> out{};
  CHECK(RAND_bytes(out.data(), static_cast<int>(Bytes)) == 1, "OpenSSL has random numbers");
  return out;
}

std::string hex_of(const unsigned char* bytes, size_t size) {
  std::string out;
  formats::append_hex(out, {reinterpret_cast<const char*>(bytes), size});
  return out;
}

}  // namespace

std::optional<TokenText> parse_token(std::string_view token) {
  if (token.size() != kPrefix.size() + kIdDigits + 1 + kSecretDigits || !token.starts_with(kPrefix))
    return std::nullopt;
  token.remove_prefix(kPrefix.size());
  const TokenText out{token.substr(0, kIdDigits), token.substr(kIdDigits + 1)};
  if (token[kIdDigits] != '_' || !is_hex(out.id) || !is_hex(out.secret)) return std::nullopt;
  return out;
}

std::string make_token_id() {
  const auto bytes = random_bytes<kIdDigits / 2>();
  return hex_of(bytes.data(), bytes.size());
}

std::string check_of(std::string_view secret) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest);
  return hex_of(digest, kCheckBytes);
}

Result<MadeSecret> make_secret() {
  const auto bytes = random_bytes<kSecretDigits / 2>();
  const auto salt = random_bytes<kSaltBytes>();
  MadeSecret made{hex_of(bytes.data(), bytes.size()), {}};
  std::string hash(argon2_encodedlen(kPasses, kMemoryKib, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const int result =
      argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, made.secret.data(), made.secret.size(), salt.data(),
                            salt.size(), kHashBytes, hash.data(), hash.size());
  if (result != ARGON2_OK) {
    return error(Code::kUnavailable, "MR-AUTH-0011",
                 std::string("a secret cannot be hashed: ") + argon2_error_message(result),
                 "the node lacks memory: try again later");
  }
  hash.resize(hash.find('\0'));
  made.kept = {std::move(hash), check_of(made.secret)};
  return made;
}

bool verify_secret(const std::string& hash, std::string_view secret) {
  return argon2id_verify(hash.c_str(), secret.data(), secret.size()) == ARGON2_OK;
}

SecretDigests::SecretDigests() : key_(random_bytes<32>()) {}

SecretDigests::Digest SecretDigests::of(std::string_view secret) const {
  Digest out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), out.data(), &size);
  return out;
}

bool SecretDigests::same(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace millrace::gateway
