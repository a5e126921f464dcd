// Numbers as JSON Schema compares them: by value, whatever their spelling.
//
// A whole number of 64 bits is exact; any other is the double next to it. Multiples are decided on the decimal digits as
// they were written: 4.02 is a multiple of 0.01. An event's number that is a double has the digits of its shortest text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::json_schema {

// Holds every int64, uint64 and double exactly.
using Number = long double;
static_assert(sizeof(Number) > sizeof(double));

Number number_of(std::string_view text);                       // of JSON
std::optional<Number> whole_number_of(std::string_view text);  // nothing: it is not written as one of 64 bits
bool is_whole(Number number);

struct Decimal {
  uint64_t digits = 0;
  int64_t exponent = 0;  // digits * 10^exponent; the sign does not matter to multiples
};
std::optional<Decimal> decimal_of(std::string_view text);  // of JSON; nothing: 64 bits do not hold its digits
Decimal decimal_of(double number);                         // by its shortest text

bool is_multiple(const Decimal& number, const Decimal& of);  // `of` is not 0

}  // namespace millrace::json_schema
