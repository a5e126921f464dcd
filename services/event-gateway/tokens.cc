#include "event-gateway/tokens.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "event-gateway/token_record.h"

namespace millrace::gateway {
namespace {

Error bad_tokens(std::string message) {
  return error(Code::kInvalid, "MR-API-0032", "the tokens file is wrong: " + std::move(message),
               "write  tokens: [{tenant: NAME, sha256: 64 HEX DIGITS}]; "
               "the hash of a token: printf %s TOKEN | sha256sum");
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

double rate(const YAML::Node& node) {
  if (!node) return 0;
  const auto value = node.as<double>();
  return std::isfinite(value) && value > 0 ? value : -1;
}

// 0 is no bound, and no bound is more than any.
double larger(double a, double b) {
  return a == 0 || b == 0 ? 0 : std::max(a, b);
}

}  // namespace

Tokens::Digest Tokens::digest_of(std::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

std::string token_hash(std::string_view token) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest);
  std::string out;
  for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

Status Tokens::add(const Caller& caller, const std::string& hex, Quota quota) {
  const std::string& tenant = caller.tenant;
  if (!is_tenant_name(tenant))
    return bad_tokens("a tenant's name has 1 to 100 bytes, without slashes and control characters");
  if (entries_.size() >= kMaxTokens) return bad_tokens(fmt::format("more than {} tokens", kMaxTokens));
  Entry entry;
  entry.caller = std::make_shared<const Caller>(caller);
  if (hex.size() != 2 * entry.digest.size())
    return bad_tokens("the sha256 of tenant " + tenant + " has not 64 digits");
  for (size_t i = 0; i < entry.digest.size(); ++i) {
    const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return bad_tokens("the sha256 of tenant " + tenant + " is not hexadecimal");
    entry.digest[i] = static_cast<unsigned char>(high * 16 + low);
  }
  for (const Entry& other : entries_) {
    if (other.digest == entry.digest)
      return bad_tokens("a token stands there twice, the second time for " + tenant);
  }
  entries_.push_back(std::move(entry));
  const auto [at, fresh] = tenants_.emplace(tenant, quota);
  if (!fresh) {
    at->second.events_per_s = larger(at->second.events_per_s, quota.events_per_s);
    at->second.bytes_per_s = larger(at->second.bytes_per_s, quota.bytes_per_s);
  }
  return {};
}

Result<std::unique_ptr<Tokens>> Tokens::parse(const std::string& yaml) try {
  const YAML::Node root = YAML::Load(yaml);
  if (!root.IsMap() || !root["tokens"] || !root["tokens"].IsSequence())
    return bad_tokens("there is no list `tokens`");
  auto tokens = std::make_unique<Tokens>();
  for (const YAML::Node& node : root["tokens"]) {
    if (!node.IsMap() || !node["tenant"] || !node["sha256"])
      return bad_tokens("an entry lacks tenant or sha256");
    for (const auto& member : node) {
      const auto name = member.first.as<std::string>();
      if (name != "tenant" && name != "sha256" && name != "events_per_s" && name != "bytes_per_s" &&
          name != "metrics") {
        return bad_tokens("\"" + name + "\" is not a setting of a token");
      }
    }
    const Quota quota{rate(node["events_per_s"]), rate(node["bytes_per_s"])};
    if (quota.events_per_s < 0 || quota.bytes_per_s < 0) return bad_tokens("a quota has to be above 0");
    if (node["metrics"] && node["metrics"].as<std::string>() != "all") {
      return bad_tokens("metrics can be `all` only; without it a token sees its tenant's");
    }
    Caller caller;
    caller.tenant = node["tenant"].as<std::string>();
    caller.all_metrics = bool(node["metrics"]);
    caller.in_file = true;
    caller.token = node["sha256"].as<std::string>().substr(0, 12);
    TRY(tokens->add(caller, node["sha256"].as<std::string>(), quota));
  }
  if (tokens->entries_.empty()) return bad_tokens("it holds no token, so nobody could call");
  return tokens;
} catch (const YAML::Exception& problem) {
  return bad_tokens(fmt::format("line {}: {}", problem.mark.line + 1, problem.msg));
}

Result<std::unique_ptr<Tokens>> Tokens::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kMaxFileBytes) return bad_tokens("it is too large");
  }
  if (!in.eof()) {
    return error(Code::kNotFound, "MR-API-0031", "cannot read the tokens file " + path,
                 "check the path and its rights");
  }
  return parse(text);
}

CallerPtr Tokens::caller_of(std::string_view token) const {
  const Digest digest = digest_of(token);
  CallerPtr caller;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) caller = entry.caller;
  }
  return caller;
}

}  // namespace millrace::gateway
