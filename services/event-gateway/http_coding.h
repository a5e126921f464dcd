// HttpCoding: a compressed request body, decoded as it arrives: gzip, deflate (RFC 9110 8.4.1) and zstd (RFC 8878).
//
// Use:    write() what came, finish() at the body's end. Decoded bytes are appended to the body.
// Bound:  the decoded body; a decoder's window: 32 KiB of gzip and deflate, 8 MiB of zstd (RFC 9659).
// Errors: MR-API-0003 beyond the bound, MR-API-0024 not of this coding, or cut off.
// Threads: confined.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "event-gateway/body_buffer.h"

namespace millrace::gateway {

enum class Coding : uint8_t { kGzip, kDeflate, kZstd };

// What the header Accept-Encoding of a refusal says.
inline constexpr std::string_view kCodings = "gzip, deflate, zstd";
std::optional<Coding> coding_named(std::string_view name);  // without case; x-gzip is gzip

class BodyDecoder {
 public:
  virtual ~BodyDecoder() = default;
  virtual Status write(std::string_view bytes, BodyBuffer& body) = 0;
  virtual Status finish() = 0;
  virtual size_t bytes() const = 0;  // of memory, for its window above all; never less than before
};
std::unique_ptr<BodyDecoder> make_body_decoder(Coding coding, size_t max_body_bytes);

}  // namespace millrace::gateway
