#include "schema-registry/content.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/result.h"
#include "schema/framing.h"

namespace millrace::registry {
namespace {

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

Digest sha256(const std::string& bytes) {
  Digest digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1, "SHA-256");
  return digest;
}

// Each part behind its length, so that no two contents are the same bytes.
void add(std::string& out, std::string_view part) {
  fmt::format_to(std::back_inserter(out), "{}:{};", part.size(), part);
}

}  // namespace

std::string guid_of(const Content& content) {
  std::string bytes;
  add(bytes, schema::to_string(content.type));
  add(bytes, content.text);
  add(bytes, content.metadata);
  add(bytes, content.rule_set);
  for (const auto& one : content.references) {
    add(bytes, one.name);
    add(bytes, one.subject);
    add(bytes, std::to_string(one.version));
  }
  Digest d = sha256(bytes);
  d[6] = static_cast<unsigned char>((d[6] & 0x0F) | 0x80);  // version 8 of RFC 9562: made by the application
  d[8] = static_cast<unsigned char>((d[8] & 0x3F) | 0x80);
  schema::SchemaGuid guid;
  std::copy_n(d.begin(), guid.bytes.size(), guid.bytes.begin());
  return schema::to_string(guid);
}

}  // namespace millrace::registry
