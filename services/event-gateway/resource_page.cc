#include "event-gateway/resource_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "event-gateway/read_parameters.h"
#include "event/text.h"
#include "formats/text_types.h"

namespace millrace::gateway {
namespace {

Result<std::string> name_in(std::string_view cursor) {
  std::string name;
  for (size_t i = 0; i + 1 < cursor.size(); i += 2) {
    const int high = hex_value(cursor[i]), low = hex_value(cursor[i + 1]);
    if (high < 0 || low < 0) break;
    name += static_cast<char>(high * 16 + low);
  }
  if (!cursor.empty() && name.size() * 2 == cursor.size()) return name;
  return error(Code::kInvalid, "MR-API-0010", fmt::format("\"{}\" is not a cursor", start_of(cursor, 40)),
               "pass the `next` of the page before as it is");
}

}  // namespace

Result<PageRequest> page_request(const HttpTarget& target, size_t usual) {
  PageRequest page{usual, {}};
  for (const auto& [name, value] : target.query) {
    if (name == "after") {
      TRY_ASSIGN(page.after, name_in(value));
    } else if (name == "limit") {
      const char* end = value.data() + value.size();
      const auto read = std::from_chars(value.data(), end, page.limit);
      if (read.ec != std::errc() || read.ptr != end || page.limit == 0 || page.limit > kMaxPageItems)
        return bad_parameter(fmt::format("limit has to be a whole number from 1 to {}", kMaxPageItems),
                             "write limit=100");
    } else {
      return bad_parameter(fmt::format("\"{}\" is not a parameter here", start_of(name, 40)),
                           "there are: limit, after");
    }
  }
  return page;
}

std::string page_cursor(std::string_view last) {
  std::string out;
  formats::append_hex(out, last);
  return out;
}

std::vector<NamedEntry> entries_after(std::vector<NamedEntry> entries, const PageRequest& page) {
  std::erase_if(entries, [&](const NamedEntry& one) { return one.name <= page.after; });
  std::sort(entries.begin(), entries.end(),
            [](const NamedEntry& a, const NamedEntry& b) { return a.name < b.name; });
  return entries;
}

}  // namespace millrace::gateway
