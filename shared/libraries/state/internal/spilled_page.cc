#include "state/internal/spilled_page.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "state/internal/blob_page.h"
#include "state/internal/row_page.h"

namespace millrace::state::internal {

namespace {
struct Stub {
  char head[kHeadBytes];
  SpillSpace* space;
  SpillSpace::Place place;
};
static_assert(sizeof(RowHead) <= kHeadBytes && sizeof(BlobHead) <= kHeadBytes);
static_assert(sizeof(Page) + sizeof(Stub) + 8 <= kStubBytes);

const Stub& stub_of(const Page& page) {
  return *reinterpret_cast<const Stub*>(page.data());
}
}  // namespace

Result<PagePtr> spill_page(SpillSpace& space, const Page& page) {
  TRY_ASSIGN(const auto place, space.write({page.data(), page.used()}));
  PagePtr stub(Page::make(sizeof(Stub)));
  stub->capacity = page.capacity;
  stub->heat.store(Heat::kSpilled, std::memory_order_relaxed);
  auto* content = new (stub->data()) Stub{{}, &space, place};
  std::memcpy(content->head, page.data(), std::min<size_t>(kHeadBytes, page.used()));
  return stub;
}

Result<PagePtr> read_spilled(const Page& page) {
  const Stub& stub = stub_of(page);
  PagePtr content(Page::make(page.capacity));
  TRY(stub.space->read(stub.place, content->data()));
  return content;
}

// What referred to a blob here must not come to another one: a list of such references could become a ring. So no
// number is given out again.
PagePtr stand_in_for(const Page& stub) {
  if (reinterpret_cast<const PageHead*>(stub.data())->kind == kBlobPage) {
    const BlobHead& lost = blob_head(stub.data());
    PagePtr page = make_blob_page(stub.capacity, lost.slot_room);
    blob_head(page->data()).slots = lost.slots;
    blob_head(page->data()).live = lost.live;
    return page;
  }
  const RowHead& head = row_head(stub.data());
  return make_row_page(stub.capacity, head.buckets, head.depth, head.prefix, head.value_pad);
}

void free_spilled(Page& page) {
  const Stub& stub = stub_of(page);
  stub.space->free(stub.place);
}

}  // namespace millrace::state::internal
