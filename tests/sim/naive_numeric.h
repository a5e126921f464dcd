// Numerics as the oracle has them: whole numbers of units, far from the ends of what 128 bits hold.
//
// Among Scalars: a text that begins with a mark, so that `1.5` of a numeric and of a text are two values.
#pragma once

#include <compare>
#include <optional>
#include <string>

#include "event/type.h"

namespace millrace::sim {

struct NaiveNumeric {
  __int128 units = 0;  // of 10^-scale
  int scale = 0;
};
NaiveNumeric operator+(NaiveNumeric a, NaiveNumeric b);
NaiveNumeric operator-(NaiveNumeric a, NaiveNumeric b);
NaiveNumeric operator*(NaiveNumeric a, NaiveNumeric b);
std::strong_ordering operator<=>(NaiveNumeric a, NaiveNumeric b);
// Both to as many digits as PostgreSQL's have, rounded; b is not zero. naive_root() is that of a / b.
NaiveNumeric naive_quotient(NaiveNumeric a, NaiveNumeric b);
NaiveNumeric naive_root(NaiveNumeric a, NaiveNumeric b);
__int128 naive_whole(NaiveNumeric a);  // rounded, halves away from zero

std::optional<NaiveNumeric> read_numeric(const std::string& text);
std::string numeric_text(NaiveNumeric a);  // without needless zeros

bool is_numeric(const Scalar& value);
Scalar numeric_scalar(NaiveNumeric a);
NaiveNumeric numeric_of(const Scalar& value);  // of a numeric or a whole number

}  // namespace millrace::sim
