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
Signature numeric_power();
Signature numeric_sqrt();
Signature numeric_exp();
Signature numeric_ln();
std::vector<Signature> numeric_log();  // to base 10, or to any
Signature numeric_log10();
Signature numeric_precision();  // what a cast to NUMERIC(p, s) does

}  // namespace millrace::engine
