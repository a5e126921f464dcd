// Bytes of values: group keys that sort as their values do, and compact rows. Private to engine/.
#pragma once

#include <string>

#include "base/bytes.h"
#include "event/ordered_bytes.h"

namespace millrace::engine {

inline constexpr size_t kMaxKeyBytes = 32 * 1024;  // of a group, of a primary key

// A value with its NULL byte; not ordered. Decoding is bounded: false for bytes that are no such value;
// one row is appended all the same.
void encode_value(std::string& out, const Column& column, size_t row);
bool decode_value(ByteReader& in, Column& out, Arena& arena);

// Intervals that compare equal have one key: days of 24 hours stand for it.
Interval interval_of(__int128 micros);

// The end of a window of rows, or of a pane of them: a group's last key, a BIGINT.
void append_end(std::string& key, int64_t end);
int64_t end_of(std::string_view key);
int64_t take_end(std::string_view& key);  // takes it off the back

// Takes one encoded group key off the front without keeping it. False: not a key of this type.
bool skip_key(std::string_view& in, Type type);

}  // namespace millrace::engine
