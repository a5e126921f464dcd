// Counted values: what a group has to keep so that its least and its greatest value are known when rows go: each
// value, in order, and how many rows have it. Private to engine/.
//
// Layout: a list is a blob with the numbers of blocks; a block a blob with values in ascending order (encode_key), each with its
//         count. No block is empty, and no list. A block is cut where it is larger than kBlockBytes and than the list.
// Cost:   a change writes one block and the list again: in proportion to the root of the values' bytes.
// Bound:  a list has at most the bytes of a blob (16 MB: some million blocks).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/gathered.h"
#include "state/state_store.h"

namespace millrace::engine {

// The list (0: the empty one) in which so many more rows, or fewer, have the value. The old one is freed. nullopt: the
// state's bound.
std::optional<uint64_t> change_count(state::Table& table, uint64_t list, std::string_view value,
                                     int64_t rows);
// Some rows of the list have the value.
bool has_value(const state::Table& table, uint64_t list, std::string_view value);
// Of a list that is not empty; where it cannot be read the answer is, and the store's or the epoch's status says why.
std::string_view least_value(uint64_t list, const Blobs& blob);
std::string_view greatest_value(uint64_t list, const Blobs& blob);
// All values, ascending, valid as long as what `blob` gives.
struct CountedValue {
  std::string_view value;
  int64_t rows = 0;
};
void read_values(uint64_t list, const Blobs& blob, std::vector<CountedValue>& out);  // appended
// Of several lists one behind the other: each value once, ascending, with the rows of all. What no row has is left out.
void put_together(std::vector<CountedValue>& values);
void append_values(uint64_t list, const Blobs& blob, std::vector<uint64_t>& ids);  // its blobs
uint64_t move_values(uint64_t list, const Blobs& from, state::Table& to);          // 0: the state's bound

}  // namespace millrace::engine
