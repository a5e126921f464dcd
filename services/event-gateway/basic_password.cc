#include "event-gateway/basic_password.h"

#include "base/base64.h"
#include "event-gateway/http_message.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kScheme = "Basic ";
constexpr size_t kMost = 4 * 1024;

}  // namespace

std::string basic_password(std::string_view authorization) {
  if (authorization.size() <= kScheme.size() || !iequals(authorization.substr(0, kScheme.size()), kScheme))
    return {};
  const std::string_view encoded = trim(authorization.substr(kScheme.size()));
  std::string both;
  if (encoded.size() > kMost || !append_from_base64(both, encoded)) return {};
  const size_t colon = both.find(':');
  return colon == std::string::npos ? std::string() : both.substr(colon + 1);
}

}  // namespace millrace::gateway
