#include "node/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/result.h"

namespace millrace::cli {

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "a digest");
}

void Sha256::add(std::string_view piece) {
  CHECK(EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1, "a digest takes bytes");
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_DigestFinal_ex(context_.get(), digest, &size) == 1, "a digest ends");
  std::string out;
  for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(out), "{:02x}", digest[i]);
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.hex();
}

}  // namespace millrace::cli
