// Little- and big-endian integers, varints and bounded reading of byte strings.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace {

template <std::integral T>
T byteswap(T v) {
  if constexpr (sizeof(T) == 1) return v;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(v)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(v)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(v)));
}

template <std::integral T>
T load_le(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <std::integral T>
T load_be(const void* p) {
  return byteswap(load_le<T>(p));
}
template <std::integral T>
void store_le(void* p, T v) {
  std::memcpy(p, &v, sizeof v);
}
template <std::integral T>
void store_be(void* p, T v) {
  store_le(p, byteswap(v));
}
template <std::integral T>
void append_le(std::string& out, T v) {
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}
template <std::integral T>
void append_be(std::string& out, T v) {
  append_le(out, byteswap(v));
}

inline uint64_t zigzag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
inline int64_t unzigzag(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}

// Writes at most 10 bytes; returns the end.
inline char* store_varint(char* p, uint64_t v) {
  while (v >= 0x80) {
    *p++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *p++ = static_cast<char>(v);
  return p;
}
inline void append_varint(std::string& out, uint64_t v) {
  char buffer[10];
  out.append(buffer, static_cast<size_t>(store_varint(buffer, v) - buffer));
}
inline void append_bytes(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out.append(bytes);
}

// ByteReader takes values off the front of a byte string. Once a read does not fit, ok() is false and every
// later read answers zero or empty: check once, at the end. Never reads outside its view.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <std::integral T>
  T le() {
    return fixed<T>([](const char* p) { return load_le<T>(p); });
  }
  template <std::integral T>
  T be() {
    return fixed<T>([](const char* p) { return load_be<T>(p); });
  }
  uint64_t varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto b = static_cast<uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      v |= uint64_t{b & 0x7Fu} << shift;
      if (b < 0x80) return v;
    }
    return fail(), 0;
  }
  int64_t signed_varint() { return unzigzag(varint()); }
  std::string_view take(size_t n) {
    if (!ok_ || n > bytes_.size()) return fail(), std::string_view();
    auto v = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return v;
  }
  std::string_view bytes() {
    const uint64_t n = varint();
    return take(n);
  }
  std::string_view rest() const { return bytes_; }
  size_t left() const { return bytes_.size(); }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && bytes_.empty(); }

 private:
  template <std::integral T, typename Load>
  T fixed(Load load) {
    if (!ok_ || bytes_.size() < sizeof(T)) return fail(), T{};
    T v = load(bytes_.data());
    bytes_.remove_prefix(sizeof(T));
    return v;
  }
  void fail() {
    ok_ = false;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace millrace
