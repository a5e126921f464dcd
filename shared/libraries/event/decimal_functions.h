// Roots, powers and logarithms of numerics, rounded to the digits that PostgreSQL 15 keeps: at least 16 significant ones, and as many
// behind the point as an argument has.
//
// Bound: an answer beyond kMaxDecimalDigits is nullopt, and is not computed if that is clear before. The worst argument takes some
//        tens of milliseconds.
#pragma once

#include "event/decimal.h"

namespace millrace {

std::optional<Decimal> square_root(const Decimal& a);  // of what is not negative
std::optional<Decimal> exponential(const Decimal& a);
// Of what is above zero. The base is not one.
std::optional<Decimal> natural_logarithm(const Decimal& a);
std::optional<Decimal> logarithm(const Decimal& base, const Decimal& a);
// A base below zero has a whole exponent, a base of zero none below zero.
std::optional<Decimal> power(const Decimal& base, const Decimal& exponent);

bool is_whole(const Decimal& a);

}  // namespace millrace
