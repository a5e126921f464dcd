// A page of rows with its own small hash index: one page holds all of a part of the hash space (extendible
// hashing).
//
// Content: head | buckets of 16 tags and 16 places | rows, packed from the front
// Row:     given hash u64 | value, padded to 8 | key length u16 | key | padding to 8 Look-up:  the top bits
//          of the internal hash choose the page (table.h), bits 8 to 39 the bucket, the low 7 the tag; 16
//          tags are compared at once. A bucket that overflows continues in the next.
// Source:  R. Fagin et al., "Extendible hashing", 1979; the tag groups are those of Abseil's Swiss tables.
// Erasing: leaves a hole (`dead` bytes) and, if the bucket was full, a tombstone; both go when the page is
//          rebuilt.
#pragma once

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "base/prefetch.h"
#include "state/internal/page_table.h"

namespace millrace::state::internal {

struct RowHead {
  uint8_t kind;
  uint8_t depth;  // how many top bits of the hash all rows here share
  uint16_t buckets;
  uint32_t used;
  uint32_t rows;
  uint32_t dead;    // bytes of erased rows
  uint64_t prefix;  // those bits, left-aligned
  uint32_t value_pad;
  uint32_t tombstones;
};
static_assert(sizeof(RowHead) == 32);

struct Bucket {
  uint8_t tags[16];     // 0 empty, 1 erased, else 0x80 | 7 bits of the hash
  uint16_t places[16];  // of the row, in units of 8 bytes
};
static_assert(sizeof(Bucket) == 48);

inline constexpr uint32_t kRowsPerBucket = 14;  // of 16: what a page is filled to, on average
inline constexpr size_t kLineBytes = 64;
inline constexpr size_t kMostLines = 8;  // of a row that are asked for ahead
inline constexpr size_t kLargestKey = 65535;
inline constexpr size_t kLargestValue = 65536;

inline RowHead& row_head(char* page) {
  return *reinterpret_cast<RowHead*>(page);
}
inline const RowHead& row_head(const char* page) {
  return *reinterpret_cast<const RowHead*>(page);
}
inline const Bucket* buckets(const char* page) {
  return reinterpret_cast<const Bucket*>(page + sizeof(RowHead));
}
inline Bucket* buckets(char* page) {
  return reinterpret_cast<Bucket*>(page + sizeof(RowHead));
}
inline uint32_t rows_begin(uint32_t bucket_count) {
  return static_cast<uint32_t>(sizeof(RowHead) + bucket_count * sizeof(Bucket));
}
inline uint32_t row_bytes(uint32_t value_pad, size_t key_bytes) {
  return static_cast<uint32_t>((8 + value_pad + 2 + key_bytes + 7) & ~size_t{7});
}
inline std::string_view row_key(const char* row, uint32_t value_pad) {
  uint16_t length;
  std::memcpy(&length, row + 8 + value_pad, sizeof length);
  return {row + 8 + value_pad + 2, length};
}
inline uint64_t row_hash(const char* row) {
  uint64_t hash;
  std::memcpy(&hash, row, sizeof hash);
  return hash;
}

struct Hit {
  uint32_t place = 0;  // of the row in the page, in bytes; 0: not there
  uint16_t bucket = 0;
  uint16_t slot = 0;
};

inline uint8_t tag_of(uint64_t h) {
  return static_cast<uint8_t>(0x80 | (h & 0x7F));
}
inline uint32_t bucket_of(uint64_t h, uint32_t bucket_count) {
  return static_cast<uint32_t>((((h >> 8) & 0xFFFFFFFF) * bucket_count) >> 32);
}
inline uint32_t tags_equal(const Bucket& bucket, uint8_t tag) {
  const __m128i tags = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bucket.tags));
  return static_cast<uint32_t>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)))));
}

// `h` is the internal hash of the key, `hash` the one given with it.
inline Hit find_row(const char* page, uint64_t h, std::string_view key, uint64_t hash) {
  const RowHead& head = row_head(page);
  const Bucket* all = buckets(page);
  const uint8_t tag = tag_of(h);
  uint32_t at = bucket_of(h, head.buckets);
  for (uint32_t probed = 0; probed < head.buckets; ++probed) {
    const Bucket& bucket = all[at];
    for (uint32_t match = tags_equal(bucket, tag); match != 0; match &= match - 1) {
      const auto slot = static_cast<uint16_t>(std::countr_zero(match));
      const uint32_t place = bucket.places[slot] * 8u;
      if (row_hash(page + place) != hash) continue;
      const std::string_view found = row_key(page + place, head.value_pad);
      if (found.size() == key.size() && std::memcmp(found.data(), key.data(), key.size()) == 0) {
        return {place, static_cast<uint16_t>(at), slot};
      }
    }
    if (tags_equal(bucket, 0) != 0) break;
    at = at + 1 == head.buckets ? 0 : at + 1;
  }
  return {};
}

inline void prefetch_lines(const char* from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += kLineBytes) prefetch_line(from + at);
}
// What find_row() will read: the bucket and the next one first, then, when they have come, the rows that are meant; if
// there are none, where a new one will be written.
inline void prefetch_bucket(const char* page, uint64_t h) {
  const auto* bucket = reinterpret_cast<const char*>(&buckets(page)[bucket_of(h, row_head(page).buckets)]);
  prefetch_lines(bucket, 2 * sizeof(Bucket));
}
inline void prefetch_rows(const char* page, uint64_t h, uint32_t value_pad) {
  const RowHead& head = row_head(page);
  const Bucket& bucket = buckets(page)[bucket_of(h, head.buckets)];
  // Of a short key, and not too much of a long value.
  const size_t bytes = std::min<size_t>(8 + value_pad + 2 + kLineBytes, kMostLines * kLineBytes);
  uint32_t match = tags_equal(bucket, tag_of(h));
  if (match == 0) prefetch_lines(page + head.used, bytes);
  for (; match != 0; match &= match - 1)
    prefetch_lines(page + bucket.places[std::countr_zero(match)] * 8u, bytes);
}

// How many buckets suit a page of `capacity` with rows of this size, at least enough for `rows`.
uint32_t buckets_for(uint32_t capacity, uint32_t average_row, uint32_t rows);
PagePtr make_row_page(uint32_t capacity, uint32_t bucket_count, uint8_t depth, uint64_t prefix,
                      uint32_t value_pad);
bool row_fits(const Page& page, uint32_t bytes);
// The row must fit and its key be new. The value is zero. Answers the row's place.
uint32_t add_row(char* page, uint64_t h, std::string_view key, uint64_t hash);
void erase_row(char* page, const Hit& hit);
// Bytes that the rows need without holes.
inline uint32_t live_bytes(const RowHead& head) {
  return head.used - rows_begin(head.buckets) - head.dead;
}

// Calls visit(row) for every row, in the index's order.
template <typename Visit>
void for_each_row(const char* page, Visit visit) {
  const RowHead& head = row_head(page);
  for (uint32_t b = 0; b < head.buckets; ++b) {
    const Bucket& bucket = buckets(page)[b];
    const __m128i tags = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    for (auto taken = static_cast<uint32_t>(_mm_movemask_epi8(tags)); taken != 0; taken &= taken - 1) {
      visit(page + bucket.places[std::countr_zero(taken)] * 8u);
    }
  }
}
// Whether stored bytes are a row page whose every reference stays inside.
bool is_row_page(std::string_view content);

}  // namespace millrace::state::internal
