#include "state/internal/row_page.h"

#include <algorithm>

namespace millrace::state::internal {

uint32_t buckets_for(uint32_t capacity, uint32_t average_row, uint32_t rows) {
  const uint32_t share = static_cast<uint32_t>(sizeof(Bucket)) / kRowsPerBucket + 1;
  const uint32_t fit = (capacity - static_cast<uint32_t>(sizeof(RowHead))) / (average_row + share);
  return std::max(std::max(fit, rows) + kRowsPerBucket - 1, kRowsPerBucket) / kRowsPerBucket;
}

PagePtr make_row_page(uint32_t capacity, uint32_t bucket_count, uint8_t depth, uint64_t prefix,
                      uint32_t value_pad) {
  PagePtr page(Page::make(capacity));
  const uint32_t begin = rows_begin(bucket_count);
  std::memset(page->data(), 0, begin);
  RowHead& head = row_head(page->data());
  head.kind = kRowPage;
  head.depth = depth;
  head.buckets = static_cast<uint16_t>(bucket_count);
  head.used = begin;
  head.prefix = prefix;
  head.value_pad = value_pad;
  return page;
}

bool row_fits(const Page& page, uint32_t bytes) {
  const RowHead& head = row_head(page.data());
  return head.used + bytes <= page.capacity && head.rows + head.tombstones < head.buckets * kRowsPerBucket;
}

namespace {
uint32_t append_row(char* page, std::string_view key, uint64_t hash) {
  RowHead& head = row_head(page);
  const uint32_t bytes = row_bytes(head.value_pad, key.size());
  const uint32_t place = head.used;
  char* row = page + place;
  std::memset(row, 0, bytes);
  const auto length = static_cast<uint16_t>(key.size());
  std::memcpy(row, &hash, sizeof hash);
  std::memcpy(row + 8 + head.value_pad, &length, sizeof length);
  if (!key.empty()) std::memcpy(row + 8 + head.value_pad + 2, key.data(), key.size());
  head.used += bytes;
  ++head.rows;
  return place;
}
}  // namespace

uint32_t add_row(char* page, uint64_t h, std::string_view key, uint64_t hash) {
  RowHead& head = row_head(page);
  const uint32_t place = append_row(page, key, hash);
  for (uint32_t at = bucket_of(h, head.buckets);; at = at + 1 == head.buckets ? 0 : at + 1) {
    Bucket& bucket = buckets(page)[at];
    const uint32_t open = tags_equal(bucket, 0) | tags_equal(bucket, 1);
    if (open == 0) continue;
    const int slot = std::countr_zero(open);
    if (bucket.tags[slot] == 1) --head.tombstones;
    bucket.tags[slot] = tag_of(h);
    bucket.places[slot] = static_cast<uint16_t>(place / 8);
    return place;
  }
}

void erase_row(char* page, const Hit& hit) {
  RowHead& head = row_head(page);
  Bucket& bucket = buckets(page)[hit.bucket];
  const bool was_full = tags_equal(bucket, 0) == 0;
  bucket.tags[hit.slot] = was_full ? 1 : 0;
  if (was_full) ++head.tombstones;
  const uint32_t bytes = row_bytes(head.value_pad, row_key(page + hit.place, head.value_pad).size());
  if (hit.place + bytes == head.used) {
    head.used = hit.place;
  } else {
    head.dead += bytes;
  }
  if (--head.rows > 0) return;
  const uint32_t begin = rows_begin(head.buckets);
  std::memset(page + sizeof(RowHead), 0, begin - sizeof(RowHead));
  head.used = begin;
  head.dead = head.tombstones = 0;
}

bool is_row_page(std::string_view content) {
  if (content.size() < sizeof(RowHead)) return false;
  const RowHead& head = row_head(content.data());
  if (head.kind != kRowPage || head.used != content.size() || head.buckets == 0 || head.depth > 32)
    return false;
  if (head.used < rows_begin(head.buckets) || head.value_pad > kLargestValue || head.value_pad % 8 != 0)
    return false;
  if (head.dead > head.used - rows_begin(head.buckets)) return false;
  uint32_t rows = 0;
  bool inside = true;
  for (uint32_t b = 0; b < head.buckets && inside; ++b) {
    const Bucket& bucket = buckets(content.data())[b];
    for (int slot = 0; slot < 16; ++slot) {
      if (bucket.tags[slot] < 0x80) continue;
      const uint32_t place = bucket.places[slot] * 8u;
      inside = inside && place >= rows_begin(head.buckets) && place + 8 + head.value_pad + 2 <= head.used &&
               place + row_bytes(head.value_pad, row_key(content.data() + place, head.value_pad).size()) <=
                   head.used;
      if (!inside) return false;
      ++rows;
    }
  }
  return inside && rows == head.rows;
}

}  // namespace millrace::state::internal
