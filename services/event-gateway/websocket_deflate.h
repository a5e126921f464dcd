// permessage-deflate (RFC 7692): a WebSocket's messages compressed, each for itself.
//
// Why:     a window that is kept between messages costs 300 KB a connection, and ten thousand are allowed. So both sides'
//          context takeover is declined in the answer, and one inflater and a deflater a window size serve them all.
// Bound:   what a message inflates to, by `most`: it stops there, whatever its size on the wire. Memory: a window and
//          tables for the inflater and for each of at most seven deflaters, of the whole server.
// Threads: confined.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event-gateway/body_buffer.h"

namespace millrace::gateway {

struct WsDeflateTerms {
  static constexpr int kMinWindowBits = 9;  // zlib's, of a bare stream; an offer of 8 is declined
  static constexpr int kMaxWindowBits = 15;
  int window_bits = kMaxWindowBits;  // of what the server sends
  bool window_named = false;         // by the offer, so also by the answer
};

// The first offer in Sec-WebSocket-Extensions that can be met; none: messages go as they are.
std::optional<WsDeflateTerms> choose_deflate(std::string_view offers);
std::string to_header(const WsDeflateTerms& terms);

class WsCompression {
 public:
  enum class Inflated : uint8_t { kWhole, kDamaged, kTooLarge };

  WsCompression();
  ~WsCompression();
  // Into `out`, sealed.
  Inflated inflate(std::string_view message, size_t most, BodyBuffer& out);
  // Valid until the next call; empty: the message does not get smaller.
  std::string_view deflate(std::string_view message, int window_bits);

 private:
  class Inflater;
  class Deflater;
  std::unique_ptr<Inflater> inflater_;
  std::array<std::unique_ptr<Deflater>, WsDeflateTerms::kMaxWindowBits + 1> deflaters_;  // by window bits
  std::string deflated_;
};

}  // namespace millrace::gateway
