// Any bytes as a WebSocket client's frames. The first byte says whether messages may be compressed. What the bytes mean
// must not depend on how they are split; a message is bounded; a text is UTF-8, and sent back by the encoder it is read
// as the same; what a message inflates to stays within its bound, and deflated it comes back.
#include <cstdint>
#include <string>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/random.h"
#include "event-gateway/websocket_deflate.h"
#include "event-gateway/websocket_frame.h"
#include "formats/text_types.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using gateway::BodyBuffer;
using gateway::WsCompression;
using gateway::WsDecoder;
using gateway::WsOpcode;
using Got = WsDecoder::Got;

constexpr size_t kMostMessage = 512;
constexpr size_t kMostInflated = 4096;

// A server's frame as a client would send it, with a mask of zeros.
std::string masked(std::string_view frame) {
  std::string out(frame);
  const auto length = static_cast<unsigned char>(out[1]);
  const size_t head = length < 126 ? 2 : length == 126 ? 4 : 10;
  out[1] = static_cast<char>(length | 0x80);
  return out.insert(head, 4, '\0');
}

void check_encoder(std::string_view message, bool text) {
  std::string frame;
  gateway::append_ws_frame(frame, text ? WsOpcode::kText : WsOpcode::kBinary, message);
  WsDecoder decoder(kMostInflated, false);
  size_t used = 0;
  const std::string sent = masked(frame);
  require(decoder.next(sent, used) == Got::kMessage && used == sent.size(), "an encoded message is one");
  require(decoder.message() == message && decoder.is_text() == text, "it is the same");
}

void check_deflate(std::string_view message, WsCompression& compression) {
  const std::string small(compression.deflate(message, 9 + static_cast<int>(message.size() % 7)));
  if (small.empty()) return;
  BodyBuffer back;
  require(small.size() < message.size(), "deflated it is smaller");
  require(compression.inflate(small, message.size(), back) == WsCompression::Inflated::kWhole, "it inflates");
  require(back.view() == message, "it comes back", std::string(back.view()));
}

class Reader {
 public:
  Reader(bool compression, WsCompression& shared)
      : decoder_(kMostMessage, compression), compression_(shared) {}

  void take(std::string_view piece) {
    input_ += piece;
    for (bool more = true; more;) {
      size_t used = 0;
      const Got got = decoder_.next(input_, used);
      require(used <= input_.size(), "no more is used than there is");
      require(decoder_.held_bytes() <= kMostMessage, "a message is bounded");
      input_.erase(0, used);
      more = hear(got);
    }
    require(input_.size() < 14 || ended_, "only a frame's head is left over");
  }
  const std::string& transcript() const { return said_; }

 private:
  bool hear(Got got) {
    switch (got) {
      case Got::kMore:
        return false;
      case Got::kMessage:
        message();
        return true;
      case Got::kPing:
      case Got::kPong:
        require(decoder_.control().size() <= gateway::kWsMaxControl, "a control frame is bounded");
        say(got == Got::kPing ? "ping " : "pong ", decoder_.control());
        return true;
      case Got::kClose:
        say("close ", std::to_string(static_cast<int>(decoder_.close_code())));
        return true;
      case Got::kBad:
        if (!ended_) say("bad ", decoder_.complaint());
        ended_ = true;
        return false;
    }
    return false;
  }
  void message() {
    const std::string_view bytes = decoder_.message();
    for (size_t i = 0; i < Buffer::kPadding; ++i)
      require(bytes.data()[bytes.size() + i] == 0, "zeros follow");
    if (decoder_.is_compressed()) {
      BodyBuffer out;
      const auto got = compression_.inflate(bytes, kMostInflated, out);
      require(out.size() <= kMostInflated + 1, "what inflates is bounded");
      say("compressed ", std::to_string(static_cast<int>(got)));
      if (got == WsCompression::Inflated::kWhole) say("inflated ", out.view());
    } else {
      require(!decoder_.is_text() || formats::is_utf8(bytes), "a text is UTF-8");
      say(decoder_.is_text() ? "text " : "binary ", bytes);
      check_encoder(bytes, decoder_.is_text());
      check_deflate(bytes, compression_);
    }
    decoder_.message_done();
  }
  void say(std::string_view what, std::string_view bytes) {
    said_ += what;
    said_ += std::to_string(bytes.size());
    said_ += ':';
    said_ += bytes;
    said_ += ' ';
  }

  WsDecoder decoder_;
  WsCompression& compression_;
  std::string input_, said_;
  bool ended_ = false;
};

void run(std::string_view bytes) {
  static WsCompression compression;
  const bool compressed = !bytes.empty() && (bytes.front() & 1) != 0;
  bytes.remove_prefix(bytes.empty() ? 0 : 1);
  Reader whole(compressed, compression), pieces(compressed, compression), single(compressed, compression);
  whole.take(bytes);
  Random random(stable_hash(bytes));
  const uint64_t longest = uint64_t{1} << random.below(9);
  for (std::string_view left = bytes; !left.empty();) {
    const std::string_view piece = left.substr(0, 1 + random.below(longest));
    pieces.take(piece);
    left.remove_prefix(piece.size());
  }
  for (size_t i = 0; i < bytes.size(); ++i) single.take(bytes.substr(i, 1));
  require(pieces.transcript() == whole.transcript(), "pieces mean what the whole means", whole.transcript());
  require(single.transcript() == whole.transcript(), "bytes mean what the whole means", whole.transcript());
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
