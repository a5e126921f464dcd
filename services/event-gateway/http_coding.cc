#include "event-gateway/http_coding.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "event-gateway/http_message.h"

namespace millrace::gateway {
namespace {

constexpr size_t kPiece = 64 * 1024;  // decoded at a time
constexpr int kZstdWindowLog = 23;
constexpr size_t kZlibBytes = 48 * 1024;  // its window and tables

Error not_of(std::string_view coding, std::string_view why) {
  return error(Code::kInvalid, "MR-API-0024", fmt::format("the body is not valid {}: {}", coding, why),
               "compress the whole body once, and send all of it");
}

Error too_large(size_t most) {
  return error(Code::kInvalid, "MR-API-0003", fmt::format("the decoded body is larger than {} bytes", most),
               "send the events in several requests");
}

// What the next piece may take; one byte more than the bound, to see that there is more.
size_t room(const BodyBuffer& body, size_t most) {
  return std::min(kPiece, most - std::min(body.size(), most) + 1);
}

class ZlibDecoder final : public BodyDecoder {
 public:
  ZlibDecoder(bool gzip, size_t most) : gzip_(gzip), most_(most) {}
  ~ZlibDecoder() override {
    if (begun_) inflateEnd(&stream_);
  }

  Status write(std::string_view bytes, BodyBuffer& body) override {
    while (!bytes.empty()) {
      if (!begun_) TRY(begin(bytes.front()));
      if (ended_) {  // gzip: members may follow one another
        if (!gzip_) return not_of(name(), "something stands behind its end");
        inflateReset(&stream_);
        ended_ = false;
      }
      TRY(decode(bytes, body));
    }
    return {};
  }

  Status finish() override { return ended_ ? Status() : Status(not_of(name(), "it is cut off")); }
  size_t bytes() const override { return kZlibBytes; }

 private:
  std::string_view name() const { return gzip_ ? "gzip" : "deflate"; }

  // "deflate" is zlib's format, but some clients send the bare stream: its first byte is no zlib header's.
  Status begin(char first) {
    const bool zlib = (static_cast<unsigned char>(first) & 0x0F) == Z_DEFLATED && (first & 0x80) == 0;
    const int window = gzip_ ? MAX_WBITS + 16 : zlib ? MAX_WBITS : -MAX_WBITS;
    begun_ = inflateInit2(&stream_, window) == Z_OK;
    if (begun_) return {};
    return error(Code::kUnavailable, "MR-API-0020", "there is no memory for a decoder",
                 "send it again shortly");
  }

  Status decode(std::string_view& bytes, BodyBuffer& body) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      const size_t space = room(body, most_);
      stream_.next_out = reinterpret_cast<Bytef*>(body.tail(space));
      stream_.avail_out = static_cast<uInt>(space);
      const int got = inflate(&stream_, Z_NO_FLUSH);
      body.commit(space - stream_.avail_out);
      if (body.size() > most_) return too_large(most_);
      ended_ = got == Z_STREAM_END;
      if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
        return not_of(name(), stream_.msg != nullptr ? stream_.msg : "its data are damaged");
      if (ended_ || stream_.avail_out > 0) break;
    }
    bytes.remove_prefix(bytes.size() - stream_.avail_in);
    return {};
  }

  const bool gzip_;
  const size_t most_;
  z_stream stream_{};
  bool begun_ = false, ended_ = false;
};

class ZstdDecoder final : public BodyDecoder {
 public:
  explicit ZstdDecoder(size_t most) : most_(most), stream_(ZSTD_createDCtx(), &ZSTD_freeDCtx) {
    if (stream_) ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
  }

  Status write(std::string_view bytes, BodyBuffer& body) override {
    if (!stream_) {
      return error(Code::kUnavailable, "MR-API-0020", "there is no memory for a decoder",
                   "send it again shortly");
    }
    if (bytes.empty()) return {};  // it takes sixteen calls without input for damage
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (bool more = true; more;) {
      const size_t space = room(body, most_);
      ZSTD_outBuffer out{body.tail(space), space, 0};
      const size_t got = ZSTD_decompressStream(stream_.get(), &out, &in);
      body.commit(out.pos);
      // Not the library's words: they depend on how the bytes came in.
      if (ZSTD_isError(got) != 0) return not_of("zstd", "its data are damaged");
      if (body.size() > most_) return too_large(most_);
      ended_ = got == 0;
      // Not another call once a frame is out: without input it would ask for the next one's header.
      more = in.pos < in.size || (out.pos == out.size && !ended_);
    }
    return {};
  }

  Status finish() override { return ended_ ? Status() : Status(not_of("zstd", "it is cut off")); }
  size_t bytes() const override {
    most_bytes_ = std::max(most_bytes_, ZSTD_sizeof_DCtx(stream_.get()));
    return most_bytes_;
  }

 private:
  const size_t most_;
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> stream_;
  bool ended_ = false;
  mutable size_t most_bytes_ = 0;  // a frame may need less than the one before
};

}  // namespace

std::optional<Coding> coding_named(std::string_view name) {
  if (iequals(name, "gzip") || iequals(name, "x-gzip")) return Coding::kGzip;
  if (iequals(name, "deflate")) return Coding::kDeflate;
  if (iequals(name, "zstd")) return Coding::kZstd;
  return std::nullopt;
}

std::unique_ptr<BodyDecoder> make_body_decoder(Coding coding, size_t max_body_bytes) {
  if (coding == Coding::kZstd) return std::make_unique<ZstdDecoder>(max_body_bytes);
  return std::make_unique<ZlibDecoder>(coding == Coding::kGzip, max_body_bytes);
}

}  // namespace millrace::gateway
