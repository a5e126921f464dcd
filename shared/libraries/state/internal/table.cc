#include "state/internal/table.h"

#include <algorithm>

#include "base/result.h"

namespace millrace::state::internal {

namespace {
// What a table costs beside its pages: the object, its place in the catalog, its index.
constexpr ptrdiff_t kTableOverhead = 320;
// A page with fewer rows grows instead of splitting, so that large rows cannot blow up the index.
constexpr uint32_t kMinRowsToSplit = 16;
constexpr uint32_t kMaxDepth = 28;
constexpr uint16_t kFirstBlobSlots = 8;

uint32_t pad(size_t bytes) {
  return static_cast<uint32_t>((bytes + 7) & ~size_t{7});
}
uint32_t average_row(const RowHead& head, uint32_t next) {
  return (live_bytes(head) + next) / (head.rows + 1);
}
// Pages of half the usual size and more have an index for the usual size: then growing is a plain copy.
uint32_t planned_capacity(uint32_t capacity, uint32_t page_bytes) {
  return capacity + kPageOverhead < page_bytes / 2 ? capacity
                                                   : std::max(capacity, page_bytes - kPageOverhead);
}
}  // namespace

PagedTable::PagedTable(PageTable& pages, Catalog& catalog, uint64_t seed, const TableName& name,
                       size_t value_bytes)
    : pages_(pages),
      catalog_(catalog),
      seed_(seed),
      name_(name),
      value_bytes_(static_cast<uint32_t>(value_bytes)),
      value_pad_(pad(value_bytes)) {
  CHECK(value_bytes <= kLargestValue, "a table's value is too large");
  const uint32_t row = row_bytes(value_pad_, 16);
  const uint32_t capacity = capacity_for(sizeof(RowHead) + sizeof(Bucket) + 2 * row, pages_.page_bytes());
  index_ = std::make_shared<TableIndex>();
  index_->generation = pages_.generation();
  index_->slots.push_back(
      pages_.add(make_row_page(capacity, buckets_for(capacity, row, 1), 0, 0, value_pad_)));
  pages_.account(kTableOverhead);
  index_changed();
}

PagedTable::PagedTable(PageTable& pages, Catalog& catalog, uint64_t seed, const CatalogEntry& entry)
    : pages_(pages),
      catalog_(catalog),
      seed_(seed),
      name_(entry.name),
      value_bytes_(entry.value_bytes),
      value_pad_(pad(entry.value_bytes)),
      index_(std::make_shared<TableIndex>(*entry.index)) {
  pages_.account(kTableOverhead);
  for_each_row_page(*index_, pages_, [&](PageId, const RowHead& head) { rows_ += head.rows; });
  find_roomy_pages();
  index_changed();
}

TableIndex& PagedTable::own_index() {
  if (index_->generation != pages_.generation()) {
    index_ = std::make_shared<TableIndex>(*index_);
    index_->generation = pages_.generation();
  }
  return *index_;
}

void PagedTable::index_changed() {
  slots_ = index_->slots.data();
  shift_ = 63 - index_->depth;
  catalog_.put({name_, value_bytes_, index_}, pages_.generation());
}

uint64_t PagedTable::place_of(std::string_view key) const {
  const uint64_t h = internal_hash(key);
  prefetch_lines(reinterpret_cast<const char*>(pages_.peek(page_of(h))), sizeof(Page) + sizeof(RowHead));
  return h;
}

void PagedTable::prefetch_index(uint64_t place) const {
  prefetch_bucket(pages_.peek(page_of(place))->data(), place);
}

void PagedTable::prefetch(uint64_t place) const {
  prefetch_rows(pages_.at(page_of(place))->data(), place, value_pad_);
}

const char* PagedTable::find_at(uint64_t h, std::string_view key, uint64_t hash) const {
  const char* page = pages_.at(page_of(h))->data();
  const Hit hit = find_row(page, h, key, hash);
  return hit.place == 0 ? nullptr : page + hit.place + 8;
}

char* PagedTable::find_mutable(std::string_view key, uint64_t hash) {
  const uint64_t h = internal_hash(key);
  const PageId id = page_of(h);
  const Hit hit = find_row(pages_.at(id)->data(), h, key, hash);
  return hit.place == 0 ? nullptr : pages_.writable(id)->data() + hit.place + 8;
}

char* PagedTable::upsert_at(uint64_t h, std::string_view key, uint64_t hash, bool& inserted) {
  const PageId id = page_of(h);
  const Hit hit = find_row(pages_.at(id)->data(), h, key, hash);
  inserted = hit.place == 0;
  if (!inserted) return pages_.writable(id)->data() + hit.place + 8;
  inserted = false;
  if (key.size() > kLargestKey) return nullptr;
  const uint32_t bytes = row_bytes(value_pad_, key.size());
  while (!row_fits(*pages_.at(page_of(h)), bytes)) {
    if (!make_room(h, bytes)) return nullptr;
  }
  char* page = pages_.writable(page_of(h))->data();
  inserted = true;
  ++rows_;
  return page + add_row(page, h, key, hash) + 8;
}

bool PagedTable::erase(std::string_view key, uint64_t hash) {
  const uint64_t h = internal_hash(key);
  const PageId id = page_of(h);
  const Hit hit = find_row(pages_.at(id)->data(), h, key, hash);
  if (hit.place == 0) return false;
  erase_row(pages_.writable(id)->data(), hit);
  --rows_;
  shrink_if_sparse(id);
  return true;
}

PagePtr PagedTable::rebuilt(const Page& page, uint32_t capacity, uint32_t average, uint32_t rows) const {
  const RowHead& head = row_head(page.data());
  const uint32_t plan = planned_capacity(capacity, pages_.page_bytes());
  PagePtr built =
      make_row_page(capacity, buckets_for(plan, average, rows), head.depth, head.prefix, value_pad_);
  for_each_row(page.data(), [&](const char* row) {
    const std::string_view key = row_key(row, value_pad_);
    const uint32_t place = add_row(built->data(), internal_hash(key), key, row_hash(row));
    std::memcpy(built->data() + place + 8, row + 8, value_pad_);
  });
  return built;
}

// The smallest capacity from `least` on that holds rows of `content` bytes and the index that rebuilt() gives
// them.
uint32_t PagedTable::capacity_with_index(uint32_t least, uint32_t content, uint32_t average,
                                         uint32_t rows) const {
  for (uint32_t capacity = capacity_for(std::max(least, content), pages_.page_bytes());;) {
    const uint32_t plan = planned_capacity(capacity, pages_.page_bytes());
    const uint32_t needed = rows_begin(buckets_for(plan, average, rows)) + content;
    if (needed <= capacity) return capacity;
    capacity = capacity_for(needed, pages_.page_bytes());
  }
}

bool PagedTable::replace(PageId id, PagePtr page) {
  const uint32_t before = pages_.at(id)->capacity;
  if (page->capacity > before && !pages_.may_add(page->capacity - before)) return false;
  pages_.replace(id, std::move(page));
  return true;
}

bool PagedTable::make_room(uint64_t h, uint32_t bytes) {
  const PageId id = page_of(h);
  const Page& page = *pages_.at(id);
  const RowHead& head = row_head(page.data());
  const uint32_t average = average_row(head, bytes);
  const uint32_t plan = planned_capacity(page.capacity, pages_.page_bytes());
  const uint32_t tight = rows_begin(buckets_for(plan, average, head.rows + 1)) + live_bytes(head) + bytes;
  if (tight + page.capacity / 16 <= page.capacity)
    return replace(id, rebuilt(page, page.capacity, average, head.rows + 1));

  const uint32_t usual = pages_.page_bytes() - kPageOverhead;
  const bool full = page.capacity >= usual;
  if (full && (head.rows >= kMinRowsToSplit || page.capacity >= kLargestRowPage)) return split(h, bytes);

  const uint32_t capacity = capacity_for(std::max(page.capacity + 1, head.used + bytes), pages_.page_bytes());
  const bool plain_copy = head.dead == 0 && head.rows + head.tombstones < head.buckets * kRowsPerBucket &&
                          capacity <= kLargestRowPage &&
                          planned_capacity(capacity, pages_.page_bytes()) == plan;
  if (!plain_copy) {
    const uint32_t roomy =
        capacity_with_index(page.capacity + 1, live_bytes(head) + bytes, average, head.rows + 1);
    if (roomy > kLargestRowPage) return split(h, bytes);
    return replace(id, rebuilt(page, roomy, average, head.rows + 1));
  }
  PagePtr grown(Page::make(capacity));
  std::memcpy(grown->data(), page.data(), head.used);
  return replace(id, std::move(grown));
}

bool PagedTable::split(uint64_t h, uint32_t bytes) {
  const PageId id = page_of(h);
  const Page& page = *pages_.at(id);
  const RowHead& head = row_head(page.data());
  const uint32_t depth = head.depth;
  if (depth >= kMaxDepth) return false;
  const uint64_t bit = uint64_t{1} << (63 - depth);
  uint32_t count[2] = {0, 0};
  uint32_t content[2] = {0, 0};
  prefetch_lines(page.data(), head.used);  // the rows come in the index's order, not in the page's
  std::vector<uint64_t> hashes;            // of the rows
  hashes.reserve(head.rows);
  for_each_row(page.data(), [&](const char* row) {
    const std::string_view key = row_key(row, value_pad_);
    hashes.push_back(internal_hash(key));
    const int half = (hashes.back() & bit) != 0;
    ++count[half];
    content[half] += row_bytes(value_pad_, key.size());
  });
  const uint32_t average = average_row(head, bytes);
  PagePtr halves[2];
  for (int half = 0; half < 2; ++half) {
    // The index is for a page of the usual size, since these will grow.
    const uint32_t usual = pages_.page_bytes() - kPageOverhead;
    uint32_t index = buckets_for(usual, average, count[half] + 1);
    if (rows_begin(index) + content[half] > kLargestRowPage) index = count[half] / kRowsPerBucket + 1;
    uint32_t capacity = capacity_for(rows_begin(index) + content[half], pages_.page_bytes());
    capacity = std::min(std::max(capacity, pages_.page_bytes() / 2 - kPageOverhead), kLargestRowPage);
    halves[half] = make_row_page(capacity, index, static_cast<uint8_t>(depth + 1),
                                 head.prefix | (half ? bit : 0), value_pad_);
  }
  const size_t index_growth = depth == index_->depth ? index_->slots.size() * sizeof(PageId) : 0;
  const size_t growth = halves[0]->capacity + halves[1]->capacity + kPageOverhead + index_growth;
  if (growth > page.capacity && !pages_.may_add(growth - page.capacity)) return false;
  size_t next = 0;
  for_each_row(page.data(), [&](const char* row) {
    const uint64_t key_hash = hashes[next++];
    char* to = halves[(key_hash & bit) != 0]->data();
    std::memcpy(to + add_row(to, key_hash, row_key(row, value_pad_), row_hash(row)) + 8, row + 8, value_pad_);
  });
  const uint64_t prefix = head.prefix;
  if (depth == index_->depth) double_index();
  pages_.replace(id, std::move(halves[0]));
  point_upper_half_at(prefix, depth, pages_.add(std::move(halves[1])));
  return true;
}

void PagedTable::double_index() {
  TableIndex& index = own_index();
  const size_t before = index.slots.size();
  index.slots.resize(before * 2);
  for (size_t i = before; i-- > 0;) index.slots[2 * i] = index.slots[2 * i + 1] = index.slots[i];
  ++index.depth;
  pages_.account(static_cast<ptrdiff_t>(before * sizeof(PageId)));
}

void PagedTable::point_upper_half_at(uint64_t prefix, uint32_t depth, PageId upper) {
  TableIndex& index = own_index();
  const size_t first = (prefix >> 1) >> (63 - index.depth);
  const size_t half = size_t{1} << (index.depth - depth - 1);
  std::fill_n(index.slots.begin() + static_cast<ptrdiff_t>(first + half), half, upper);
  index_changed();
}

void PagedTable::shrink_if_sparse(PageId id) {
  const Page& page = *pages_.at(id);
  const RowHead& head = row_head(page.data());
  const uint32_t live = live_bytes(head);
  if (page.capacity <= kSmallestPage || live * 4 > page.capacity) return;
  const uint32_t average = head.rows == 0 ? row_bytes(value_pad_, 16) : live / head.rows;
  const uint32_t rows = head.rows + head.rows / 2;
  const uint32_t capacity = capacity_with_index(0, live + live / 2, average, rows + 1);
  if (capacity < page.capacity) pages_.replace(id, rebuilt(page, capacity, average, rows + 1));
}

size_t bytes_beside_pages(const TableIndex& index) {
  return kTableOverhead + (index.slots.size() - 1) * sizeof(PageId);
}

void visit_rows(const char* page, const std::function<void(const RowView&)>& visit) {
  const uint32_t value_pad = row_head(page).value_pad;
  for_each_row(page, [&](const char* row) { visit({row_key(row, value_pad), row_hash(row), row + 8}); });
}

void PagedTable::for_each(const std::function<void(const RowView&)>& visit) const {
  const Status read = visit_table(*index_, pages_, visit);
  if (!read.ok()) pages_.fail(read.error());
}

// ---- blobs

bool PagedTable::make_blob_room(PageId id, size_t bytes) {
  const Page& page = *pages_.at(id);
  if (blob_fits(page, bytes)) return true;
  const BlobHead& head = blob_head(page.data());
  const uint32_t slots = slots_full(head) ? head.slot_room * 2u : head.slot_room;
  const size_t content = blobs_begin(slots) + live_bytes(head) + bytes;
  const uint32_t usual = pages_.page_bytes() - kPageOverhead;
  if (content > usual || slots > 0xFFFF) return false;
  const bool compact = content <= page.capacity - page.capacity / 8;
  const uint32_t capacity =
      compact ? page.capacity : std::max(capacity_for(content, pages_.page_bytes()), page.capacity);
  return replace(id, rebuild_blob_page(page, capacity, static_cast<uint16_t>(slots)));
}

PageId PagedTable::blob_page_for(size_t bytes) {
  const bool large = bytes > pages_.page_bytes() / 4;
  if (!large && blob_page_ != kNoPage && make_blob_room(blob_page_, bytes)) return blob_page_;
  if (!large && !roomy_.empty() && make_blob_room(roomy_.back(), bytes)) {
    blob_page_ = roomy_.back();
    roomy_.pop_back();
    return blob_page_;
  }
  const uint16_t slots = large ? 1 : kFirstBlobSlots;
  const uint32_t capacity = capacity_for(blobs_begin(slots) + bytes, pages_.page_bytes());
  if (!empty_.empty()) {
    const PageId id = empty_.back();
    if (!replace(id, make_blob_page(capacity, slots))) return kNoPage;
    empty_.pop_back();
    if (!large) blob_page_ = id;
    return id;
  }
  if (!pages_.may_add(capacity + kPageOverhead)) return kNoPage;
  const PageId id = pages_.add(make_blob_page(capacity, slots));
  own_index().blob_pages.push_back(id);
  index_changed();
  if (!large) blob_page_ = id;
  return id;
}

uint64_t PagedTable::put_blob(std::string_view bytes) {
  if (bytes.size() > kLargestBlob) return 0;
  const PageId id = blob_page_for(bytes.size());
  if (id == kNoPage) return 0;
  return blob_id(id, add_blob(pages_.writable(id)->data(), bytes));
}

std::string_view PagedTable::blob(uint64_t id) const {
  if (id >> 16 == 0) return {};
  const Page* page = pages_.at_or_null(blob_page_of(id));
  return page == nullptr ? std::string_view() : blob_at(page->data(), blob_slot_of(id));
}

void PagedTable::free_blob(uint64_t id) {
  if (id >> 16 == 0) return;
  const PageId number = blob_page_of(id);
  const Page* page = pages_.at_or_null(number);
  if (page == nullptr || blob_at(page->data(), blob_slot_of(id)).data() == nullptr) return;
  const auto quarter_free = [](const Page& p) {
    return p.capacity - live_bytes(blob_head(p.data())) >= p.capacity / 2;
  };
  const bool was_roomy = quarter_free(*page);
  Page* own = pages_.writable(number);
  free_blob_at(own->data(), blob_slot_of(id));
  if (blob_head(own->data()).live == 0 && own->capacity > kSmallestPage) {
    pages_.replace(number, make_blob_page(kSmallestPage, kFirstBlobSlots));
  }
  const Page& rest = *pages_.at(number);
  if (was_roomy || !quarter_free(rest) || number == blob_page_) return;
  (blob_head(rest.data()).live == 0 ? empty_ : roomy_).push_back(number);
}

void PagedTable::find_roomy_pages() {
  for (const PageId id : index_->blob_pages) {
    const Page& page = *pages_.peek(id);
    const BlobHead& head = blob_head(page.data());
    if (page.capacity - live_bytes(head) < page.capacity / 2) continue;
    (head.live == 0 ? empty_ : roomy_).push_back(id);
  }
}

void PagedTable::drop() {
  std::vector<PageId> row_pages;
  for_each_row_page(*index_, pages_, [&](PageId id, const RowHead&) { row_pages.push_back(id); });
  for (const PageId id : row_pages) pages_.remove(id);
  for (const PageId id : index_->blob_pages) pages_.remove(id);
  pages_.account(-static_cast<ptrdiff_t>(bytes_beside_pages(*index_)));
  catalog_.erase(name_, pages_.generation());
  slots_ = nullptr;
}

}  // namespace millrace::state::internal
