// Any bytes as a client of the HTTP server: first into the parser, then into a whole connection over a pair of
// sockets in memory. What they mean must not depend on how they are split: all at once, in pieces that a hash
// of the bytes draws, byte by byte. Every accepted request is read again by the rules of http_reference.h.
//
// The bytes are followed by an empty line: a head that nothing ends is refused late or early, as it comes.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "event-gateway/http_parser.h"
#include "tests/fuzz/http_peer.h"
#include "tests/fuzz/http_reference.h"
#include "tests/fuzz/require.h"

namespace millrace::fuzz {
namespace {

using gateway::HttpHead;
using gateway::HttpParser;
using Got = HttpParser::Got;

// Feeds the parser as the server's connection does, and writes down what it says.
class Feed {
 public:
  void take(std::string_view piece) {
    input_ += piece;
    while (step()) {
    }
    require(phase_ != Phase::kHead || input_.size() <= kMostHead, "an unfinished head is bounded");
  }
  const std::string& transcript() const { return said_; }

 private:
  enum class Phase : uint8_t { kHead, kSized, kChunked, kEnded };

  bool step() {
    switch (phase_) {
      case Phase::kHead:
        return head();
      case Phase::kSized:
        return sized();
      case Phase::kChunked:
        return chunked();
      case Phase::kEnded:
        break;
    }
    return false;
  }

  bool head() {
    if (!begun_) {
      if (input_.empty()) return false;
      parser_.begin();
      begun_ = true;
    }
    const Got got = take_from_parser([&](size_t& used) { return parser_.head(input_, used); });
    if (got != Got::kDone) return refused(got);
    begun_ = false;
    require(raw_.size() <= kMostHead, "a head is bounded");
    check_head(std::exchange(raw_, {}), head_);
    for (const auto* text : {&head_.method, &head_.target, &head_.host, &head_.origin, &head_.content_type,
                             &head_.accept, &head_.authorization, &head_.idempotency_key,
                             &head_.last_event_id, &head_.expect, &head_.repeated}) {
      say(*text);
    }
    say(std::to_string(head_.keep_alive) + std::to_string(head_.chunked));
    left_ = head_.content_length.value_or(0);
    require(left_ <= kMostBody, "an announced body is bounded");
    phase_ = head_.chunked ? Phase::kChunked : left_ > 0 ? Phase::kSized : Phase::kHead;
    return true;
  }

  bool sized() {
    const size_t n = static_cast<size_t>(std::min<uint64_t>(left_, input_.size()));
    content_ += input_.substr(0, n);
    input_.erase(0, n);
    left_ -= n;
    if (left_ > 0) return false;
    end_body();
    return true;
  }

  bool chunked() {
    const auto piece = [](void* owner, std::string_view bytes) {
      static_cast<Feed*>(owner)->content_ += bytes;
    };
    const Got got = take_from_parser([&](size_t& used) { return parser_.body(input_, used, piece, this); });
    require(content_.size() <= kMostBody, "chunks are bounded");
    if (got != Got::kDone) return refused(got);
    check_chunks(std::exchange(raw_, {}), content_);
    end_body();
    return true;
  }

  template <typename Parse>
  Got take_from_parser(Parse parse) {
    size_t used = 0;
    const Got got = parse(used);
    require(used <= input_.size(), "no more is used than there is");
    raw_ += input_.substr(0, used);
    input_.erase(0, used);
    return got;
  }
  bool refused(Got got) {
    if (got == Got::kMore) return false;
    say("refused");  // a head that is both bad and too large is one of them first, as its bytes come
    phase_ = Phase::kEnded;
    return false;
  }
  void end_body() {
    say(std::exchange(content_, {}));
    phase_ = Phase::kHead;
  }
  void say(const std::string& text) { said_ += std::to_string(text.size()) + ":" + text + " "; }

  HttpHead head_;
  HttpParser parser_{head_, kMostHead, kMostBody};
  Phase phase_ = Phase::kHead;
  bool begun_ = false;
  uint64_t left_ = 0;
  std::string input_, raw_, content_, said_;
};

std::vector<std::string_view> whole(std::string_view bytes) {
  return {bytes};
}
std::vector<std::string_view> in_pieces(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  Random random(stable_hash(bytes));
  const uint64_t longest = uint64_t{1} << random.below(9);
  while (!bytes.empty()) {
    const size_t n = std::min<size_t>(bytes.size(), 1 + random.below(longest));
    pieces.push_back(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
  return pieces;
}
std::vector<std::string_view> byte_by_byte(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  for (size_t i = 0; i < bytes.size(); ++i) pieces.push_back(bytes.substr(i, 1));
  return pieces;
}

std::string parsed(const std::vector<std::string_view>& pieces) {
  Feed feed;
  for (const auto piece : pieces) feed.take(piece);
  return feed.transcript();
}

void run(std::string_view bytes) {
  const std::string at_once = parsed(whole(bytes));
  require(parsed(in_pieces(bytes)) == at_once, "pieces mean what the whole means", at_once);
  require(parsed(byte_by_byte(bytes)) == at_once, "bytes mean what the whole means", at_once);
  const std::string answers = serve(whole(bytes));
  require(serve(in_pieces(bytes)) == answers, "pieces are answered as the whole is", answers);
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::fuzz::run(std::string(reinterpret_cast<const char*>(data), size) + "\r\n\r\n");
  return 0;
}
