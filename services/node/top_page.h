// What `millrace top` shows of two samples: the node in some lines, its queries, its streams.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node/table.h"
#include "node/top_sample.h"

namespace millrace::cli {

enum class TopOrder : uint8_t { kLag, kState, kRate, kName };

struct TopLook {
  TopOrder order = TopOrder::kLag;
  TableStyle table;
};
std::string top_page(const TopSample& before, const TopSample& now, const TopLook& look);

std::string short_number(double value);  // 1.2k, 34M
std::string short_bytes(double bytes);   // 1.2 kB, 34 MB
std::string short_time(double seconds);  // 250 µs, 1.2 s, 5 min

}  // namespace millrace::cli
