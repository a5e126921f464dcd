// Bytes of values: group keys that sort as their values do, and compact rows. Private to engine/.
#pragma once

#include <string>

#include "base/bytes.h"
#include "event/batch.h"

namespace millrace::engine {

// A value with its NULL byte; not ordered. Decoding is bounded: false for bytes that are no such value;
// one row is appended all the same.
void encode_value(std::string& out, const Column& column, size_t row);
bool decode_value(ByteReader& in, Column& out, Arena& arena);

// Takes one encoded group key off the front without keeping it. False: not a key of this type.
bool skip_key(std::string_view& in, Type type);

// The text of the text key at the front, appended; nothing for NULL or what is no key.
void append_text_of_key(std::string& out, std::string_view in);

// An order-preserving image of a double; -0 is 0 and every NaN is one, above all.
uint64_t ordered_bits(double value);
double from_ordered_bits(uint64_t bits);

}  // namespace millrace::engine
