// A length of time as it is written on a command line: 500ms, 60s, 5m, 1h; 0 needs no unit.
#pragma once

#include <string>

namespace millrace {

// For CLI11: `text` becomes its number of milliseconds, at most those of a day. The answer: what is wrong, or empty.
std::string duration_to_ms(std::string& text);
// The same in seconds, with days (90d), at most ten years.
std::string duration_to_s(std::string& text);

}  // namespace millrace
