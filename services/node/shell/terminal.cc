#include "node/shell/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace millrace::cli {
namespace {

std::string_view of_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

std::string painted(std::string_view code, std::string_view text, bool colour) {
  if (!colour) return std::string(text);
  return std::string("\033[").append(code).append("m").append(text).append("\033[0m");
}

}  // namespace

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool wants_colour() {
  const std::string_view term = of_environment("TERM");
  return ::isatty(STDOUT_FILENO) != 0 && !term.empty() && term != "dumb" &&
         of_environment("NO_COLOR").empty();
}

std::string bold(std::string_view text, bool colour) {
  return painted("1", text, colour);
}

std::string dim(std::string_view text, bool colour) {
  return painted("2", text, colour);
}

}  // namespace millrace::cli
