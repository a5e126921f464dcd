// The signatures of numeric among the functions of numbers. Private to engine/.
#pragma once

#include "engine/call_kernel.h"

namespace millrace::engine {

Signature numeric_abs();
Signature numeric_sign();
std::vector<Signature> numeric_round();  // to a whole number, or to so many digits
std::vector<Signature> numeric_trunc();
Signature numeric_ceil();
Signature numeric_floor();
Signature numeric_mod();
Signature numeric_precision();  // what a cast to NUMERIC(p, s) does

}  // namespace millrace::engine
