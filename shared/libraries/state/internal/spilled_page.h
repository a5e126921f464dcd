// A page that is on the disk: in memory a stub stands for it, with the page's head, so that what a head tells
// (kind, part of the hash space, rows) costs no read.
//
// Why:     tables, chunks and epochs hold a page by its pointer and count; a stub is one, and they stay as they are.
// Frees:   its place in the file with the last count.
#pragma once

#include "state/internal/page_table.h"
#include "state/spill_space.h"

namespace millrace::state::internal {

inline constexpr size_t kHeadBytes = 32;  // of either kind of page
// A stub and the allocator's share.
inline constexpr size_t kStubBytes = 80;

// The page's content goes to the file.
Result<PagePtr> spill_page(SpillSpace& space, const Page& page);
// The content again, in memory.
Result<PagePtr> read_spilled(const Page& stub);
// An empty page of the same part of the table, where the content cannot be had any more: what is worked out
// with it is void, but nothing breaks until that is said.
PagePtr stand_in_for(const Page& stub);
void free_spilled(Page& stub);

}  // namespace millrace::state::internal
