// Entries: what an ordered aggregate keeps of a row: bytes that sort as its rows do, with the value in them. Private to
// engine/.
//
// Why:    the first row is then the least text, and a list of rows is put in order by sorting texts, whatever the order
//         in which they came.
// Layout: ORDER BY's values; the row's partition (2 bytes) and offset (8), which tell any two rows apart (not for
//         DISTINCT: a value has no place); the value (encode_value); the value's size (4).
#pragma once

#include <span>
#include <string>

#include "engine/plan.h"
#include "engine/value_codec.h"

namespace millrace::engine {

void append_entry(std::string& out, const AggregateCall& call, const Column& value,
                  std::span<const Column* const> order, size_t row, const RowOrigin& place);
std::string_view value_of_entry(std::string_view entry);  // as encode_value made it; empty: it is no entry

}  // namespace millrace::engine
