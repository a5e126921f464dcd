// GET /v1/ws: the handshake of RFC 6455 4.2. Host, Origin and token were judged before, as every request's.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/base64.h"
#include "event-gateway/http_handlers.h"
#include "event-gateway/http_status.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kVersion = "13";
constexpr std::string_view kProtocol = "millrace.v1";
constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

HttpAnswer no_handshake(std::string message) {
  HttpAnswer answer = problem(error(Code::kInvalid, "MR-API-0025", std::move(message),
                                    "connect with a WebSocket client, to ws://HOST:PORT/v1/ws"));
  answer.fields =
      fmt::format("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: {}\r\n", kVersion);
  return answer;
}

// Sixteen bytes in base64.
bool is_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") && is_base64(key);
}

std::string accept_of(const std::string& key) {
  const std::string text = key + std::string(kMagic);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::string out;
  append_base64(out, {reinterpret_cast<const char*>(digest.data()), size});
  return out;
}

}  // namespace

std::optional<HttpAnswer> check_handshake(const HttpHead& head) {
  if (!head.http11 || !head.keep_alive || !has_token(head.upgrade, "websocket") ||
      !has_token(head.connection, "upgrade"))
    return no_handshake("this path speaks WebSocket");
  if (head.ws_version != kVersion) return no_handshake("the version of WebSocket has to be 13");
  if (!is_key(head.ws_key)) return no_handshake("Sec-WebSocket-Key has to be 16 bytes in base64");
  if (head.has_body()) return no_handshake("a handshake has no body");
  return std::nullopt;
}

void begin_websocket(const HttpRequest& request, const HttpReply& reply) {
  WebSocketTerms terms{request.tenant, request.caller, request.connection,
                       choose_deflate(request.head.ws_extensions)};
  std::string fields = fmt::format("Sec-WebSocket-Accept: {}\r\n", accept_of(request.head.ws_key));
  if (has_token(request.head.ws_protocols, kProtocol))
    fields += fmt::format("Sec-WebSocket-Protocol: {}\r\n", kProtocol);
  if (terms.deflate) fields += fmt::format("Sec-WebSocket-Extensions: {}\r\n", to_header(*terms.deflate));
  reply.upgrade(std::move(fields), terms);
}

}  // namespace millrace::gateway
