#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace millrace {

namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kPiece = 3u << 20;  // EVP counts in int

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

size_t padding_of(std::string_view text) {
  return text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
}

}  // namespace

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  static constexpr auto kIsDigit = [] {
    std::array<bool, 256> out{};
    for (const char c : kDigits) out[static_cast<unsigned char>(c)] = true;
    return out;
  }();
  text.remove_suffix(padding_of(text));
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return kIsDigit[static_cast<unsigned char>(c)]; });
}

void append_base64(std::string& out, std::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPiece))) {
    const std::string_view piece = bytes.substr(0, kPiece);
    const size_t before = out.size();
    out.resize(before + 4 * ((piece.size() + 2) / 3) + 1);  // EVP ends it with a zero byte
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + before), bytes_of(piece),
                    static_cast<int>(piece.size()));
    out.pop_back();
  }
}

bool append_from_base64(std::string& out, std::string_view text) {
  if (!is_base64(text)) return false;
  const size_t padding = padding_of(text);
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), kPiece / 3 * 4))) {
    const std::string_view piece = text.substr(0, kPiece / 3 * 4);
    const size_t before = out.size();
    out.resize(before + piece.size() / 4 * 3);
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data() + before), bytes_of(piece),
                    static_cast<int>(piece.size()));
  }
  out.resize(out.size() - padding);  // of which EVP makes zero bytes
  return true;
}

}  // namespace millrace
