#include "event-gateway/http_cors.h"

#include <fmt/format.h>

#include <algorithm>

#include "event-gateway/http_message.h"
#include "event-gateway/http_target.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kAny = "*";
constexpr int kPreflightSeconds = 7'200;  // as long as browsers remember one

bool has(const std::vector<std::string>& allowed, std::string_view origin) {
  return std::find(allowed.begin(), allowed.end(), origin) != allowed.end();
}

}  // namespace

std::string check_cors_origin(const std::string& text) {
  if (text == kAny) return "";
  const size_t scheme = text.find("://");
  std::string_view host, port;
  const bool good = scheme != std::string::npos &&
                    (text.starts_with("http://") || text.starts_with("https://")) &&
                    split_authority(std::string_view(text).substr(scheme + 3), host, port) &&
                    text == in_lower_case(text) && text.find('*') == std::string::npos;
  return good ? ""
              : "\"" + text +
                    "\" is not an origin: write it as browsers do, as in https://app.example.com, or *";
}

bool allows_origin(const std::vector<std::string>& allowed, std::string_view origin) {
  return has(allowed, kAny) || has(allowed, origin);
}

std::string cors_fields(const std::vector<std::string>& allowed, std::string_view origin) {
  if (allowed.empty()) return {};
  const bool any = has(allowed, kAny);
  std::string out = any ? "" : "Vary: Origin\r\n";
  if (origin.empty() || !allows_origin(allowed, origin)) return out;
  out += fmt::format(
      "Access-Control-Allow-Origin: {}\r\n"
      "Access-Control-Expose-Headers: Millrace-Cursor, Idempotency-Replayed, Retry-After, X-Request-Id\r\n",
      any ? kAny : origin);
  return out;
}

// Of Authorization the star does not speak; of CloudEvents' own headers nothing else can.
std::string preflight_fields(std::string_view methods) {
  return fmt::format(
      "Access-Control-Allow-Methods: {}\r\nAccess-Control-Allow-Headers: Authorization, Content-Type, "
      "Content-Encoding, Idempotency-Key, Last-Event-ID, X-Request-Id, *\r\nAccess-Control-Max-Age: {}\r\n",
      methods, kPreflightSeconds);
}

}  // namespace millrace::gateway
