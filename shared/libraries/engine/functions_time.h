// What several families of functions do with times. Private to engine/.
#pragma once

#include "engine/call_kernel.h"

namespace millrace::engine {

// Rounded to so many digits of a second.
Timestamp to_digits(Row& row, Timestamp t, int64_t digits);
Timestamp seconds_since_1970(Row& row, double seconds);
// The moment at which a clock there shows it.
Timestamp moment_at(Row& row, std::string_view zone, LocalTimestamp clock);

}  // namespace millrace::engine
