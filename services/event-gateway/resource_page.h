// A list of named things, page by page, in the order of their names: what is made or dropped meanwhile moves no other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event-gateway/http_target.h"
#include "event-gateway/inventory.h"

namespace millrace::gateway {

inline constexpr size_t kMaxPageItems = 1000;
inline constexpr size_t kMaxPageBytes = 1u << 20;  // of an answer; the item that goes over it is its last

struct NamedEntry {
  std::string_view name;
  const CatalogEntry* entry;
};
struct PageRequest {
  size_t limit = 0;
  std::string after;  // a name; empty: from the start
};
// `usual`: the limit of a request that names none. MR-API-0010, MR-API-0011
Result<PageRequest> page_request(const HttpTarget& target, size_t usual = 100);
std::string page_cursor(std::string_view last);  // what page_request() makes `after` of

// All that come after the page's start; the caller takes up to `limit` of them.
std::vector<NamedEntry> entries_after(std::vector<NamedEntry> entries, const PageRequest& page);

}  // namespace millrace::gateway
