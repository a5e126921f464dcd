// Ordered bytes: a value as bytes that sort as the values of its type do.
//
// Why:        group keys, sorted entries and arrays compare values of any type by comparing bytes.
// Bytes:      01 and the value; a NULL is 02, behind every value. Integers: big-endian, the sign's bit inverted; doubles:
//             ordered_bits(); texts: 00 as 00 FF, then 00 00, so that a prefix sorts first; intervals: their length as
//             16 bytes, then months and days, so that those that are equal stand together but stay what they are.
// Invariants: -0 is 0 and every NaN is one, above all.
#pragma once

#include <string>
#include <string_view>

#include "event/batch.h"

namespace millrace {

void append_ordered(std::string& out, const Column& column, size_t row);
// Takes one value off the front. False: there is none of this type.
bool skip_ordered(std::string_view& in, Type type);
// What skip_ordered() took, as a row that the column has already, or as a new one.
void load_ordered(std::string_view value, Column& out, size_t row, Arena& arena);
void append_loaded(std::string_view value, Column& out, Arena& arena);
bool is_ordered_null(std::string_view value);
// What decides in a comparison: two intervals of one length are equal.
std::string_view compared_bytes(std::string_view value, Type type);

// The text of the text at the front, appended; nothing for NULL or what is none.
void append_ordered_text(std::string& out, std::string_view in);

// An order-preserving image of a double.
uint64_t ordered_bits(double value);
double from_ordered_bits(uint64_t bits);

}  // namespace millrace
