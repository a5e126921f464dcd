// Digests as hexadecimal text, and numbers in base 16.
#include <openssl/evp.h>

#include <array>
#include <charconv>

#include "engine/call_kernel.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

template <const EVP_MD* (*kAlgorithm)()>
View digest(Row& row, View text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), bytes.data(), &size, kAlgorithm(), nullptr) != 1) {
    row.fail(kBadArgument, "this machine's OpenSSL does not allow the digest");
    return {};
  }
  char* const place = row.room(size * 2);
  for (size_t i = 0; i < size; ++i) {
    place[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    place[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return {place, size * 2};
}

View to_hex(Row& row, int64_t value) {
  std::array<char, 16> buffer{};
  const auto end = std::to_chars(buffer.begin(), buffer.end(), static_cast<uint64_t>(value), 16).ptr;
  return row.keep({buffer.data(), static_cast<size_t>(end - buffer.data())});
}

}  // namespace

FunctionFamily digest_functions() {
  return {"Digests",
          {
              {"md5",
               "The text's MD5 in hexadecimal",
               {call<digest<EVP_md5>>()},
               {{"md5('abc')", "900150983cd24fb0d6963f7d28e17f72"}}},
              {"sha256",
               "The text's SHA-256 in hexadecimal",
               {call<digest<EVP_sha256>>()},
               {{"sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}},
              {"to_hex",
               "The number in base 16; negative ones in two's complement",
               {call<to_hex>()},
               {{"to_hex(255)", "ff"}, {"to_hex(-1)", "ffffffffffffffff"}}},
          }};
}

}  // namespace millrace::engine
