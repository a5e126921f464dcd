// The bits of whole numbers: what the operators & | # ~ << >> call.
#include "engine/call_kernel.h"

namespace millrace::engine {
namespace {

template <typename T>
T tagged(int64_t bits) {
  if constexpr (std::is_same_v<T, int64_t>)
    return bits;
  else
    return {bits};
}
template <typename T>
int64_t plain(T value) {
  if constexpr (std::is_same_v<T, int64_t>)
    return value;
  else
    return value.value;
}

template <typename T>
T bits_and(T a, T b) {
  return tagged<T>(plain(a) & plain(b));
}
template <typename T>
T bits_or(T a, T b) {
  return tagged<T>(plain(a) | plain(b));
}
template <typename T>
T bits_xor(T a, T b) {
  return tagged<T>(plain(a) ^ plain(b));
}
template <typename T>
T bits_not(T a) {
  return tagged<T>(~plain(a));
}

// As PostgreSQL's: of bigint by the count's last six bits, of the others by its last five. A bit that leaves the type
// is gone.
template <typename T>
int shift_of(Integer count) {
  return static_cast<int>(count.value & (std::is_same_v<T, int64_t> ? 63 : 31));
}
template <typename T>
T shift_left(T a, Integer count) {
  const auto shifted = static_cast<int64_t>(static_cast<uint64_t>(plain(a)) << shift_of<T>(count));
  if constexpr (std::is_same_v<T, Smallint>) return {static_cast<int16_t>(shifted)};
  if constexpr (std::is_same_v<T, Integer>) return {static_cast<int32_t>(shifted)};
  return tagged<T>(shifted);
}
template <typename T>
T shift_right(T a, Integer count) {
  return tagged<T>(plain(a) >> shift_of<T>(count));
}

}  // namespace

FunctionFamily bit_functions() {
  return {"Bits",
          {
              {"bitwise_and",
               "The bits that both have; written `a & b`",
               {call<bits_and<Smallint>>(), call<bits_and<Integer>>(), call<bits_and<int64_t>>()},
               {{"6 & 3", "2"}, {"-1 & 255", "255"}}},
              {"bitwise_or",
               "The bits that one of them has; written `a | b`",
               {call<bits_or<Smallint>>(), call<bits_or<Integer>>(), call<bits_or<int64_t>>()},
               {{"6 | 3", "7"}}},
              {"bitwise_xor",
               "The bits that one has and the other has not; written `a # b`",
               {call<bits_xor<Smallint>>(), call<bits_xor<Integer>>(), call<bits_xor<int64_t>>()},
               {{"6 # 3", "5"}}},
              {"bitwise_not",
               "The bits that it has not; written `~ a`",
               {call<bits_not<Smallint>>(), call<bits_not<Integer>>(), call<bits_not<int64_t>>()},
               {{"~ 6", "-7"}}},
              {"shift_left",
               "The bits so many places up, modulo 64 of a bigint and 32 of others; written `a << n`",
               {call<shift_left<Smallint>>(), call<shift_left<Integer>>(), call<shift_left<int64_t>>()},
               {{"1 << 4", "16"}, {"1 << 31", "-2147483648"}, {"1 << 32", "1"}}},
              {"shift_right",
               "The bits so many places down, the sign stays, modulo 64 of a bigint and 32 of others; "
               "written `a >> n`",
               {call<shift_right<Smallint>>(), call<shift_right<Integer>>(), call<shift_right<int64_t>>()},
               {{"-8 >> 1", "-4"}}},
          }};
}

}  // namespace millrace::engine
