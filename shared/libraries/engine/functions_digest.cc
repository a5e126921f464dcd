// Digests: of a text in hexadecimal, of bytes as bytes; and numbers in base 16.
#include <openssl/evp.h>

#include <array>
#include <charconv>

#include "engine/call_kernel.h"
#include "formats/text_types.h"

namespace millrace::engine {
namespace {

using View = std::string_view;

template <const EVP_MD* (*kAlgorithm)()>
Bytea digest_of_bytes(Row& row, Bytea from) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (EVP_Digest(from.value.data(), from.value.size(), bytes.data(), &size, kAlgorithm(), nullptr) == 1)
    return {row.keep({reinterpret_cast<const char*>(bytes.data()), size})};
  row.fail(kBadArgument, "this machine's OpenSSL does not allow the digest");
  return {};
}
template <const EVP_MD* (*kAlgorithm)()>
View digest(Row& row, View text) {
  const View bytes = digest_of_bytes<kAlgorithm>(row, {text}).value;
  std::string out;
  formats::append_hex(out, bytes);
  return row.keep(out);
}
View md5_of_bytes(Row& row, Bytea bytes) {
  return digest<EVP_md5>(row, bytes.value);
}

template <const EVP_MD* (*kAlgorithm)()>
std::vector<Signature> sha() {
  return {call<digest<kAlgorithm>>(), call<digest_of_bytes<kAlgorithm>>()};
}

View to_hex(Row& row, int64_t value) {
  std::array<char, 16> buffer{};
  const auto end = std::to_chars(buffer.begin(), buffer.end(), static_cast<uint64_t>(value), 16).ptr;
  return row.keep({buffer.data(), static_cast<size_t>(end - buffer.data())});
}

std::string upper_hex(View hex) {
  std::string out(hex);
  for (char& c : out) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
  return out;
}
View hex_of_number(Row& row, int64_t value) {
  return row.keep(upper_hex(to_hex(row, value)));
}
View hex_of_text(Row& row, View text) {
  std::string out;
  formats::append_hex(out, text);
  return row.keep(upper_hex(out));
}

}  // namespace

FunctionFamily digest_functions() {
  return {"Digests",
          {
              {"md5",
               "The MD5 in hexadecimal",
               {call<digest<EVP_md5>>(), call<md5_of_bytes>()},
               {{"md5('abc')", "900150983cd24fb0d6963f7d28e17f72"}}},
              {"sha256",
               "The SHA-256: of a text in hexadecimal, of bytes as bytes",
               sha<EVP_sha256>(),
               {{"sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}},
              {"sha224",
               "The SHA-224, likewise",
               sha<EVP_sha224>(),
               {{"sha224('abc')", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"}}},
              {"sha384",
               "The SHA-384, likewise",
               sha<EVP_sha384>(),
               {{"left(sha384('abc'), 16)", "cb00753f45a35e8b"}}},
              {"sha512",
               "The SHA-512, likewise",
               sha<EVP_sha512>(),
               {{"left(sha512('abc'), 16)", "ddaf35a193617aba"}}},
              {"to_hex",
               "The number in base 16; negative ones in two's complement",
               {call<to_hex>()},
               {{"to_hex(255)", "ff"}, {"to_hex(-1)", "ffffffffffffffff"}}},
              {"hex",
               "As in Flink: a number, or the bytes of a text, in base 16 with capital letters",
               {call<hex_of_number>(), call<hex_of_text>()},
               {{"hex(255)", "FF"}, {"hex('é')", "C3A9"}}},
          }};
}

}  // namespace millrace::engine
