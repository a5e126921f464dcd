#include "event-gateway/basic_password.h"

#include <openssl/evp.h>

#include "event-gateway/http_message.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kScheme = "Basic ";
constexpr size_t kMost = 4 * 1024;

// With its padding, of which EVP makes zero bytes.
std::string from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > kMost) return {};
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

}  // namespace

std::string basic_password(std::string_view authorization) {
  if (authorization.size() <= kScheme.size() || !iequals(authorization.substr(0, kScheme.size()), kScheme))
    return {};
  const std::string both = from_base64(trim(authorization.substr(kScheme.size())));
  const size_t colon = both.find(':');
  return colon == std::string::npos ? std::string() : both.substr(colon + 1);
}

}  // namespace millrace::gateway
