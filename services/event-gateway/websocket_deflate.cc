#include "event-gateway/websocket_deflate.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "event-gateway/http_message.h"

namespace millrace::gateway {
namespace {

constexpr std::string_view kName = "permessage-deflate";
// What every message ends in after a flush, and is sent without.
constexpr std::string_view kTail("\x00\x00\xFF\xFF", 4);
constexpr size_t kPiece = 64 * 1024;  // inflated at a time
constexpr int kFastest = 1;
constexpr int kMemoryLevel = 8;
constexpr int kBlockBoundary = 128;  // in data_type: inflate() stands between two blocks

// Cuts off what stands before `mark`, and the mark.
std::string_view take_until(std::string_view& text, char mark) {
  const size_t at = text.find(mark);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return trim(part);
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// 8 to 15 in plain digits; 0: it is something else.
int window_bits(std::string_view value) {
  if (value == "8" || value == "9") return value[0] - '0';
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5')
    return 10 + (value[1] - '0');
  return 0;
}

// One offer's parameters, each once.
class Offer {
 public:
  bool take(std::string_view parameter) {
    const size_t equals = parameter.find('=');
    const bool has_value = equals != std::string_view::npos;
    const std::string_view name = trim(parameter.substr(0, equals));
    const std::string_view value =
        has_value ? unquoted(trim(parameter.substr(equals + 1))) : std::string_view();
    if (iequals(name, "server_no_context_takeover")) return once(kServerTakeover) && !has_value;
    if (iequals(name, "client_no_context_takeover")) return once(kClientTakeover) && !has_value;
    if (iequals(name, "client_max_window_bits"))
      return once(kClientWindow) && (!has_value || window_bits(value) != 0);
    if (!iequals(name, "server_max_window_bits") || !once(kServerWindow)) return false;
    terms.window_bits = window_bits(value);
    terms.window_named = true;
    return terms.window_bits >= WsDeflateTerms::kMinWindowBits;
  }
  WsDeflateTerms terms;

 private:
  enum Parameter : unsigned {
    kServerTakeover = 1,
    kClientTakeover = 2,
    kServerWindow = 4,
    kClientWindow = 8
  };
  bool once(Parameter parameter) {
    const bool first = (seen_ & parameter) == 0;
    seen_ |= parameter;
    return first;
  }
  unsigned seen_ = 0;
};

std::optional<WsDeflateTerms> understand(std::string_view offer) {
  if (!iequals(take_until(offer, ';'), kName)) return std::nullopt;
  Offer wanted;
  while (!offer.empty()) {
    if (!wanted.take(take_until(offer, ';'))) return std::nullopt;
  }
  return wanted.terms;
}

Bytef* bytes_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib does not write there
}

}  // namespace

std::optional<WsDeflateTerms> choose_deflate(std::string_view offers) {
  while (!offers.empty()) {
    if (const auto terms = understand(take_until(offers, ','))) return terms;
  }
  return std::nullopt;
}

std::string to_header(const WsDeflateTerms& terms) {
  std::string value = fmt::format("{}; server_no_context_takeover; client_no_context_takeover", kName);
  if (terms.window_named) value += fmt::format("; server_max_window_bits={}", terms.window_bits);
  return value;
}

class WsCompression::Inflater {
 public:
  Inflater() : begun_(inflateInit2(&stream_, -MAX_WBITS) == Z_OK) {}
  ~Inflater() {
    if (begun_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Inflated inflate(std::string_view message, size_t most, BodyBuffer& out) {
    if (!begun_) return Inflated::kDamaged;
    inflateReset(&stream_);
    for (const std::string_view part : {message, kTail}) {
      const Inflated got = take(part, most, out);
      if (got != Inflated::kWhole) return got;
    }
    if ((stream_.data_type & kBlockBoundary) == 0) return Inflated::kDamaged;
    out.seal();
    return Inflated::kWhole;
  }

 private:
  Inflated take(std::string_view part, size_t most, BodyBuffer& out) {
    stream_.next_in = bytes_of(part);
    stream_.avail_in = static_cast<uInt>(part.size());
    for (;;) {
      const size_t room = std::min(kPiece, most - out.size() + 1);  // one more, to see that there is more
      stream_.next_out = reinterpret_cast<Bytef*>(out.tail(room));
      stream_.avail_out = static_cast<uInt>(room);
      const int got = ::inflate(&stream_, Z_NO_FLUSH);
      out.commit(room - stream_.avail_out);
      if (out.size() > most) return Inflated::kTooLarge;
      if (got == Z_STREAM_END) {
        inflateReset(&stream_);  // a sender may end its last block, and begins another one
      } else if (got != Z_OK && got != Z_BUF_ERROR) {
        return Inflated::kDamaged;
      }
      if (stream_.avail_in == 0 && stream_.avail_out > 0) return Inflated::kWhole;
    }
  }

  z_stream stream_{};
  const bool begun_;
};

class WsCompression::Deflater {
 public:
  explicit Deflater(int window_bits)
      : begun_(deflateInit2(&stream_, kFastest, Z_DEFLATED, -window_bits, kMemoryLevel, Z_DEFAULT_STRATEGY) ==
               Z_OK) {}
  ~Deflater() {
    if (begun_) deflateEnd(&stream_);
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // False: it would not get smaller.
  bool deflate(std::string_view message, std::string& out) {
    if (!begun_) return false;
    deflateReset(&stream_);
    out.resize(message.size());
    stream_.next_in = bytes_of(message);
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int got = ::deflate(&stream_, Z_SYNC_FLUSH);
    // A full output may be a flush that is not over.
    if (got != Z_OK || stream_.avail_in > 0 || stream_.avail_out == 0) return false;
    out.resize(out.size() - stream_.avail_out - kTail.size());
    return true;
  }

 private:
  z_stream stream_{};
  const bool begun_;
};

WsCompression::WsCompression() = default;
WsCompression::~WsCompression() = default;

WsCompression::Inflated WsCompression::inflate(std::string_view message, size_t most, BodyBuffer& out) {
  if (inflater_ == nullptr) inflater_ = std::make_unique<Inflater>();
  return inflater_->inflate(message, most, out);
}

std::string_view WsCompression::deflate(std::string_view message, int window_bits) {
  auto& deflater = deflaters_.at(static_cast<size_t>(window_bits));
  if (deflater == nullptr) deflater = std::make_unique<Deflater>(window_bits);
  return deflater->deflate(message, deflated_) ? std::string_view(deflated_) : std::string_view();
}

}  // namespace millrace::gateway
