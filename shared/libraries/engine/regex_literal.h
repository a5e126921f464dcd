// What a text must contain to match a regular expression: looked for first, since that costs a tenth of a match.
// Private to engine/.
#pragma once

#include <string>
#include <string_view>

namespace millrace::engine {

// The longest text that stands outside of groups, classes and repetitions of `pattern`, which RE2 has compiled, case
// mattering. Empty: there is none, or it is not looked for (an alternative, a flag, an unusual escape).
std::string required_literal(std::string_view pattern);

}  // namespace millrace::engine
