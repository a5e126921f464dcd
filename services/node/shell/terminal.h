// What the terminal at stdout is like.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::cli {

struct TerminalSize {
  size_t columns = 80, rows = 24;
};
TerminalSize terminal_size();
bool wants_colour();  // it is a terminal, not a dumb one, and NO_COLOR is not set

std::string bold(std::string_view text, bool colour);
std::string dim(std::string_view text, bool colour);

}  // namespace millrace::cli
